"""MemoryChain: one bit is shown at the start and asked for at the end.

The definition is that of memory_len in bsuite (Osband et al. 2020, arXiv 1908.03568), with one bit.
Its time line has a trait that is easily missed: the observation that follows the first action is
that of t = 0 once more. So an episode of MemoryChain-N has N + 1 actions, the bit is seen before
the first and before the second, and the last action, N - 1 steps later, is the answer. gymnax, with
which the published numbers were made, does the same. `shown_once` leaves the repetition out.
"""

from typing import Any

import numpy as np

from .contract import Environment, Observation, choice


class MemoryChain(Environment):
    """Observation at t: [1 - t/N, query, context]; the context is 0 except at t = 0.

    The query, the number of the bit that is asked for, is always 0: there is but one bit. Every
    action except the last has no effect and no reward; the last has the reward 1 if it is 1 for the
    context +1 or 0 for the context -1, and else the reward -1.

    Parameters
    ----------
    seed
        At least 0.
    length
        N, at least 1.
    shown_once
        Whether the observation of t = 0 is given once, and an episode has N actions.
    """

    def __init__(self, seed: int, length: int, shown_once: bool = False) -> None:
        if length < 1:
            raise ValueError(f'the length of a memory chain is at least 1, not {length}')
        actions = length if shown_once else length + 1
        super().__init__(seed, actions)
        times = np.arange(length + 1)
        if not shown_once:
            times = np.concatenate(([0], times))
        seen = np.zeros((2, times.size, 3))
        seen[:, :, 0] = 1 - times / length
        seen[0, :, 2], seen[1, :, 2] = -1.0 * (times == 0), 1.0 * (times == 0)
        self._shown = [list(row) for row in seen.astype(np.float32)]
        self._last = actions
        self._steps = self._context = 0

    def _begin(self, random: np.random.Generator) -> Observation:
        self._steps = 0
        self._context = int(random.integers(2))
        return self._shown[self._context][0].copy()

    def _advance(self, action: Any) -> tuple[Observation, float, bool, bool]:
        answer = choice(action, 2)
        self._steps += 1
        observation = self._shown[self._context][self._steps].copy()
        if self._steps < self._last:
            return observation, 0.0, False, False
        return observation, 1.0 if answer == self._context else -1.0, True, False
