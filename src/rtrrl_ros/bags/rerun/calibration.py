"""Does a critic promise what came? Predicted values against discounted recorded returns."""

import math
from typing import Any

import numpy as np

from ...imitation.critic import discounted_returns

BINS = 10
#: a return is known where no more than this share of it lies beyond what was recorded
UNSEEN = 0.05


class Returns:
    """Adds up rewards lap by lap.

    gamma : discount per step
    """

    def __init__(self, gamma: float) -> None:
        self._gamma = gamma
        self._lap: list[float] = []
        self._returns: list[np.ndarray] = []
        self._known: list[np.ndarray] = []

    def add(self, reward: float) -> None:
        """The reward of the transition into the next observation of the lap."""
        self._lap.append(reward)

    def end_lap(self, terminated: bool) -> None:
        """The lap is over; `terminated`: there was nothing more to come."""
        rewards = np.array(self._lap)
        horizon = 0
        if not terminated and self._gamma > 0.0:
            horizon = max(0, math.ceil(math.log(UNSEEN) / math.log(self._gamma)))
        known = np.arange(len(rewards)) < len(rewards) - horizon
        self._returns.append(discounted_returns(rewards, self._gamma))
        self._known.append(known)
        self._lap = []

    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """Return of every observation (T,) float64, and whether it is known (T,) bool."""
        if self._lap:
            self.end_lap(terminated=False)
        return np.concatenate(self._returns or [np.zeros(0)]), np.concatenate(
            self._known or [np.zeros(0, bool)]
        )


def calibration(values: np.ndarray, returns: np.ndarray) -> dict[str, Any] | None:
    """How predicted values (T,) compare with what came (T,); None without any.

    'bins' holds means of both for tenths of the observations, ordered by predicted value: on the
    diagonal, a value can be taken at its word.
    """
    finite = np.isfinite(values)
    values, returns = values[finite], returns[finite]
    if not len(values):
        return None
    error = values - returns
    spread = float(returns.var())
    varies = spread > 0.0 and float(values.var()) > 0.0
    order = np.argsort(values, kind='stable')
    parts = np.array_split(order, min(BINS, len(values)))
    return {
        'observations': len(values),
        'bias': float(error.mean()),
        'rmse': float(np.sqrt(np.mean(error**2))),
        'correlation': float(np.corrcoef(values, returns)[0, 1]) if varies else None,
        'explained_variance': 1.0 - float(error.var()) / spread if spread > 0.0 else None,
        'bins': [
            {
                'value': float(values[part].mean()), 'return': float(returns[part].mean()),
                'observations': len(part),
            }
            for part in parts
        ],
    }  # fmt: skip
