"""An agent that drives laps under the eyes of the guard."""

import dataclasses
from typing import Any

import torch
from torch import Tensor

from .agent import Agent
from .guard import Guard


@dataclasses.dataclass(frozen=True)
class LapEnd:
    """The guard's decision at the end of a lap."""

    rolled_back: bool
    frozen: bool


class GuardedAgent(Agent):
    """`Agent` with laps: a warm-up of the critic, and roll-back where driving gets worse."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """See `Agent`."""
        super().__init__(*arguments, **options)
        self.guard = Guard(self.config, self.networks['actor'].flat)
        self.laps = 0

    @property
    def training_actor(self) -> bool:
        """Whether the actor learns in this lap."""
        return self.learning and self.laps >= self.config.warmup_laps and not self.guard.frozen

    def end_lap(self, lap_return: float) -> LapEnd:
        """After the last observation of a lap: let the guard judge it, start a new sequence.

        lap_return : sum of the task's own reward
        """
        rolled_back = False
        if self.learning:
            weights = self.networks['actor'].flat
            verdict = self.guard.end_lap(lap_return, self.training_actor, weights)
            if verdict.weights is not None:
                weights.copy_(verdict.weights)
                self.rtrrl.actor.reset_optimizer()
                rolled_back = True
                self.counters.rollbacks += 1
            if verdict.improved and self.config.drift_anchor == 'best':
                self._anchor(self.guard.snapshot)
        self.laps += 1
        self.restart()
        return LapEnd(rolled_back, self.guard.frozen)

    def _anchor(self, weights: Tensor) -> None:
        """Hold the actor near these weights, no further from the pretrained ones than before."""
        left = self.config.drift_limit - float(torch.linalg.vector_norm(weights - self.pretrained))
        if left > 0.0:
            self.rtrrl.actor.tether(weights, left)
