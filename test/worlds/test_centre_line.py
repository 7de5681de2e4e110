import math

import numpy as np
import pytest

from rtrrl_ros.worlds.centre_line import CentreLine, wrapped

RADIUS_M = 20.0


@pytest.fixture
def circle() -> CentreLine:
    """Driven to the left, from the right-most point."""
    angles = np.linspace(0.0, 2.0 * np.pi, 200, endpoint=False)
    return CentreLine(RADIUS_M * np.stack([np.cos(angles), np.sin(angles)], axis=1))


def test_a_circle_has_its_length_and_curvature(circle):
    assert circle.length_m == pytest.approx(2.0 * math.pi * RADIUS_M, rel=1e-3)
    assert circle.curvature_1_m == pytest.approx(np.full(200, 1.0 / RADIUS_M), rel=1e-3)


@pytest.mark.parametrize('angle', [0.01, 1.0, 3.0, 6.2])
@pytest.mark.parametrize('inward', [-3.0, 0.0, 5.0])
def test_projection_on_a_circle(circle, angle, inward):
    radius = RADIUS_M - inward
    found = circle.project(radius * math.cos(angle), radius * math.sin(angle))
    # Inside a bend of a polyline the foot jumps a little from segment to segment.
    assert found.arc_m == pytest.approx(RADIUS_M * angle, abs=0.1)
    assert found.lateral_m == pytest.approx(inward, abs=0.01)
    assert wrapped(found.heading_rad - angle - 0.5 * math.pi) == pytest.approx(0.0, abs=5e-3)


def test_the_window_and_the_whole_line_agree_all_the_way_round(circle):
    segment = 0
    for angle in np.linspace(0.0, 4.0 * np.pi, 150):
        point = 19.0 * math.cos(angle), 19.0 * math.sin(angle)
        near, anywhere = circle.project(*point, near=segment), circle.project(*point)
        assert circle.progress(near.arc_m, anywhere.arc_m) == pytest.approx(0.0, abs=0.1)
        assert near.lateral_m == pytest.approx(anywhere.lateral_m)
        segment = near.segment


def test_the_window_keeps_to_its_own_stretch_of_the_track():
    # A hairpin: out along y = 0, back along y = 10.
    out = [(x, 0.0) for x in range(0, 100, 2)]
    back = [(x, 10.0) for x in range(98, -2, -2)]
    line = CentreLine(np.array(out + back, dtype=float))
    assert line.project(50.0, 8.0).lateral_m == pytest.approx(2.0)
    assert line.project(50.0, 8.0, near=25).lateral_m == pytest.approx(8.0)


def test_heading_and_place_are_continuous_across_vertices(circle):
    before = circle.project(RADIUS_M * math.cos(1.0), RADIUS_M * math.sin(1.0))
    for angle in np.linspace(1.0, 1.2, 200)[1:]:
        after = circle.project(RADIUS_M * math.cos(angle), RADIUS_M * math.sin(angle))
        assert after.heading_rad - before.heading_rad == pytest.approx(0.001, abs=5e-4)
        assert circle.progress(before.arc_m, after.arc_m) == pytest.approx(0.02, abs=5e-3)
        before = after


def test_progress_goes_the_short_way_over_the_start(circle):
    assert circle.progress(circle.length_m - 1.0, 2.0) == pytest.approx(3.0)
    assert circle.progress(2.0, circle.length_m - 1.0) == pytest.approx(-3.0)


def test_at_undoes_projection(circle):
    for place in (-1.0, 0.0, 33.3, circle.length_m + 5.0):
        found = circle.project(*circle.at(place))
        assert found.arc_m == pytest.approx(place % circle.length_m, abs=1e-6)
        assert found.lateral_m == pytest.approx(0.0, abs=1e-9)
