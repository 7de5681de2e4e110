"""The guard: keeps the best weights so far and goes back to them when driving gets worse.

2602.02236 leaves this to a human hand; a learner that is alone in the car cannot.
"""

import dataclasses

import torch
from torch import Tensor

from .config import LearnerConfig

#: share by which a further lap from the snapshot on corrects what the snapshot is worth
CORRECTION = 0.25


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What the guard decided at the end of a lap."""

    weights: Tensor | None = None  # roll back to these, (P,)
    improved: bool = False  # the best lap so far: there is a new snapshot
    rolled_back: bool = False
    frozen: bool = False


class Guard:
    """Judges laps by their return; laps in which the actor stood still set the baseline.

    Where there are none, the first lap does.

    A lap is bad if its return is below reference - margin x |reference|. After `rollback_laps` bad
    laps in a row the actor returns to the snapshot of the best laps so far (at first the
    pretrained weights).

    The reference is the baseline, and the actor is frozen for good after `max_rollbacks`. Or it is
    what the snapshot is worth: the best return so far, corrected by every further lap that is
    driven from the snapshot on, so that neither a lucky lap nor a world that has changed since
    holds the learner up. To go back is then part of learning, and `max_rollbacks` counts those in
    a row.
    """

    def __init__(self, config: LearnerConfig, pretrained: Tensor) -> None:
        self.config = config
        self.snapshot = pretrained.clone()
        self.start = pretrained.clone()  # of the running lap
        self.baseline_returns: list[float] = []
        self.best = -torch.inf  # what the snapshot is worth
        self.bad_laps = 0
        self.rollbacks = 0
        self.frozen = False
        self._returned = False  # is this lap driven from the snapshot on?

    @property
    def baseline(self) -> float | None:
        """Mean return of the laps driven before the actor learned; None before the first."""
        returns = self.baseline_returns
        return sum(returns) / len(returns) if returns else None

    @property
    def _against_best(self) -> bool:
        return self.config.rollback_reference == 'best'

    def end_lap(self, lap_return: float, trained: bool, weights: Tensor) -> Verdict:
        """Judge a finished lap. `trained`: the actor learned in it; `weights`: its newest (P,)."""
        start, self.start = self.start, weights.clone()
        returned, self._returned = self._returned, False
        baseline = self.baseline
        if not trained or baseline is None:
            self.baseline_returns.append(lap_return)
            self.best = max(self.best, lap_return)
            return Verdict(frozen=self.frozen)
        if self._against_best and returned and lap_return < self.best:
            self.best += CORRECTION * (lap_return - self.best)
        reference = self.best if self._against_best else baseline
        if lap_return >= reference - self.config.rollback_margin * abs(reference):
            self.bad_laps = 0
            if self._against_best:
                self.rollbacks = 0
            improved = lap_return > self.best
            if improved:
                # the lap was driven from `start` on; its end weights were never tried as a whole
                self.best, self.snapshot = lap_return, start
            return Verdict(improved=improved, frozen=self.frozen)
        self.bad_laps += 1
        if not self.config.guard or self.bad_laps < self.config.rollback_laps:
            return Verdict(frozen=self.frozen)
        self.bad_laps = 0
        self.rollbacks += 1
        self.frozen = self.rollbacks >= self.config.max_rollbacks
        self.start = self.snapshot.clone()
        self._returned = True
        return Verdict(self.snapshot, rolled_back=True, frozen=self.frozen)
