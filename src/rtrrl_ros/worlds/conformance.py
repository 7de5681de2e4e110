"""The contract of a world as tests: inherit `WorldConformance` and say how to make the world.

class TestMyWorld(WorldConformance):
    def make_world(self, seed):
        return MyWorld(seed=seed)
"""

import copy
import dataclasses
import functools
import itertools
from collections.abc import Callable, Iterator

import numpy as np

from ..perception.events.contract import EventBatch
from ..safety.command import Command
from .contract import Observation, StepType, World


class WorldConformance:
    """Checks that any world must pass; nothing in them knows what the world is."""

    #: decisions driven by a test that need not reach the end of a lap
    DECISIONS = 40
    #: decisions after which a lap must have ended by itself
    LONGEST_LAP = 2000
    #: commands are drawn from +- these
    STEERING_RAD = 0.3
    SPEED_M_S = 2.0
    ACCELERATION_M_S2 = 8.0

    def make_world(self, seed: int) -> World:
        """A new world; the same seed must give the same world."""
        raise NotImplementedError

    def commands(self, seed: int) -> Iterator[tuple[float, float, float]]:
        """Endless steering, speed and acceleration, held for a few decisions each."""
        random = np.random.default_rng(seed)
        while True:
            steering = random.uniform(-self.STEERING_RAD, self.STEERING_RAD)
            speed = random.uniform(0.0, self.SPEED_M_S)
            acceleration = random.uniform(-0.25, 1.0) * self.ACCELERATION_M_S2
            for _ in range(random.integers(1, 8)):
                yield steering, speed, acceleration

    def drive(self, world: World, lap: int, decisions: int, seed: int = 0) -> list[Observation]:
        """One lap under random commands, cut after so many decisions."""
        observations = [world.reset(lap)]
        for values, _ in zip(self.commands(seed), range(decisions), strict=False):
            if observations[-1].state.step_type == StepType.LAST:
                break
            observations.append(world.step(Command(observations[-1].stamp_ns, *values)))
        return observations

    def finish(self, world: World, lap: int) -> list[Observation]:
        observations = self.drive(world, lap, self.LONGEST_LAP)
        assert observations[-1].state.step_type == StepType.LAST, 'the lap never ended'
        return observations

    def test_a_lap_is_first_then_mid_then_last(self) -> None:
        world = self.make_world(0)
        for lap in range(2):
            types = [observation.state.step_type for observation in self.finish(world, lap)]
            assert types[0] == StepType.FIRST
            assert set(types[1:-1]) <= {StepType.MID}
            assert types[-1] == StepType.LAST
        world.close()

    def test_only_the_last_observation_is_terminated_or_truncated(self) -> None:
        world = self.make_world(0)
        states = [observation.state for observation in self.finish(world, 0)]
        assert not any(state.terminated or state.truncated for state in states[:-1])
        assert states[-1].terminated != states[-1].truncated
        world.close()

    def test_stamps_increase_by_the_decision_period_and_over_laps(self) -> None:
        world = self.make_world(0)
        stamps = [
            observation.stamp_ns
            for lap in (0, 1, 0)
            for observation in self.drive(world, lap, self.DECISIONS)
        ]
        assert all(after > before for before, after in itertools.pairwise(stamps))
        world.reset(2)
        stamps = [observation.stamp_ns for observation in self.drive(world, 2, 5)]
        assert set(np.diff(stamps)) == {round(world.decision_period_s * 1e9)}
        world.close()

    def test_rewards_and_progress_are_zero_after_a_reset(self) -> None:
        world = self.make_world(0)
        self.drive(world, 0, self.DECISIONS)
        state = world.reset(1).state
        assert (state.task_reward, state.progress_m) == (0.0, 0.0)
        assert (state.lap, state.step_type) == (1, StepType.FIRST)
        world.close()

    def test_same_seed_and_commands_give_the_same_bits(self) -> None:
        one, other = self.make_world(3), self.make_world(3)
        for lap in range(2):
            assert_same(
                self.drive(one, lap, self.DECISIONS), self.drive(other, lap, self.DECISIONS)
            )
        one.close()
        other.close()

    def test_a_lap_does_not_depend_on_what_was_driven_before(self) -> None:
        fresh, used = self.make_world(3), self.make_world(3)
        expected = self.drive(fresh, 2, self.DECISIONS)
        self.finish(used, 0)
        self.drive(used, 5, self.DECISIONS, seed=1)
        assert_same(self.drive(used, 2, self.DECISIONS), expected, stamps=False)
        fresh.close()
        used.close()

    def test_other_seeds_and_other_laps_are_other_worlds(self) -> None:
        """Or one of both, for a world that has but one track."""
        one, other = self.make_world(0), self.make_world(1)
        first = self.drive(one, 0, self.DECISIONS)
        by_seed = self.drive(other, 0, self.DECISIONS)
        by_lap = self.drive(one, 1, self.DECISIONS)
        assert not same(first, by_seed) or not same(first, by_lap)
        one.close()
        other.close()

    def test_values_are_finite_float32(self) -> None:
        world = self.make_world(0)
        for observation in self.drive(world, 0, self.DECISIONS):
            for field in dataclasses.fields(observation.state):
                value = getattr(observation.state, field.name)
                if field.type is float:
                    assert type(value) is float, field.name
                    assert np.isfinite(value) and float(np.float32(value)) == value, field.name
            assert -np.pi <= observation.state.heading_error_rad <= np.float32(np.pi)
        world.close()

    def test_images_are_uint8_rgb_of_one_shape_and_stay_as_they_were(self) -> None:
        world = self.make_world(0)
        first = world.reset(0)
        if isinstance(first.sensed, np.ndarray):
            kept = first.image.copy()
            for observation in self.drive(world, 0, self.DECISIONS):
                assert observation.image.dtype == np.uint8
                assert observation.image.shape == first.image.shape
                assert observation.image.ndim == 3 and observation.image.shape[2] == 3
                assert observation.image.flags.c_contiguous
            assert np.array_equal(first.image, kept), 'an image changed after it was returned'
        world.close()

    def test_events_lie_in_their_window_and_in_the_sensor_and_stay_as_they_were(self) -> None:
        world = self.make_world(0)
        first = world.reset(0)
        if isinstance(first.sensed, EventBatch):
            observations = self.drive(world, 0, self.DECISIONS)
            kept = [copy.deepcopy(observation.events) for observation in observations]
            for before, observation in itertools.pairwise(observations):
                events = observation.events
                assert events.until_us == observation.stamp_ns // 1000
                assert np.all(np.diff(events.t_us) >= 0), 'not in the order of time'
                assert np.all(events.t_us >= before.stamp_ns // 1000), 'before its window'
                assert np.all(events.t_us < events.until_us), 'after its window'
                assert (events.width, events.height) == (first.events.width, first.events.height)
                assert np.all(events.x < events.width) and np.all(events.y < events.height)
            self.drive(world, 1, self.DECISIONS)
            for observation, copied in zip(observations, kept, strict=True):
                assert same_sensed(observation.events, copied), 'events changed after their return'
        world.close()

    def test_a_reset_shows_no_events(self) -> None:
        world = self.make_world(0)
        for lap in range(2):
            observation = world.reset(lap)
            if isinstance(observation.sensed, EventBatch):
                assert len(observation.events) == 0
                assert observation.events.until_us == observation.stamp_ns // 1000
            self.drive(world, lap, self.DECISIONS)
        world.close()

    def test_step_needs_a_reset_first_and_after_the_last(self) -> None:
        world = self.make_world(0)
        _raises(RuntimeError, lambda: world.step(Command.zero(0)))
        last = self.finish(world, 0)[-1]
        _raises(RuntimeError, lambda: world.step(Command.zero(last.stamp_ns)))
        assert world.reset(1).state.step_type == StepType.FIRST
        world.close()

    def test_a_command_that_is_not_finite_is_refused_and_changes_nothing(self) -> None:
        world, other = self.make_world(0), self.make_world(0)
        stamp = world.reset(0).stamp_ns
        other.reset(0)
        for bad in (float('nan'), float('inf'), float('-inf')):
            for place in range(3):
                values = [0.0, 0.0, 0.0]
                values[place] = bad
                command = Command(stamp, *values)
                _raises(ValueError, functools.partial(world.step, command))
        command = Command(stamp, 0.1, 1.0, 1.0)
        assert_same([world.step(command)], [other.step(command)])
        world.close()
        other.close()

    def test_standing_still_is_safe(self) -> None:
        world = self.make_world(0)
        observation = world.reset(0)
        start = observation.state.lateral_error_m
        for _ in range(self.DECISIONS):
            observation = world.step(Command.zero(observation.stamp_ns))
            assert not observation.state.terminated
        assert abs(observation.state.speed_m_s) < 0.1
        assert abs(observation.state.lateral_error_m - start) < 0.1
        world.close()

    def test_closing_twice_does_nothing(self) -> None:
        world = self.make_world(0)
        world.reset(0)
        world.close()
        world.close()


def same(one: list[Observation], other: list[Observation]) -> bool:
    """Whether two drives are equal bit for bit, but for stamps and the lap's index."""
    if len(one) != len(other):
        return False
    for a, b in zip(one, other, strict=True):
        state = dataclasses.replace(b.state, stamp_ns=a.stamp_ns, lap=a.state.lap)
        if a.state != state or not same_sensed(a.sensed, b.sensed):
            return False
    return True


def same_sensed(one: np.ndarray | EventBatch, other: np.ndarray | EventBatch) -> bool:
    """Whether two images, or two batches of events but for their time, are equal bit for bit."""
    if isinstance(one, EventBatch) and isinstance(other, EventBatch):
        return (
            np.array_equal(one.t_us - one.until_us, other.t_us - other.until_us)
            and np.array_equal(one.x, other.x)
            and np.array_equal(one.y, other.y)
            and np.array_equal(one.polarity, other.polarity)
            and (one.width, one.height) == (other.width, other.height)
        )
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return np.array_equal(one, other)
    return False


def assert_same(one: list[Observation], other: list[Observation], stamps: bool = True) -> None:
    """Fail with the first difference of two drives."""
    for place, (a, b) in enumerate(zip(one, other, strict=False)):
        state = b.state if stamps else dataclasses.replace(b.state, stamp_ns=a.stamp_ns)
        assert a.state == state, f'observation {place}: {a.state} is not {state}'
        assert same_sensed(a.sensed, b.sensed), f'observation {place}: the camera differs'
    assert len(one) == len(other), f'{len(one)} observations against {len(other)}'


def _raises(kind: type[Exception], action: Callable[[], object]) -> None:
    try:
        action()
    except kind:
        return
    raise AssertionError(f'{kind.__name__} was not raised')
