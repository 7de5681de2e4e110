"""The agent: acts on features, learns from what came of it. Knows neither the world nor ROS.

Threading: none; one caller, which calls `act` then `learn` (or `skip`) for each observation.
"""

import dataclasses

import numpy as np
import torch

from ..errors import UserError
from .config import LearnerConfig
from .guard import Guard
from .network import Network
from .policy import GaussianExploration, Sample
from .rtrrl import Rtrrl, Update


@dataclasses.dataclass
class Counters:
    """What happened so far."""

    steps: int = 0
    updates: int = 0
    refused: int = 0
    missed: int = 0
    rollbacks: int = 0


@dataclasses.dataclass(frozen=True)
class LapEnd:
    """The guard's decision at the end of a lap."""

    rolled_back: bool
    frozen: bool


class Agent:
    """A recurrent policy that drives, and, if `learn`, learns while it drives.

    Parameters
    ----------
    actor, critic : pretrained networks; the critic may be None if nothing is learned
    learn : update actor and critic
    explore : sample actions (always the case when learning); otherwise the mean is driven
    seed : of the exploration
    """

    def __init__(
        self, actor: Network, critic: Network | None, config: LearnerConfig, *,
        learn: bool, explore: bool, seed: int,
    ) -> None:  # fmt: skip
        if learn and critic is None:
            raise UserError('the model has no critic: pretrain it again to fine-tune it')
        self.actor, self.config = actor, config
        self.exploration = GaussianExploration(
            actor.head_size, config.exploration_std, config.exploration_correlation, seed
        )
        self.explore = explore or learn
        self.rtrrl = Rtrrl(actor, critic, config) if learn and critic is not None else None
        self.guard = Guard(config, actor.flat)
        self.counters = Counters()
        self.laps = 0
        self.lap_return = 0.0
        self._features = torch.zeros(actor.cell.input_size, dtype=actor.cell.dtype)
        self._sample: Sample | None = None

    @property
    def training_actor(self) -> bool:
        """Whether the actor learns in this lap."""
        warm = self.laps >= self.config.warmup_laps
        return self.rtrrl is not None and warm and not self.guard.frozen

    def act(self, features: np.ndarray) -> np.ndarray | None:
        """Sample the action (A,) float32, each in [-1, 1], for features (I,) float32.

        Returns None, and forgets the recurrent state, where no finite action exists: nothing is
        sent then, and the gate stops the car.
        """
        if features.shape != (self.actor.cell.input_size,):
            raise UserError(
                f'features of shape {features.shape}: this model takes '
                f'({self.actor.cell.input_size},); encoder and agent must load the same model'
            )
        self._features = torch.from_numpy(features).to(self.actor.cell.dtype)
        self._sample = None
        finite = bool(np.isfinite(features).all())
        if finite:
            mean = self.actor.step(self._features, with_trace=self.rtrrl is not None).numpy()
            finite = bool(np.isfinite(mean).all())
        if not finite:
            self.counters.refused += 1
            self.restart()
            return None
        if not self.explore:
            return np.clip(mean, -1.0, 1.0).astype(np.float32)
        self._sample = self.exploration.sample(mean)
        return np.clip(self._sample.action, -1.0, 1.0)

    def learn(
        self, *, reward: float, task_reward: float, first: bool, terminated: bool, executed: bool
    ) -> Update:
        """Learn from the transition into the observation just acted on; see `Rtrrl.learn`.

        `task_reward` is what the guard judges a lap by; `executed` is False if the action before
        was overruled.
        """
        self.counters.steps += 1
        self.lap_return += task_reward
        if self.rtrrl is None or self._sample is None:
            return Update(0.0, 0.0, updated=False, refused=False)
        update = self.rtrrl.learn(
            self._features,
            torch.from_numpy(self._sample.log_prob_gradient).to(self._features.dtype),
            reward=reward, first=first, terminated=terminated, executed=executed,
            train_actor=self.training_actor,
        )  # fmt: skip
        self.counters.updates += update.updated
        self.counters.refused += update.refused
        return update

    def skip(self) -> None:
        """A partner of the newest observation is missing: learn nothing from it."""
        self.counters.missed += 1
        if self.rtrrl is not None:
            self.rtrrl.cut()

    def end_lap(self) -> LapEnd:
        """After the last observation of a lap: let the guard judge it, start a new sequence."""
        rolled_back = False
        if self.rtrrl is not None:
            verdict = self.guard.end_lap(self.lap_return, self.training_actor, self.actor.flat)
            if verdict.weights is not None:
                self.actor.flat.copy_(verdict.weights)
                self.rtrrl.actor.optimizer.reset()
                rolled_back = True
                self.counters.rollbacks += 1
        self.laps += 1
        self.lap_return = 0.0
        self.restart()
        return LapEnd(rolled_back, self.guard.frozen)

    def restart(self) -> None:
        """Start a new sequence: recurrent states and traces to their initial values."""
        self.actor.reset()
        self.exploration.reset()
        if self.rtrrl is not None:
            self.rtrrl.critic.network.reset()
            self.rtrrl.cut()

    def drift(self) -> float:
        """||theta - theta_pre|| of the actor."""
        return self.rtrrl.actor.drift() if self.rtrrl is not None else 0.0
