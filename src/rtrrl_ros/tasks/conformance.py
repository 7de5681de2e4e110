"""The contract of a task as tests: inherit `TaskConformance` and name the task.

class TestMyTask(TaskConformance):
    task = MY_TASK
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .contract import Environment, Observation, Task

Transition = tuple[Observation, float, bool, bool]


class TaskConformance:
    """Checks that any task must pass; nothing in them knows what the task is."""

    task: Task
    #: episodes in which a random policy meets what a task may do
    EPISODES = 3
    #: whether chance has a part in the task
    VARIES = True

    def actions(self, seed: int) -> Iterator[Any]:
        """Endless random actions."""
        random = np.random.default_rng(seed)
        while True:
            if self.task.discrete:
                yield int(random.integers(self.task.action_size))
            else:
                yield random.uniform(-1, 1, self.task.action_size).astype(np.float32)

    def play(self, environment: Environment, episode: int, seed: int = 0) -> list[Transition]:
        """One whole episode of random actions; first comes the reset's observation."""
        transitions: list[Transition] = [(environment.reset(episode), 0.0, False, False)]
        for action, _ in zip(self.actions(seed), range(self.task.max_steps), strict=False):
            transitions.append(environment.step(action))
            if transitions[-1][2] or transitions[-1][3]:
                return transitions
        raise AssertionError(f'an episode has more than {self.task.max_steps} steps')

    def test_observations_and_rewards_have_the_types_and_sizes_of_the_contract(self) -> None:
        environment = self.task.make(0)
        for episode in range(self.EPISODES):
            for observation, reward, terminated, truncated in self.play(environment, episode):
                assert observation.dtype == np.float32
                assert observation.shape == (self.task.observation_size,)
                assert observation.flags.c_contiguous
                assert np.isfinite(observation).all()
                assert type(reward) is float and np.isfinite(reward)
                assert type(terminated) is bool and type(truncated) is bool

    def test_only_the_last_step_ends_the_episode_and_in_one_way(self) -> None:
        environment = self.task.make(0)
        for episode in range(self.EPISODES):
            transitions = self.play(environment, episode)
            assert not any(
                terminated or truncated for *_, terminated, truncated in transitions[:-1]
            )
            assert transitions[-1][2] != transitions[-1][3]
            assert not transitions[-1][3] or len(transitions) == self.task.max_steps + 1

    def test_same_seed_and_actions_give_the_same_bits(self) -> None:
        one, other = self.task.make(3), self.task.make(3)
        for episode in range(self.EPISODES):
            assert same(self.play(one, episode), self.play(other, episode))

    def test_an_episode_does_not_depend_on_what_was_played_before(self) -> None:
        fresh, used = self.task.make(3), self.task.make(3)
        expected = self.play(fresh, 2)
        self.play(used, 0)
        used.reset(5)
        used.step(next(self.actions(1)))
        assert same(self.play(used, 2), expected)

    def test_seeds_and_episodes_differ(self) -> None:
        """Seeds or episodes: a task may have one episode, again and again, for each seed."""
        by_seed = [self.play(self.task.make(seed), 0) for seed in range(12)]
        environment = self.task.make(0)
        by_episode = [self.play(environment, episode) for episode in range(12)]
        assert self.VARIES == any(
            not same(by_seed[0], other) or not same(by_episode[0], another)
            for other, another in zip(by_seed[1:], by_episode[1:], strict=True)
        )

    def test_an_observation_stays_as_it_was_and_may_be_written_to(self) -> None:
        environment, other = self.task.make(0), self.task.make(0)
        transitions = self.play(environment, 0)
        kept = [observation.copy() for observation, *_ in transitions]
        self.play(environment, 1)
        for (observation, *_), copy in zip(transitions, kept, strict=True):
            assert np.array_equal(observation, copy)
            observation[:] = 7.0
        assert same(self.play(environment, 0), self.play(other, 0))

    def test_a_bad_action_is_refused_and_changes_nothing(self) -> None:
        environment, other = self.task.make(0), self.task.make(0)
        environment.reset(0)
        other.reset(0)
        size = self.task.action_size
        bad: list[Any] = [None, 'left']
        if self.task.discrete:
            bad += [-1, size, 0.5, float('nan'), np.zeros(2, int)]
        else:
            bad += [np.full(size, np.nan), np.full(size, np.inf), np.zeros(size + 1)]
        for action in bad:
            refuses(ValueError, environment, action)
        action = next(self.actions(0))
        assert same([environment.step(action)], [other.step(action)])

    def test_numpy_actions_are_actions(self) -> None:
        one, other = self.task.make(0), self.task.make(0)
        one.reset(0)
        other.reset(0)
        action = next(self.actions(0))
        converted = np.int64(action) if self.task.discrete else np.asarray(action, np.float64)
        assert same([one.step(action)], [other.step(converted)])

    def test_step_needs_a_reset_first_and_after_the_end(self) -> None:
        environment = self.task.make(0)
        action = next(self.actions(0))
        refuses(RuntimeError, environment, action)
        self.play(environment, 0)
        refuses(RuntimeError, environment, action)
        environment.reset(1)
        environment.step(action)

    def test_a_negative_seed_or_episode_is_refused(self) -> None:
        raises(ValueError, lambda: self.task.make(-1))
        environment = self.task.make(0)
        environment.reset(0)
        raises(ValueError, lambda: environment.reset(-1))
        refuses(RuntimeError, environment, next(self.actions(0)))


def same(one: list[Transition], other: list[Transition]) -> bool:
    """Whether two episodes are equal bit for bit."""
    return len(one) == len(other) and all(
        a[1:] == b[1:] and a[0].tobytes() == b[0].tobytes() for a, b in zip(one, other, strict=True)
    )


def refuses(kind: type[Exception], environment: Environment, action: Any) -> None:
    """Fail unless the step is refused with that exception."""
    raises(kind, lambda: environment.step(action))


def raises(kind: type[Exception], call: Callable[[], object]) -> None:
    """Fail unless the call raises that exception (pytest is no dependency of this package)."""
    try:
        call()
    except kind:
        return
    raise AssertionError(f'{kind.__name__} was not raised')
