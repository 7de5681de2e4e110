"""An agent that drives laps under the eyes of the guard, and on probation."""

import dataclasses
from typing import Any

import torch
from torch import Tensor

from .agent import Agent
from .guard import Guard
from .probation import Probation


@dataclasses.dataclass(frozen=True)
class LapEnd:
    """What was decided at the end of a lap.

    Attributes
    ----------
    rolled_back : the actor went back to other weights
    frozen : by the guard, for good
    note : what happened, for people; empty where nothing did
    """

    rolled_back: bool
    frozen: bool
    note: str = ''


class GuardedAgent(Agent):
    """`Agent` with laps: a warm-up of the critic, and roll-back where driving gets worse.

    It rests, which is to drive as one that only drives, while learning has not paid (`Probation`),
    and for good once the guard has frozen it: noise from which nothing is learned only costs.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """See `Agent`."""
        super().__init__(*arguments, **options)
        self.guard = Guard(self.config, self.networks['actor'].flat)
        self.probation = Probation(self.config, self.networks['actor'].flat)
        self.laps = 0

    @property
    def training_actor(self) -> bool:
        """Whether the actor learns in this lap."""
        return self._awake and self.laps >= self.config.warmup_laps and not self.guard.frozen

    @property
    def worth_saving(self) -> Tensor:
        """Weights of the actor (P,): those that drive, or those learned while these are on trial.

        Whoever stops while it is open which are better wants what the laps so far were driven for.
        """
        learned = self.probation.contested
        return self.networks['actor'].flat if learned is None else learned

    def end_lap(self, lap_return: float) -> LapEnd:
        """After the last observation of a lap: let it be judged, start a new sequence.

        lap_return : sum of the task's own reward
        """
        rollbacks, notes = self.counters.rollbacks, []
        if self.learning and not self.guard.frozen:
            trained, rested = self.training_actor, self.resting
            if not rested:
                notes.append(self._judge_lap(lap_return, trained))
            if (trained or rested) and not self.guard.frozen:
                notes.append(self._judge_learning(lap_return))
            self.resting = self.probation.resting or self.guard.frozen
        self.laps += 1
        self.restart()
        rolled_back = self.counters.rollbacks > rollbacks
        return LapEnd(rolled_back, self.guard.frozen, '; '.join(filter(None, notes)))

    def _judge_lap(self, lap_return: float, trained: bool) -> str:
        verdict = self.guard.end_lap(lap_return, trained, self.networks['actor'].flat)
        if verdict.improved and self.config.drift_anchor == 'best':
            self._anchor(self.guard.snapshot)
        if verdict.weights is None:
            return ''
        self._go_back(verdict.weights)
        frozen = ', for good, without noise' if self.guard.frozen else ''
        return f'rolled back to the best weights so far{frozen}'

    def _judge_learning(self, lap_return: float) -> str:
        rested, weights = self.probation.resting, self.networks['actor'].flat
        others = self.probation.end_lap(lap_return, weights)
        if others is not None:
            self._go_back(others)
        if self.probation.resting == rested:
            return ''
        if self.probation.resting:
            return 'learning has not paid: the weights from before drive on, without noise'
        if self.probation.over:
            return 'learning has paid after all: back to what was learned'
        # what laps were worth before the change says nothing about those to come
        self.guard = Guard(self.config, weights)
        if self.config.drift_anchor == 'best':
            self._anchor(weights)
        return 'driving got worse: it learns again'

    def _go_back(self, weights: Tensor) -> None:
        self.networks['actor'].flat.copy_(weights)
        self.rtrrl.actor.reset_optimizer()
        self.counters.rollbacks += 1

    def _anchor(self, weights: Tensor) -> None:
        """Hold the actor near these weights, no further from the pretrained ones than before."""
        left = self.config.drift_limit - float(torch.linalg.vector_norm(weights - self.pretrained))
        if left > 0.0:
            self.rtrrl.actor.tether(weights, left)
