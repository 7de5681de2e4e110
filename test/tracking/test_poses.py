"""The pose at the moment of an observation: interpolated, carried on, or not known."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtrrl_ros.tracking.poses import Pose, PoseBuffer

MS = 1_000_000


def on_arc(stamp, rate=1.0, speed=1.0):
    """A circle of radius speed / rate, from the origin along x."""
    turn, radius = rate * stamp * 1e-9, speed / rate
    return Pose(stamp, radius * math.sin(turn), radius * (1.0 - math.cos(turn)), turn, speed, rate)


@given(st.integers(0, 999 * MS))
def test_between_two_poses_of_an_arc(stamp):
    buffer = PoseBuffer(max_gap_s=0.05)
    for k in range(51):
        buffer.add(on_arc(20 * MS * k))
    found, true = buffer.at(stamp), on_arc(stamp)
    assert found is not None
    assert math.hypot(found.x_m - true.x_m, found.y_m - true.y_m) < 1e-4
    assert found.heading_rad == pytest.approx(true.heading_rad, abs=1e-6)


def test_the_newest_pose_is_carried_on_along_its_arc_but_not_far():
    buffer = PoseBuffer(max_gap_s=0.05, extrapolation_s=0.03)
    buffer.add(on_arc(100 * MS))
    found, true = buffer.at(125 * MS), on_arc(125 * MS)
    assert found is not None and buffer.reaches(125 * MS)
    assert math.hypot(found.x_m - true.x_m, found.y_m - true.y_m) < 1e-5
    assert buffer.at(131 * MS) is None and not buffer.reaches(131 * MS)


def test_what_is_not_known_is_none():
    buffer = PoseBuffer(max_gap_s=0.05)
    assert buffer.at(0) is None and not buffer.reaches(0)
    buffer.add(on_arc(100 * MS))
    buffer.add(on_arc(160 * MS))
    assert buffer.at(99 * MS) is None
    assert buffer.at(130 * MS) is None, 'a gap of 60 ms'
    assert buffer.at(161 * MS) is None
    assert buffer.at(160 * MS) is not None


def test_bad_poses_jumps_and_a_source_that_begins_anew():
    buffer = PoseBuffer(max_gap_s=0.05)
    buffer.add(on_arc(100 * MS))
    buffer.add(Pose(110 * MS, math.nan, 0.0, 0.0))
    assert buffer.refused == 1
    buffer.add(Pose(120 * MS, 5.0, 0.0, 0.0))
    assert buffer.jumps == 1 and buffer.at(110 * MS) is None
    buffer.add(on_arc(10 * MS))
    assert buffer.at(120 * MS) is None and buffer.at(10 * MS) is not None


def test_speed_from_poses_alone():
    buffer = PoseBuffer(max_gap_s=0.1, differentiate=True)
    for stamp in (0, 50 * MS):
        pose = on_arc(stamp, rate=0.5, speed=1.5)
        buffer.add(Pose(stamp, pose.x_m, pose.y_m, pose.heading_rad))
    assert buffer.newest is not None
    assert buffer.newest.speed_m_s == pytest.approx(1.5, rel=0.01)
    assert buffer.newest.yaw_rate_rad_s == pytest.approx(0.5, rel=0.01)
