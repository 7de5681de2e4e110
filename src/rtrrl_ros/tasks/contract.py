"""What a task is: an environment behind the smallest face that a learner's loop needs.

    task = make_task('MemoryChain-8')
    environment = task.make(seed=0)
    observation = environment.reset(episode=0)
    observation, reward, terminated, truncated = environment.step(action)

One process, one thread, no rendering. The episodes of an environment are numbered. An episode is
determined by the seed and its number, bit for bit, whatever was played before. What a seed decides
for good (which action means what in DeepSea) is the same in all its episodes: so a policy is
evaluated on the seed that it was trained on, in episodes with other numbers.
"""

import abc
from collections.abc import Callable
from dataclasses import dataclass
from operator import index
from typing import Any

import numpy as np
from numpy.typing import NDArray

Observation = NDArray[np.float32]

#: What every task's score is; a task's own `score` says what its rewards are.
SCORE = 'mean over evaluation episodes of the sum of rewards, not discounted'


class Environment(abc.ABC):
    """An endless supply of numbered episodes.

    A new kind of environment says how an episode begins and goes on; this class counts the steps,
    ends the episode after `max_steps`, and refuses a step that no episode is there for.

    Parameters
    ----------
    seed
        At least 0; the same seed gives the same episodes.
    max_steps
        Steps after which an episode that has not terminated is truncated.
    """

    def __init__(self, seed: int, max_steps: int) -> None:
        self.seed = seed
        self.max_steps = max_steps
        self._left = 0

    def reset(self, episode: int) -> Observation:
        """Begin the episode of that number (at least 0) and return its first observation, (I,)."""
        self._left = 0
        observation = self._begin(np.random.default_rng((self.seed, episode)))
        self._left = self.max_steps
        return observation

    def step(self, action: Any) -> tuple[Observation, float, bool, bool]:
        """Act once.

        Parameters
        ----------
        action
            An integer in 0..A-1 where the task is discrete. Else A numbers, of which -1 and 1 are
            the ends of the task's range; what lies beyond them counts as -1 and 1, because a
            Gaussian policy has no ends.

        Returns
        -------
        observation
            (I,) float32, an array of its own that stays as it is.
        reward
            A float.
        terminated
            The episode is over, and no reward would follow.
        truncated
            The episode is cut; rewards would have followed. Never both.

        Raises
        ------
        ValueError
            The action is none of this task's; nothing has changed.
        RuntimeError
            No episode is under way: `reset` comes first.
        """
        if self._left == 0:
            raise RuntimeError('no episode is under way: call reset first')
        observation, reward, terminated, truncated = self._advance(action)
        self._left -= 1
        if terminated:
            self._left = 0
            return observation, reward, True, False
        if truncated or self._left == 0:
            self._left = 0
            return observation, reward, False, True
        return observation, reward, False, False

    @abc.abstractmethod
    def _begin(self, random: np.random.Generator) -> Observation:
        """Start an episode; all its chance comes from `random`."""

    @abc.abstractmethod
    def _advance(self, action: Any) -> tuple[Observation, float, bool, bool]:
        """Take one step; raise ValueError for a bad action before anything changes."""


@dataclass(frozen=True)
class Task:
    """An environment with what a learner and a table of results have to know of it."""

    name: str
    #: a new environment for a seed
    factory: Callable[[int], Environment]
    observation_size: int
    #: how many actions there are (discrete), or numbers in an action (continuous)
    action_size: int
    #: steps in the longest episode
    max_steps: int
    #: what the rewards are, in words
    score: str
    #: a score that no policy can exceed but by luck
    best: float
    discrete: bool = True
    #: whether the observation says nothing of the action it follows from, but a policy needs it:
    #: such a task wants the previous action among the learner's inputs
    needs_previous_action: bool = False

    def make(self, seed: int) -> Environment:
        """Make the environment of that seed, an integer of at least 0."""
        if index(seed) < 0:
            raise ValueError(f'the seed of a task is at least 0, not {seed}')
        return self.factory(index(seed))


def choice(action: Any, choices: int) -> int:
    """Turn a discrete action into an int, or raise ValueError where it is not in 0..choices-1."""
    try:
        chosen = index(action)
    except TypeError:
        chosen = -1
    if 0 <= chosen < choices:
        return chosen
    raise ValueError(f'{action!r} is not one of the actions 0..{choices - 1}')
