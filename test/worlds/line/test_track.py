"""Tracks against what is known of circles, straight lines and the car's limit."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtrrl_ros.errors import UserError
from rtrrl_ros.worlds.centre_line import CentreLine, wrapped
from rtrrl_ros.worlds.line.track import (
    SPACING_M,
    TrackConfig,
    clearance,
    random_track,
    tightest_curvature,
)

LIMIT = tightest_curvature(0.3302, 0.4189)
TRACKS = [random_track(np.random.default_rng(seed), TrackConfig(), LIMIT) for seed in range(20)]


def circle(radius):
    angle = np.arange(0.0, 2.0 * math.pi, SPACING_M / radius)
    return CentreLine(radius * np.stack([np.cos(angle), np.sin(angle)], axis=1))


def test_the_limit_of_a_1_to_10_car_is_a_radius_of_74_cm():
    assert 1.0 / LIMIT == pytest.approx(0.742, abs=0.001)


def test_tracks_have_the_length_and_the_tightest_bend_that_were_asked_for():
    for track in TRACKS:
        assert 16.0 * 0.99 < track.length_m < 24.0 * 1.01
        steps = np.hypot(*np.diff(track.points, axis=0, append=track.points[:1]).T)
        assert np.allclose(steps, SPACING_M, rtol=0.02)
        # over 10 cm: single vertices carry the rounding of the resampling
        turns = np.convolve(np.tile(track.curvature_1_m, 2), np.full(10, 0.1), 'valid')
        assert np.abs(turns).max() == pytest.approx(0.7 * LIMIT, rel=0.03)


def test_a_track_up_to_the_cars_limit_can_be_asked_for():
    config = TrackConfig(curvature_share=1.0, min_length_m=18.0)
    for seed in range(5):
        track = random_track(np.random.default_rng(seed), config, LIMIT)
        assert np.percentile(np.abs(track.curvature_1_m), 99.9) == pytest.approx(LIMIT, rel=0.05)


def test_tracks_turn_once_and_keep_clear_of_themselves():
    for track in TRACKS:
        turned = np.sum(track.curvature_1_m) * SPACING_M
        assert abs(turned) == pytest.approx(2.0 * math.pi, rel=0.01), 'a figure of eight turns by 0'
        assert clearance(track) >= 0.9


def test_some_tracks_run_clockwise_and_bends_go_both_ways():
    signs = {np.sign(np.sum(track.curvature_1_m)) for track in TRACKS}
    assert signs == {-1.0, 1.0}
    both = [
        track.curvature_1_m.min() < -0.1 and track.curvature_1_m.max() > 0.1 for track in TRACKS
    ]
    assert np.mean(both) > 0.7


def test_the_start_is_on_the_straightest_metre():
    for track in TRACKS[:5]:
        near_start = np.abs(np.roll(track.curvature_1_m, 40)[:80]).mean()
        assert near_start < 0.5 * np.abs(track.curvature_1_m).mean()


def test_the_same_seed_gives_the_same_track():
    again = random_track(np.random.default_rng(3), TrackConfig(), LIMIT)
    assert np.array_equal(again.points, TRACKS[3].points)


def test_clearance_sees_two_stretches_that_come_close():
    angle = np.linspace(0.0, 2.0 * math.pi, 2000, endpoint=False)
    radius = 3.0 + 2.6 * np.cos(2.0 * angle)  # a waist of 0.8 m
    waist = CentreLine((radius * np.stack([np.cos(angle), np.sin(angle)])).T)
    assert clearance(waist) == pytest.approx(0.8, abs=0.1)
    assert clearance(circle(3.0)) > 1.4


def test_what_cannot_be_is_said():
    with pytest.raises(UserError, match='curvature_share'):  # a circle is tighter than that
        random_track(np.random.default_rng(0), TrackConfig(), 0.3)


@settings(max_examples=200, deadline=None)
@given(angle=st.floats(-3.0, 3.0), aside=st.floats(-0.4, 0.4), near=st.integers(-8, 8))
def test_projection_onto_a_circle(angle, aside, near):
    line, radius = circle(2.0), 2.0
    x, y = (radius - aside) * math.cos(angle), (radius - aside) * math.sin(angle)
    segment = int((angle % (2.0 * math.pi)) * radius / SPACING_M) + near
    place = line.project(x, y, near=segment % len(line.points))
    assert place.lateral_m == pytest.approx(aside, abs=1e-4)
    assert wrapped(place.heading_rad - angle - 0.5 * math.pi) == pytest.approx(0.0, abs=1e-3)
    assert line.progress(place.arc_m, angle * radius) == pytest.approx(0.0, abs=2e-3)


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 19), arc=st.floats(0.0, 24.0), aside=st.floats(-0.3, 0.3))
def test_a_local_search_finds_what_a_global_one_finds(seed, arc, aside):
    line = TRACKS[seed]
    x, y = line.at(arc)
    heading = line.project(x, y).heading_rad
    x, y = x - aside * math.sin(heading), y + aside * math.cos(heading)
    everywhere = line.project(x, y)
    nearby = line.project(x, y, near=int(arc % line.length_m / SPACING_M) % len(line.points))
    assert nearby.lateral_m == pytest.approx(aside, abs=2e-3)
    assert everywhere.lateral_m == pytest.approx(nearby.lateral_m, abs=1e-9)
