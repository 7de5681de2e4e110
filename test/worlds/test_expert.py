import contextlib

import numpy as np
import pytest

from rtrrl_ros.safety.command import Command
from rtrrl_ros.worlds.car_racing import CarRacingConfig, CarRacingWorld
from rtrrl_ros.worlds.contract import Observation, StepType
from rtrrl_ros.worlds.expert import Expert, ExpertConfig

DEMONSTRATION = ExpertConfig(max_speed_m_s=45.0)


def without_pictures(world: CarRacingWorld) -> CarRacingWorld:
    """The expert does not look at them."""
    world._env.picture = lambda: np.zeros((96, 96, 3), np.uint8)
    return world


def finish(world: CarRacingWorld, expert: Expert) -> tuple[list[Observation], np.ndarray]:
    observations, actions = [], []
    full = world.config.max_acceleration_m_s2
    while not observations or observations[-1].state.step_type != StepType.LAST:
        action = expert.act()
        actions.append(action)
        observations.append(world.step(Command(0, action[0], 0.0, action[1] * full)))
    return observations, np.array(actions)


def lap(world: CarRacingWorld, config: ExpertConfig, index: int):
    world.reset(index)
    return finish(world, Expert(world, config))


@pytest.fixture
def world():
    with contextlib.closing(without_pictures(CarRacingWorld())) as made:
        yield made


def test_actions_are_two_float32_in_range(world):
    _, actions = lap(world, DEMONSTRATION, 0)
    assert actions.dtype == np.float32
    assert actions.shape[1:] == (2,)
    assert np.abs(actions).max() <= 1.0


def test_a_fast_lap_is_complete_and_scores_above_850(world):
    observations, _ = lap(world, ExpertConfig(), 0)
    assert observations[-1].state.truncated
    assert sum(observation.state.task_reward for observation in observations) > 850.0


def test_a_demonstration_is_smooth_and_keeps_its_speed(world):
    observations, actions = lap(world, DEMONSTRATION, 1)
    change = np.abs(np.diff(actions[:, 0]))
    assert change.mean() < 0.01
    assert np.percentile(change, 99.0) < 0.06
    assert max(observation.state.speed_m_s for observation in observations) < 48.0
    lateral = [abs(observation.state.lateral_error_m) for observation in observations]
    assert np.mean(lateral) < 1.0


def test_the_action_depends_on_the_present_alone(world):
    world.reset(0)
    expert = Expert(world, DEMONSTRATION)
    for _ in range(30):
        action = expert.act()
        world.step(Command(0, action[0], 0.0, action[1] * 32.0))
    assert np.array_equal(expert.act(), expert.act())
    assert np.array_equal(expert.act(), Expert(world, DEMONSTRATION).act())


def test_a_new_lap_is_noticed(world):
    world.reset(0)
    expert = Expert(world, DEMONSTRATION)
    expert.act()
    world.reset(1)
    assert np.array_equal(expert.act(), Expert(world, DEMONSTRATION).act())


@pytest.mark.parametrize('lateral_m', [-6.0, 0.0, 6.0])
@pytest.mark.parametrize('heading_error_rad', [-0.7, 0.0, 0.7])
def test_it_recovers_from_strong_perturbations(lateral_m, heading_error_rad, place):
    config = CarRacingConfig(time_limit_s=3.0)
    with contextlib.closing(without_pictures(CarRacingWorld(config, seed=5))) as world:
        for index in range(3):
            world.reset(index)
            place(world, 150.0 + 40.0 * index, lateral_m, heading_error_rad, 30.0)
            last = finish(world, Expert(world, DEMONSTRATION))[0][-1].state
            assert last.truncated
            assert abs(last.lateral_error_m) < 3.0


@pytest.mark.slow
def test_fast_on_twenty_unseen_tracks(world):
    returns = []
    for index in range(20):
        observations, _ = lap(world, ExpertConfig(), index)
        assert not observations[-1].state.terminated, f'lap {index} needed an intervention'
        returns.append(sum(observation.state.task_reward for observation in observations))
    assert np.mean(returns) > 850.0
