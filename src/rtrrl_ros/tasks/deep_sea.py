"""DeepSea: a treasure at the end of N right choices, each of which costs a little.

The definition is bsuite's (Osband et al. 2020, arXiv 1908.03568), without its wind. One falls
through an N x N grid from its upper left corner, a row per step and a column to the left or to the
right. Which of the two actions means right differs from place to place and is drawn once per seed,
so that no habit ("always 1") finds the treasure: a random policy does with probability 2^-N per
episode.

gymnax 0.0.8, with which the published numbers of arXiv 2311.04830 were made, leaves that draw out
unless there is wind: there, action 1 is right everywhere. `mapped=False` is that easier task.
"""

from typing import Any

import numpy as np

from .contract import Environment, Observation, choice

MOVE_COST = 0.01


class DeepSea(Environment):
    """Observation: one-hot of the place, row by row, (N * N,); zeros after the last step.

    A move to the right costs 0.01/N; moving right from the last column, which can be reached in the
    last row only, has the reward 1. Episodes of one seed are all alike.

    Parameters
    ----------
    seed
        At least 0; decides which action is right in each place.
    size
        N, at least 1.
    mapped
        Whether the meaning of the actions differs from place to place.
    """

    def __init__(self, seed: int, size: int = 16, mapped: bool = True) -> None:
        if size < 1:
            raise ValueError(f'the size of a deep sea is at least 1, not {size}')
        super().__init__(seed, size)
        self.size = size
        right = np.ones((size, size), dtype=int)
        if mapped:
            right = np.random.default_rng(seed).integers(2, size=(size, size))
        #: the action that moves right, by row and column
        self.right: list[list[int]] = right.tolist()
        self._row = self._column = 0

    def _begin(self, random: np.random.Generator) -> Observation:
        self._row = self._column = 0
        return self._observe()

    def _observe(self) -> Observation:
        observation = np.zeros(self.size * self.size, np.float32)
        if self._row < self.size:
            observation[self._row * self.size + self._column] = 1.0
        return observation

    def _advance(self, action: Any) -> tuple[Observation, float, bool, bool]:
        reward = 0.0
        last = self.size - 1
        if choice(action, 2) == self.right[self._row][self._column]:
            reward = (1.0 if self._column == last else 0.0) - MOVE_COST / self.size
            self._column = min(self._column + 1, last)
        else:
            self._column = max(self._column - 1, 0)
        self._row += 1
        return self._observe(), reward, self._row == self.size, False
