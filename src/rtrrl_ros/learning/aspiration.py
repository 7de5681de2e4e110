"""How much is left to gain: the less it is, the less is explored and learned.

Noise costs as much on a car that drives well as on one that does not, but only the latter learns
much from it; and Adam makes steps of the same length whether there is something to learn or not.
So both shrink with what the newest rewards lack of an aspiration level, as in satisficing choice
(Simon, "A behavioral model of rational choice", 1955), and grow again when something changes:

    effort = clip((aspiration - mean reward) / band, floor, 1)

The mean is exponential, over `aspiration_memory` decisions, and begins at the aspiration.
"""

import math

from .config import LearnerConfig


class Aspiration:
    """Effort of exploration and learning, from the rewards of single decisions.

    Attributes
    ----------
    effort : factor on the deviation of actions and on the actor's learning rate; 1 where there is
        no aspiration
    """

    def __init__(self, config: LearnerConfig) -> None:
        self._level, self._band = config.aspiration_reward, config.aspiration_band
        self._floor, self._share = config.aspiration_floor, 1.0 / config.aspiration_memory
        self._mean = self._level
        self.effort = self._floor if self.present else 1.0

    @property
    def present(self) -> bool:
        return self._band > 0.0

    def observe(self, reward: float) -> float:
        """Take a reward into account, if it is finite; returns the effort from now on."""
        if self.present and math.isfinite(reward):
            self._mean += self._share * (reward - self._mean)
            shortfall = (self._level - self._mean) / self._band
            self.effort = min(max(shortfall, self._floor), 1.0)
        return self.effort
