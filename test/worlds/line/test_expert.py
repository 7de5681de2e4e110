"""The privileged driver: close to the line, steady or human, on many tracks."""

import numpy as np
import pytest

from rtrrl_ros.worlds import StepType
from rtrrl_ros.worlds.line import LineConfig, LineExpert, LineExpertConfig, LineShift, LineWorld

FAST = LineConfig(texel_m=0.02, width=16, height=16, focal_length_px=10.0)


def lap(seed, config, shift=None, hand=0, most=10_000):
    """Lateral errors and commanded angles of one lap, and whether it was completed."""
    world = LineWorld(FAST, shift, seed=seed)
    expert, observation = LineExpert(world, config, seed=hand), world.reset(0)
    errors, angles = [], []
    while observation.state.step_type != StepType.LAST and len(errors) < most:
        command = expert.act(observation.stamp_ns)
        observation = world.step(command)
        errors.append(observation.state.lateral_error_m)
        angles.append(command.steering_angle_rad)
    return np.array(errors), np.array(angles), observation.state.truncated


@pytest.mark.parametrize('seed', range(6))
def test_a_steady_driver_stays_within_centimetres(seed):
    errors, _, complete = lap(seed, LineExpertConfig())
    assert complete
    assert np.abs(errors).mean() < 0.02 and np.abs(errors).max() < 0.07


@pytest.mark.parametrize('seed', range(3))
def test_a_human_is_less_steady_and_still_on_the_line(seed):
    errors, angles, complete = lap(seed, LineExpertConfig.human())
    steady = lap(seed, LineExpertConfig())
    assert complete and np.abs(errors).max() < 0.15
    assert np.diff(angles).std() > 2.0 * np.diff(steady[1]).std()


def test_a_steering_offset_costs_centimetres_and_no_lap():
    errors, _, complete = lap(0, LineExpertConfig(), LineShift(steering_offset=0.1))
    assert complete
    assert 0.02 < np.abs(errors).mean() < 0.08


def test_a_faster_driver_also_gets_round():
    errors, angles, complete = lap(1, LineExpertConfig(speed_m_s=2.0))
    assert complete and len(errors) * 0.01 < 12.0
    assert np.abs(angles).max() <= FAST.max_steering_angle_rad


def test_hands_differ_and_the_same_hand_does_not():
    first = lap(0, LineExpertConfig.human(), hand=1, most=100)[1]
    assert np.array_equal(first, lap(0, LineExpertConfig.human(), hand=1, most=100)[1])
    assert not np.array_equal(first, lap(0, LineExpertConfig.human(), hand=2, most=100)[1])


def test_the_label_is_a_function_of_the_present_state():
    world = LineWorld(FAST)
    expert, observation = LineExpert(world, LineExpertConfig.human()), world.reset(0)
    for _ in range(50):
        observation = world.step(expert.act(observation.stamp_ns))
    label = expert.intended_angle()
    assert label == expert.intended_angle() == LineExpert(world).intended_angle()


def test_reaction_time_delays_the_command():
    world = LineWorld(FAST)
    slow, steady = LineExpert(world, LineExpertConfig(reaction_s=0.05)), LineExpert(world)
    observation, commands, intended = world.reset(0), [], []
    for _ in range(60):
        intended.append(steady.act(observation.stamp_ns).steering_angle_rad)
        commands.append(slow.act(observation.stamp_ns).steering_angle_rad)
        observation = world.step(steady.act(observation.stamp_ns))
    assert commands[5:] == intended[:-5]
