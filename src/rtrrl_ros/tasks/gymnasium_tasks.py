"""An environment of gymnasium behind the face of a task."""

from collections.abc import Callable, Sequence
from typing import Any

import gymnasium
import numpy as np

from .contract import Environment, Observation
from .spaces import actor, flattener


class GymnasiumTask(Environment):
    """Takes gymnasium's bare environment: this class counts the steps, and no wrapper checks them.

    Parameters
    ----------
    seed
        At least 0.
    make
        Makes the environment.
    max_steps
        The length of the longest episode.
    kept
        Indices of the components of the flattened observation that are seen; all by default.
    """

    def __init__(
        self,
        seed: int,
        make: Callable[[], gymnasium.Env],
        max_steps: int,
        kept: Sequence[int] | None = None,
    ) -> None:
        super().__init__(seed, max_steps)
        self._env = make().unwrapped
        _, self._flatten = flattener(self._env.observation_space, kept)
        _, _, self._act = actor(self._env.action_space)

    def _begin(self, random: np.random.Generator) -> Observation:
        observation, _ = self._env.reset(seed=int(random.integers(2**31)))
        return self._flatten(observation)

    def _advance(self, action: Any) -> tuple[Observation, float, bool, bool]:
        observation, reward, terminated, truncated, _ = self._env.step(self._act(action))
        return self._flatten(observation), float(reward), bool(terminated), bool(truncated)
