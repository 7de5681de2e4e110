"""Odometry messages hold the pose of the rear axle and its motion."""

import math

import numpy as np
import pytest
from geometry_msgs.msg import Quaternion
from hypothesis import given, settings
from hypothesis import strategies as st

from rtrrl_ros.nodes.messages import stamp_ns
from rtrrl_ros.nodes.odometry import odometry_message, odometry_pose

place = st.floats(-1e4, 1e4)


@settings(deadline=None)
@given(place, place, st.floats(-50.0, 50.0), st.floats(-5.0, 5.0), st.integers(0, 10**18))
def test_there_and_back(x, y, heading, speed, stamp):
    message = odometry_message(stamp, np.array([x, y, heading]), speed, 0.7)
    there = odometry_pose(message)
    assert there[:2] == (x, y)
    assert -math.pi - 1e-12 <= there[2] <= math.pi + 1e-12
    assert math.cos(there[2] - heading) == pytest.approx(1.0, abs=1e-12)
    assert stamp_ns(message) == stamp
    assert (message.header.frame_id, message.child_frame_id) == ('odom', 'base_link')
    assert message.twist.twist.linear.x == speed
    assert message.twist.twist.angular.z == 0.7
    q = message.pose.pose.orientation
    assert math.hypot(q.x, q.y, q.z, q.w) == pytest.approx(1.0)


@settings(deadline=None)
@given(st.floats(-3.1, 3.1), st.floats(-0.5, 0.5))
def test_the_pitch_of_the_car_does_not_turn_it(heading, pitch):
    message = odometry_message(0, np.array([0.0, 0.0, 0.0]), 0.0, 0.0)
    a, b = 0.5 * heading, 0.5 * pitch  # about z, then about the car's own y
    message.pose.pose.orientation = Quaternion(
        w=math.cos(a) * math.cos(b), x=-math.sin(a) * math.sin(b),
        y=math.cos(a) * math.sin(b), z=math.sin(a) * math.cos(b),
    )  # fmt: skip
    assert odometry_pose(message)[2] == pytest.approx(heading)
