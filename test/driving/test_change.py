"""What one agent does when the car changes under it: from rest, it learns again."""

import dataclasses
import statistics

import pytest

from rtrrl_ros.checkpoint import load_checkpoint
from rtrrl_ros.configuration import load_task_config
from rtrrl_ros.driving.assembly import load_agent, load_pipeline, single_threaded
from rtrrl_ros.driving.driver import Driver
from rtrrl_ros.driving.laps import Lap
from rtrrl_ros.driving.loop import drive_laps
from rtrrl_ros.resources import find_resource
from rtrrl_ros.safety.gate import Gate
from rtrrl_ros.worlds.registry import make_world
from rtrrl_ros.worlds.rewards import RewardFunction
from rtrrl_ros.worlds.shifts import parse_shift


class Car:
    """The shipped learner on the simulated car, on one track, under one shift after the other."""

    def __init__(self, seed: int) -> None:
        single_threaded()
        self.config, self.seed = load_task_config('line'), seed
        checkpoint = load_checkpoint(find_resource('models', 'line-lrcssm'))
        self.agent = load_agent(
            checkpoint, self.config.learner, learn=True, explore=True, seed=seed
        )
        self.driver = Driver(self.agent, self.config.actuation, lockstep=True)
        self.pipeline = load_pipeline(checkpoint)

    def drive(self, shift: list[str], laps: int) -> list[Lap]:
        config = self.config
        world = make_world('line', config.world, parse_shift('line', shift), self.seed)
        gate = Gate(dataclasses.replace(config.gate, lockstep=True))
        reward = RewardFunction(config.reward).reward
        return drive_laps(world, self.pipeline, self.driver, gate, reward, laps)


def mean_m(laps: list[Lap]) -> float:
    return statistics.fmean(lap.mean_abs_lateral_error_m for lap in laps)


@pytest.mark.slow
@pytest.mark.parametrize('seed', [101, 103])
def test_an_agent_at_rest_notices_a_shift_within_a_lap_and_learns_again(seed: int) -> None:
    car = Car(seed)
    before = car.drive([], 16)
    assert car.agent.resting, 'there was nothing to learn'
    assert mean_m(before) < 0.012
    drift = car.agent.drift()
    assert drift == 0.0
    laps = car.drive(['steering_offset=0.1'], 10)
    print([round(100 * lap.mean_abs_lateral_error_m, 2) for lap in laps])
    assert 'learns again' in laps[0].note
    assert car.agent.drift() > 0.0
    frozen_m = laps[0].mean_abs_lateral_error_m
    assert frozen_m > 0.03
    assert mean_m(laps[-3:]) < 0.5 * frozen_m
