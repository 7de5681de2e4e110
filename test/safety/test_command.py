"""A command holds float32 values, rounded as the message rounds them."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rtrrl_ros.safety.command import Command


@given(st.floats())
def test_values_are_float32(value):
    with np.errstate(over='ignore'):
        expected = float(np.float32(value))
    command = Command(1, value, value, value)
    for rounded in (command.steering_angle_rad, command.speed_m_s, command.acceleration_m_s2):
        assert rounded == expected or (math.isnan(rounded) and math.isnan(expected))
    assert command.finite == math.isfinite(expected)


def test_zero():
    assert Command.zero(7) == Command(7, 0.0, 0.0, 0.0)
