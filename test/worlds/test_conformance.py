"""The conformance tests must pass for a sound world and fail for each kind of broken one."""

import dataclasses

import numpy as np
import pytest

from rtrrl_ros.perception.events import EventBatch
from rtrrl_ros.worlds.conformance import WorldConformance
from rtrrl_ros.worlds.contract import Observation, StepType, World, WorldState


class Toy(World):
    """A point that is pushed sideways; a lap is twelve decisions."""

    decision_period_s = 0.05

    def __init__(self, seed: int) -> None:
        self.seed, self.stamp_ns, self.left = seed, 0, 0

    def reset(self, lap: int) -> Observation:
        self.lap, self.left = lap, 12
        self.lateral_m = np.random.default_rng([self.seed, lap]).uniform(-0.1, 0.1)
        return self.observe(StepType.FIRST, 0.0)

    def step(self, command) -> Observation:
        if self.left == 0:
            raise RuntimeError('reset first')
        if not command.finite:
            raise ValueError('not finite')
        self.left -= 1
        self.lateral_m += 0.05 * command.steering_angle_rad
        return self.observe(StepType.LAST if self.left == 0 else StepType.MID, 0.1)

    def observe(self, step_type: StepType, reward: float) -> Observation:
        self.stamp_ns += 50_000_000
        values = {
            'task_reward': reward,
            'lateral_error_m': self.lateral_m,
            'heading_error_rad': 0.0,
            'speed_m_s': 0.0,
            'progress_m': reward,
        }
        rounded = {name: float(np.float32(value)) for name, value in values.items()}
        last = step_type == StepType.LAST
        state = WorldState(self.stamp_ns, self.lap, step_type, False, last, **rounded)
        return Observation(np.full((4, 4, 3), self.left, np.uint8), state)


class SlowStamps(Toy):
    def reset(self, lap):
        self.stamp_ns = 0
        return super().reset(lap)


class EndsTwice(Toy):
    def observe(self, step_type, reward):
        seen = super().observe(step_type, reward)
        last = step_type == StepType.LAST
        return Observation(seen.image, dataclasses.replace(seen.state, terminated=last))


class ForgetsToEnd(Toy):
    def step(self, command):
        seen = super().step(command)
        return Observation(seen.image, dataclasses.replace(seen.state, step_type=StepType.MID))


class RewardsTheReset(Toy):
    def observe(self, step_type, reward):
        return super().observe(step_type, 0.1)


class Random(Toy):
    def reset(self, lap):
        self.seed = np.random.randint(2**31)
        return super().reset(lap)


class Remembers(Toy):
    def reset(self, lap):
        before = getattr(self, 'lateral_m', 0.0)
        super().reset(lap)
        self.lateral_m += before
        return self.observe(StepType.FIRST, 0.0)


class OneTrack(Toy):
    def reset(self, lap):
        super().reset(0)
        self.lap, self.lateral_m = lap, 0.0
        return self.observe(StepType.FIRST, 0.0)


class DoublePrecision(Toy):
    def observe(self, step_type, reward):
        seen = super().observe(step_type, reward)
        state = dataclasses.replace(seen.state, lateral_error_m=float(self.lateral_m))
        return Observation(seen.image, state)


class NeverRefuses(Toy):
    def step(self, command):
        self.left = max(self.left, 1)
        return super().step(command)


class TakesNaN(Toy):
    def step(self, command):
        return super().step(command if command.finite else type(command).zero(0))


class StepsThenRefuses(Toy):
    def step(self, command):
        if not command.finite:
            super().step(type(command).zero(0))
        return super().step(command)


class OneImage(Toy):
    def observe(self, step_type, reward):
        seen = super().observe(step_type, reward)
        self.image = getattr(self, 'image', seen.image)
        self.image[:] = seen.image
        return Observation(self.image, seen.state)


class RollsAway(Toy):
    def observe(self, step_type, reward):
        self.lateral_m += 0.05
        return super().observe(step_type, reward)


