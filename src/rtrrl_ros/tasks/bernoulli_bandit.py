"""BernoulliBandit: two arms, of which one is good; find out which and stay with it.

After Wang et al. 2017 (arXiv 1611.05763), as in gymnax: one arm pays with probability 0.9 and the
other with 0.1. The published scores (about 890) are of episodes of 1,000 steps.
"""

from typing import Any

import numpy as np

from .contract import Environment, Observation, choice


class BernoulliBandit(Environment):
    """Observation: [last reward, one-hot of the last action, time from -1 to 1], (4,).

    The first observation has neither reward nor action, but zeros. (In gymnax it has action 0, and
    the time is scaled for 100 steps however many there are.) The reward is 0 or 1. An episode is
    truncated: the bandit would go on.

    Parameters
    ----------
    seed
        At least 0.
    steps
        The length of an episode.
    good
        How probably the better arm pays, in 0.5..1; the other one pays with 1 - good.
    """

    def __init__(self, seed: int, steps: int = 1000, good: float = 0.9) -> None:
        if steps < 1 or not 0.5 <= good <= 1.0:
            raise ValueError(
                f'a bandit needs a step and an arm that pays with 0.5..1, not {steps} and {good}'
            )
        super().__init__(seed, steps)
        self.good = good
        self._steps = 0
        self._pays: list[list[float]] = []

    def _begin(self, random: np.random.Generator) -> Observation:
        chances = np.full(2, 1.0 - self.good)
        chances[random.integers(2)] = self.good
        self._pays = (random.random((self.max_steps, 2)) < chances).astype(float).tolist()
        self._steps = 0
        return np.array((0.0, 0.0, 0.0, -1.0), np.float32)

    def _advance(self, action: Any) -> tuple[Observation, float, bool, bool]:
        arm = choice(action, 2)
        reward = self._pays[self._steps][arm]
        self._steps += 1
        time = 2.0 * self._steps / self.max_steps - 1.0
        return np.array((reward, 1.0 - arm, arm, time), np.float32), reward, False, False
