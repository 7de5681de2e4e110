"""UmbrellaChain: only the first choice counts, and its reward comes last, behind noise.

The definition is that of umbrella_length in bsuite (Osband et al. 2020, arXiv 1908.03568). bsuite
adds 20 distractors; gymnax, with which the numbers of arXiv 2311.04830 were made, has none unless
it is told, and a chain of 10.
"""

from typing import Any

import numpy as np

from .contract import Environment, Observation, choice


class UmbrellaChain(Environment):
    """Observation: [umbrella needed, umbrella taken, 1 - t/N, distractors]; all but t are 0 or 1.

    The first action takes the umbrella (1) or leaves it (0); before it, "taken" is a coin toss. The
    last of the N steps has the reward 1 if taken equals needed and else -1. Each step before has
    the reward 1 or -1 by a coin toss, and each distractor is tossed anew in each step.

    Hence the expected return of the best policy is 1, but the spread of a single return is about
    sqrt(N): the best of many evaluations may well exceed 1.

    Parameters
    ----------
    seed
        At least 0.
    length
        N, at least 1.
    distractors
        How many components mean nothing.
    """

    def __init__(self, seed: int, length: int = 10, distractors: int = 0) -> None:
        if length < 1 or distractors < 0:
            raise ValueError(
                'an umbrella chain has a length of at least 1 and no negative number of '
                f'distractors, not {length} and {distractors}'
            )
        super().__init__(seed, length)
        self.distractors = distractors
        self._steps = self._needed = 0
        self._observations = np.zeros((0, 0), np.float32)
        self._noise: list[float] = []

    def _begin(self, random: np.random.Generator) -> Observation:
        length = self.max_steps
        bits = random.integers(2, size=length + 1 + (length + 1) * self.distractors)
        self._needed, taken = int(bits[0]), int(bits[1])
        self._noise = (2.0 * bits[2 : length + 1] - 1.0).tolist()
        self._observations = np.empty((length + 1, 3 + self.distractors), np.float32)
        self._observations[:, 0] = self._needed
        self._observations[:, 1] = taken
        self._observations[:, 2] = 1 - np.arange(length + 1) / length
        self._observations[:, 3:] = bits[length + 1 :].reshape(length + 1, self.distractors)
        self._steps = 0
        return self._observations[0].copy()

    def _advance(self, action: Any) -> tuple[Observation, float, bool, bool]:
        taken = choice(action, 2)
        if self._steps == 0:
            self._observations[1:, 1] = taken
        self._steps += 1
        observation = self._observations[self._steps].copy()
        if self._steps < self.max_steps:
            return observation, self._noise[self._steps - 1], False, False
        reward = 1.0 if observation[1] == self._needed else -1.0
        return observation, reward, True, False