class EventToy(Toy):
    """The same with an event camera: one event in the middle of each window."""

    def observe(self, step_type, reward):
        state = super().observe(step_type, reward).state
        count = 0 if step_type == StepType.FIRST else 1
        return Observation(self.events(np.full(count, state.stamp_ns // 1000 - 25_000)), state)

    def events(self, t_us):
        pixel = np.full(t_us.size, self.left, np.uint16)
        on = np.ones(t_us.size, np.bool_)
        return EventBatch(t_us, pixel, pixel, on, 16, 16, self.stamp_ns // 1000)


class LateEvents(EventToy):
    def events(self, t_us):
        return super().events(t_us + 25_000)


class EarlyEvents(EventToy):
    def events(self, t_us):
        return super().events(t_us - 30_000)


class OutsideTheSensor(EventToy):
    def events(self, t_us):
        seen = super().events(t_us)
        return dataclasses.replace(seen, x=seen.x + np.uint16(16))


class OneBuffer(EventToy):
    def events(self, t_us):
        self.kept = getattr(self, 'kept', np.zeros(1, np.int64))
        self.kept[:] = self.stamp_ns // 1000 - 25_000
        return super().events(self.kept[: t_us.size])


class EventsAtReset(EventToy):
    def observe(self, step_type, reward):
        return super().observe(StepType.MID if step_type == StepType.FIRST else step_type, reward)


class Conformance(WorldConformance):
    """Of the toy; not collected by itself."""

    DECISIONS = 10

    def __init__(self, world: type[World]) -> None:
        self.world = world

    def make_world(self, seed: int) -> World:
        return self.world(seed)


def failures(world: type[World]) -> set[str]:
    tests = Conformance(world)
    failed = set()
    for name in dir(tests):
        if name.startswith('test_'):
            try:
                getattr(tests, name)()
            except Exception:
                failed.add(name)
    return failed


@pytest.mark.parametrize('world', [Toy, EventToy])
def test_a_sound_world_passes(world):
    assert failures(world) == set()


@pytest.mark.parametrize(
    ('broken', 'test'),
    [
        (SlowStamps, 'test_stamps_increase_by_the_decision_period_and_over_laps'),
        (EndsTwice, 'test_only_the_last_observation_is_terminated_or_truncated'),
        (ForgetsToEnd, 'test_a_lap_is_first_then_mid_then_last'),
        (RewardsTheReset, 'test_rewards_and_progress_are_zero_after_a_reset'),
        (Random, 'test_same_seed_and_commands_give_the_same_bits'),
        (Remembers, 'test_a_lap_does_not_depend_on_what_was_driven_before'),
        (OneTrack, 'test_other_seeds_and_other_laps_are_other_worlds'),
        (DoublePrecision, 'test_values_are_finite_float32'),
        (NeverRefuses, 'test_step_needs_a_reset_first_and_after_the_last'),
        (TakesNaN, 'test_a_command_that_is_not_finite_is_refused_and_changes_nothing'),
        (StepsThenRefuses, 'test_a_command_that_is_not_finite_is_refused_and_changes_nothing'),
        (OneImage, 'test_images_are_uint8_rgb_of_one_shape_and_stay_as_they_were'),
        (RollsAway, 'test_standing_still_is_safe'),
        (LateEvents, 'test_events_lie_in_their_window_and_in_the_sensor_and_stay_as_they_were'),
        (EarlyEvents, 'test_events_lie_in_their_window_and_in_the_sensor_and_stay_as_they_were'),
        (
            OutsideTheSensor,
            'test_events_lie_in_their_window_and_in_the_sensor_and_stay_as_they_were',
        ),
        (OneBuffer, 'test_events_lie_in_their_window_and_in_the_sensor_and_stay_as_they_were'),
        (EventsAtReset, 'test_a_reset_shows_no_events'),
    ],
)
def test_a_broken_world_fails(broken, test):
    assert test in failures(broken)
