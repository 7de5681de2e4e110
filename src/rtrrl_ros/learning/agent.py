"""The agent: acts on observations, learns from what came of it. Knows neither the world nor ROS.

Threading: none; one caller, which calls `act` then `learn` (or `skip`) for each observation.
"""

import contextlib
import copy
import dataclasses
import math
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from ..errors import UserError
from .aspiration import Aspiration
from .config import LearnerConfig
from .network import Network
from .policy import Policy
from .rtrrl import Rtrrl, Update
from .scaling import ObservationScale, RewardScale
from .td_network import make_td_network

NOTHING = Update(0.0, 0.0, updated=False, refused=False)


@dataclasses.dataclass
class Counters:
    """What happened so far."""

    steps: int = 0
    updates: int = 0
    refused: int = 0
    missed: int = 0
    rollbacks: int = 0


@dataclasses.dataclass(frozen=True)
class Snapshot:
    """What an agent has learned: parameters (P,) by role, and the scale of its observations."""

    parameters: dict[str, Tensor]
    observations: ObservationScale


class Agent:
    """A recurrent policy, and, if `learn`, what it learns in real time.

    Parameters
    ----------
    networks : 'actor' and 'critic' (which may be absent if nothing is learned), or, for
        `config.network = 'shared'`, 'actor' with one output more; their parameters stay the
        agent's
    policy : what the actor's output means
    observation_size : numbers in an observation; the networks take `input_size` of them
    learn : update the networks
    explore : sample actions (always the case when learning); otherwise the most likely is taken

    Attributes
    ----------
    resting : nothing is learned and the most likely actions are taken, for now
    """

    def __init__(
        self, networks: dict[str, Network], policy: Policy, config: LearnerConfig, *,
        observation_size: int, action_size: int, learn: bool, explore: bool,
    ) -> None:  # fmt: skip
        shared = config.network == 'shared'
        if learn and not shared and 'critic' not in networks:
            raise UserError('the model has no critic: pretrain it again to fine-tune it')
        self.networks, self.policy, self.config = networks, policy, config
        self.learning, self.explore = learn, explore or learn
        self.observation_size, self._action_size = observation_size, action_size
        self._check(shared)
        roles = ['actor'] if shared or not learn else ['actor', 'critic']
        td = {role: make_td_network(networks[role], config, role) for role in roles}
        self.rtrrl = Rtrrl(td['actor'], td.get('critic'), policy, config)
        self.pretrained = networks['actor'].flat.clone()
        self.observations = ObservationScale(observation_size)
        self.rewards = RewardScale(config.gamma)
        self.aspiration = Aspiration(config)
        self._try(self.aspiration.effort)
        self.counters = Counters()
        self.resting = False
        self._acted = False
        self._meta = np.zeros(networks['actor'].cell.input_size, np.float32)

    def _check(self, shared: bool) -> None:
        actor = self.networks['actor']
        expected = input_size(self.config, self.observation_size, self._action_size)
        if actor.cell.input_size != expected:
            raise UserError(
                f'the network takes {actor.cell.input_size} inputs, not {expected}: '
                'meta_inputs must be as in pretraining'
            )
        if actor.head_size != self.policy.head_size + shared:
            raise UserError(
                f'the actor has {actor.head_size} outputs, not {self.policy.head_size + shared}: '
                'network and exploration must be as in pretraining'
            )

    @property
    def training_actor(self) -> bool:
        """Whether the actor learns now."""
        return self._awake

    @property
    def _awake(self) -> bool:
        return self.learning and not self.resting

    def act(self, observation: np.ndarray, reward: float | None = None) -> np.ndarray | int | None:
        """The action for an observation (I,).

        `reward` is that of the transition into it if already known (it is an input if
        `meta_inputs`); otherwise the newest one learned from stands in.

        Returns None where no finite action exists: nothing must be carried out then. Numbers that
        are not finite leave the agent as it was; if its own state is not, that starts anew.
        """
        if observation.shape != (self.observation_size,):
            raise UserError(
                f'features of shape {observation.shape}: this model takes '
                f'({self.observation_size},); encoder and agent must load the same model'
            )
        self._acted = False
        if not math.isfinite(np.add.reduce(observation)):  # half the time of .sum()
            self.counters.refused += 1
            self.rtrrl.connected = False
            return None
        x = self._input(observation, reward)
        action = self.rtrrl.act(
            x, self.explore and not self.resting, with_trace=self._awake
        )  # fmt: skip
        if action is None:
            self.counters.refused += 1
            self.restart()
            return None
        self._acted = True
        if self.config.meta_inputs:
            self._remember(action)
        return action

    def _input(self, observation: np.ndarray, reward: float | None) -> np.ndarray:
        if self.config.normalize_observations:
            if self._awake:
                self.observations.learn(observation)
            observation = self.observations.apply(observation)
        if not self.config.meta_inputs:
            return observation
        if reward is not None:
            self._meta[-1] = reward
        self._meta[: self.observation_size] = observation
        return self._meta

    def _remember(self, action: np.ndarray | int) -> None:
        part = self._meta[self.observation_size : -1]
        if isinstance(action, np.ndarray):
            part[:] = action
        else:
            part[:] = 0.0
            part[action] = 1.0

    def learn(self, *, reward: float, first: bool, terminated: bool, executed: bool) -> Update:
        """Learn from the transition into the observation just acted on; see `Rtrrl.learn`.

        `executed` is False if the action before was overruled.
        """
        self.counters.steps += 1
        if self.config.meta_inputs and math.isfinite(reward):
            self._meta[-1] = reward
        if not self._awake or not self._acted:
            return NOTHING
        scaled = self.rewards.apply(reward, first) if self.config.scale_rewards else reward
        update = self.rtrrl.learn(
            reward=scaled, first=first, terminated=terminated, executed=executed,
            train_actor=self.training_actor,
        )  # fmt: skip
        if executed and not first and not terminated:  # a penalty tells not how well it drove
            self._try(self.aspiration.observe(reward))
        self.counters.updates += update.updated
        self.counters.refused += update.refused
        return update

    def _try(self, effort: float) -> None:
        """Explore and learn with this effort from now on."""
        if self.aspiration.present and self.learning:
            self.policy.effort = effort
            self.rtrrl.actor.scale_steps(effort)

    def skip(self) -> None:
        """A partner of the newest observation is missing: learn nothing from it."""
        self.counters.missed += 1
        self.rtrrl.cut()

    def restart(self) -> None:
        """Start a new sequence: recurrent states and traces to their initial values."""
        self.rtrrl.reset()
        self._meta[:] = 0.0

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """Nothing is learned and the most likely actions are taken until the block ends.

        A sequence of its own: before the block and after it everything starts anew.
        """
        before = self.learning, self.explore
        self.restart()
        self.learning = self.explore = False
        try:
            yield
        finally:
            self.learning, self.explore = before
            self.restart()

    def snapshot(self) -> Snapshot:
        """A copy of all that was learned."""
        flats = {role: network.flat.clone() for role, network in self.networks.items()}
        return Snapshot(flats, copy.deepcopy(self.observations))

    def restore(self, snapshot: Snapshot) -> None:
        """Go back to a snapshot; optimisers and sequences start anew."""
        for role, network in self.networks.items():
            network.flat.copy_(snapshot.parameters[role])
        self.observations = copy.deepcopy(snapshot.observations)
        self.rtrrl.reset_optimizers()
        self.restart()

    def drift(self) -> float:
        """||theta - theta_pre|| of the actor."""
        return float(torch.linalg.vector_norm(self.networks['actor'].flat - self.pretrained))


def input_size(config: LearnerConfig, observation_size: int, action_size: int) -> int:
    """How many inputs the recurrent network has for these observations and actions."""
    return observation_size + (action_size + 1 if config.meta_inputs else 0)
