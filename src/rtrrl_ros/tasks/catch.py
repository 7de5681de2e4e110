"""Catch: a ball falls, a paddle at the bottom must be under it.

The definition is bsuite's (Osband et al. 2020, arXiv 1908.03568).
"""

from typing import Any

import numpy as np

from .contract import Environment, Observation, choice


class Catch(Environment):
    """Observation: the board, row by row, (rows * columns,), 1 where the ball or the paddle is.

    The ball starts in a random column of the uppermost row and falls by a row per step; the paddle
    starts in the middle of the lowest row and goes left (0), stays (1) or goes right (2). When the
    ball arrives, the reward is 1 if the paddle is in its column and else -1.

    Parameters
    ----------
    seed
        At least 0.
    rows, columns
        The size of the board; at least 2 rows and 1 column.
    """

    def __init__(self, seed: int, rows: int = 10, columns: int = 5) -> None:
        if rows < 2 or columns < 1:
            raise ValueError(f'a board has at least 2 rows and 1 column, not {rows} and {columns}')
        super().__init__(seed, rows - 1)
        self.rows, self.columns = rows, columns
        self._ball = self._paddle = self._height = 0

    def _begin(self, random: np.random.Generator) -> Observation:
        self._ball = int(random.integers(self.columns))
        self._paddle, self._height = self.columns // 2, 0
        return self._observe()

    def _observe(self) -> Observation:
        board = np.zeros(self.rows * self.columns, np.float32)
        board[self._height * self.columns + self._ball] = 1.0
        board[(self.rows - 1) * self.columns + self._paddle] = 1.0
        return board

    def _advance(self, action: Any) -> tuple[Observation, float, bool, bool]:
        self._paddle = min(max(self._paddle + choice(action, 3) - 1, 0), self.columns - 1)
        self._height += 1
        if self._height < self.rows - 1:
            return self._observe(), 0.0, False, False
        return self._observe(), 1.0 if self._paddle == self._ball else -1.0, True, False
