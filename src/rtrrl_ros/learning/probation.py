"""Probation: learning must pay. Where it does not, the weights from before drive on alone.

Where a policy has next to nothing to gain, noise and random steps still cost something, and go on
doing so. So learning is on probation for its first laps. If the second half of them was not clearly
better than the first, the weights from before come back, and the agent rests: it drives them as if
it were frozen, without noise. Lap returns scatter; clearly better is, as on a control chart of
individual values (Shewhart), a rise of the mean by three standard errors, the deviation of a lap
being estimated from the moving range, which a trend hardly disturbs:

    deviation = mean |return of a lap - return of the lap before| / 1.128

The chart overlooks what was learned within the first lap or two, so the weights from before are on
trial as well, in half as many laps: if these are clearly worse than the last ones of the probation,
or bad by the margin of the guard, what was learned comes back, and has paid. Until then it is also
what a run that ends should save. If laps become bad later, something has changed: learning is on
probation again.
"""

import itertools
import statistics
from collections.abc import Sequence

from torch import Tensor

from .config import LearnerConfig

#: standard errors that a rise must have
CLEAR = 3.0
#: mean moving range of two normal values, in standard deviations (d2 of control charts)
MOVING_RANGE = 1.128


class Probation:
    """Judges the laps in which the actor learned, and those at rest, by their return.

    Attributes
    ----------
    before : (P,) weights with which the probation began
    resting : those drive, and nothing is learned
    over : learning has paid; it is not judged any more
    contested : (P,) what was learned, while the weights from before drive on trial; or None
    """

    def __init__(self, config: LearnerConfig, weights: Tensor) -> None:
        self.config = config
        self.before = weights.clone()
        self.contested: Tensor | None = None
        self.resting = False
        self.over = config.probation_laps == 0
        self._returns: list[float] = []  # of the probation
        self._rest: list[float] = []
        self._bad_laps = 0

    def end_lap(self, lap_return: float, weights: Tensor) -> Tensor | None:
        """Judge a lap. `weights`: the newest (P,); returns others to go on with, where there are.

        Laps in which the actor stood still for other reasons than this rest are not to be told.
        """
        if self.resting:
            return self._end_rest(lap_return)
        if self.over:
            return None
        self._returns.append(lap_return)
        if len(self._returns) < self.config.probation_laps:
            return None
        if clearly_better(self._returns):
            self.over = True
            return None
        self.resting, self._bad_laps = True, 0
        self._rest, self.contested = [], weights.clone()
        return self.before

    def _end_rest(self, lap_return: float) -> Tensor | None:
        reference = statistics.fmean(self._returns)
        trial_laps = len(self._returns) // 2
        learned = self.contested
        self._rest.append(lap_return)
        bad = lap_return < reference - self.config.rollback_margin * abs(reference)
        self._bad_laps = self._bad_laps + 1 if bad else 0
        got_worse = self._bad_laps >= self.config.rollback_laps
        if len(self._rest) == trial_laps:
            got_worse |= clearly_better([*self._rest, *self._returns[-trial_laps:]])
        if got_worse or len(self._rest) == trial_laps:
            self.contested = None
        if not got_worse:
            return None
        self.resting = False
        self.over = learned is not None
        if not self.over:
            self._returns.clear()
        return learned


def clearly_better(returns: Sequence[float]) -> bool:
    """Whether the second half of these laps, at least four, was better than chance explains."""
    half = len(returns) // 2
    first, second = returns[:half], returns[len(returns) - half :]
    moves = [abs(b - a) for a, b in itertools.pairwise(returns)]
    deviation = statistics.fmean(moves) / MOVING_RANGE
    standard_error = deviation * (2.0 / half) ** 0.5
    return statistics.fmean(second) - statistics.fmean(first) > CLEAR * standard_error
