"""The car's dynamics against what is known of a single-track model."""

import math

import numpy as np
import pytest

from rtrrl_ros.worlds.line.vehicle import (
    GRAVITY_M_S2,
    SLIP,
    SPEED,
    STEERING,
    STEP_S,
    YAW,
    YAW_RATE,
    VehicleConfig,
    X,
    Y,
    integrate,
)

CONFIG = VehicleConfig()


def drive(steering, speed, seconds=3.0, start_speed=None, config=CONFIG, step_s=STEP_S):
    """States under a constant target, (steps + 1, 7)."""
    state = np.zeros(7)
    state[SPEED] = speed if start_speed is None else start_speed
    targets = np.tile([steering, speed], (round(seconds / step_s), 1)).astype(float)
    return integrate(state, targets, config.constants(), step_s)


def test_straight_ahead_is_straight():
    end = drive(0.0, 1.6)[-1]
    assert end[X] == pytest.approx(4.8)
    assert end[Y] == end[YAW] == end[SLIP] == 0.0


@pytest.mark.parametrize('speed', [0.5, 1.6, 3.0])
@pytest.mark.parametrize('steering', [-0.3, 0.05, 0.2])
def test_a_steady_bend_needs_the_steering_of_the_understeer_gradient(speed, steering):
    """Steering = L k + a / (mu g) (1 / C_f - 1 / C_r) with the curvature k, a = v^2 k."""
    end = drive(steering, speed)[-1]
    curvature = end[YAW_RATE] / speed
    gradient = 1.0 / CONFIG.front_stiffness_1_rad - 1.0 / CONFIG.rear_stiffness_1_rad
    gradient /= CONFIG.friction * GRAVITY_M_S2
    expected = steering / (CONFIG.wheelbase_m + gradient * speed**2)
    assert curvature == pytest.approx(expected, rel=1e-4)


def test_tyres_slip_more_the_faster_the_bend():
    """The rear tyres' slip angle is a / (mu g C_r): the rear axle runs wide by that."""
    slips = []
    for speed in (0.5, 1.6):
        end = drive(0.3, speed)[-1]
        rear = end[SLIP] - end[YAW_RATE] * CONFIG.rear_axle_m / speed
        slips.append(-rear)
        load = CONFIG.friction * GRAVITY_M_S2 * CONFIG.rear_stiffness_1_rad
        assert -rear == pytest.approx(speed * end[YAW_RATE] / load, rel=0.02)
    assert slips[1] > 9.0 * slips[0]


def test_at_walking_pace_the_rear_axle_follows_the_wheels():
    states = drive(0.3, 0.09, seconds=2.0)
    curvature = (states[-1, YAW] - states[1000, YAW]) / (0.09 * (2.0 - 1.0))
    angle = math.atan(math.tan(0.3) * CONFIG.rear_axle_m / CONFIG.wheelbase_m)
    assert curvature == pytest.approx(
        math.cos(angle) * math.tan(0.3) / CONFIG.wheelbase_m, rel=1e-3
    )


def test_the_servo_turns_at_its_rate_and_then_lags():
    config = VehicleConfig(max_steering_rate_rad_s=2.0, servo_time_constant_s=0.05)
    angle = drive(0.4, 1.0, seconds=0.5, config=config)[:, STEERING]
    assert np.allclose(np.diff(angle[:140]), 0.002), 'at first as fast as it can'
    # from 0.1 rad on, which is rate times time constant, exponentially
    rest = 0.4 - angle[151:351]
    assert np.allclose(rest[50:] / rest[:-50], math.exp(-1.0), rtol=0.01)
    assert angle.max() <= 0.4


def test_the_motor_controller_lags_and_never_pushes_harder_than_it_can():
    speed = drive(0.0, 1.6, seconds=2.0, start_speed=0.0)[:, SPEED]
    assert speed[250] == pytest.approx(1.6 * (1.0 - math.exp(-1.0)), rel=1e-3)
    assert np.diff(speed).max() <= 9.51 * STEP_S + 1e-9
    strong = drive(0.0, 20.0, seconds=0.5, start_speed=0.0)[:, SPEED]
    assert np.allclose(np.diff(strong), 9.51 * STEP_S)


def test_stopping_ends_at_rest_and_never_backwards():
    states = drive(0.3, 0.0, seconds=5.0, start_speed=2.0)
    assert states[:, SPEED].min() >= 0.0
    assert states[-1, SPEED] < 1e-6
    assert np.isfinite(states).all()


@pytest.mark.parametrize('speed', [0.1, 0.11, 0.2])
def test_the_stiffest_speed_is_stable(speed):
    states = drive(0.4, speed, seconds=5.0)
    assert np.abs(states[:, YAW_RATE]).max() < 1.0


def test_half_the_step_gives_the_same_course():
    one, other = drive(0.25, 1.6), drive(0.25, 1.6, step_s=0.5 * STEP_S)
    assert np.allclose(one[-1], other[-1], atol=1e-5)


def test_the_same_commands_give_the_same_bits():
    assert np.array_equal(drive(0.21, 1.7), drive(0.21, 1.7))
