"""The guard: keeps the best weights so far and goes back to them when driving gets worse.

2602.02236 leaves this to a human hand; a learner that is alone in the car cannot.
"""

import dataclasses

import torch
from torch import Tensor

from .config import LearnerConfig


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

    A lap is bad if its return is below baseline - margin x |baseline|. After `rollback_laps` bad
    laps in a row the actor returns to the snapshot of the best laps so far (at first the
    pretrained weights); after `max_rollbacks` it is frozen for good.
    """

    def __init__(self, config: LearnerConfig, pretrained: Tensor) -> None:
        self.config = config
        self.snapshot = pretrained.clone()
        self.start = pretrained.clone()  # of the running lap
        self.baseline_returns: list[float] = []
        self.best = -torch.inf
        self.bad_laps = 0
        self.rollbacks = 0
        self.frozen = False

    @property
    def baseline(self) -> float | None:
        """Mean return of the laps driven before the actor learned; None before the first."""
        returns = self.baseline_returns
        return sum(returns) / len(returns) if returns else None

    def end_lap(self, lap_return: float, trained: bool, weights: Tensor) -> Verdict:
        """Judge a finished lap. `trained`: the actor learned in it; `weights`: its newest (P,)."""
        start, self.start = self.start, weights.clone()
        if not trained or not self.baseline_returns:
            self.baseline_returns.append(lap_return)
            self.best = max(self.best, lap_return)
            return Verdict(frozen=self.frozen)
        baseline = self.baseline
        assert baseline is not None
        if lap_return >= baseline - self.config.rollback_margin * abs(baseline):
            self.bad_laps = 0
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
        return Verdict(self.snapshot, rolled_back=True, frozen=self.frozen)
