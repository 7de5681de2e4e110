"""Running scales of observations and rewards, for tasks whose units nobody has tuned.

Source: arXiv 2410.14606, algorithms 4 to 6 (Welford's update of mean and variance).
"""

import math

import numpy as np

EPSILON = 1e-8
#: A normalised observation is limited to this many deviations.
LIMIT = 10.0


class ObservationScale:
    """(x - mean) / deviation with the mean and deviation of all observations so far.

    What it learned belongs to the model: evaluation uses the same numbers, standing still.
    """

    def __init__(self, size: int) -> None:
        self.count = 0
        self.mean = np.zeros(size)
        self.spread = np.zeros(size)  # sum of squared distances from the mean

    def learn(self, x: np.ndarray) -> None:
        """Take a finite observation (I,) into account."""
        self.count += 1
        distance = x - self.mean
        self.mean += distance / self.count
        self.spread += distance * (x - self.mean)

    def apply(self, x: np.ndarray) -> np.ndarray:
        """The normalised observation (I,) float32; as it is until two have been seen."""
        if self.count < 2:
            return x.astype(np.float32)
        deviation = np.sqrt(self.spread / (self.count - 1) + EPSILON)
        return ((x - self.mean) / deviation).clip(-LIMIT, LIMIT).astype(np.float32)


class RewardScale:
    """r / deviation of the discounted return; the mean stays, since its sign means something."""

    def __init__(self, gamma: float) -> None:
        self.gamma = gamma
        self.count, self.mean, self.spread = 0, 0.0, 0.0
        self._return = 0.0

    def apply(self, reward: float, first: bool) -> float:
        """The scaled reward of a transition; `first`: there was none, an episode starts."""
        if first or not math.isfinite(reward):
            self._return = 0.0
            return reward
        self._return = self.gamma * self._return + reward
        self.count += 1
        distance = self._return - self.mean
        self.mean += distance / self.count
        self.spread += distance * (self._return - self.mean)
        if self.count < 2:
            return reward
        return reward / math.sqrt(self.spread / (self.count - 1) + EPSILON)
