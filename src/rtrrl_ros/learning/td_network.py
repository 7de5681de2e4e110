"""One network under TD(lambda): the face that the compiled and the reference form share."""

import math
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from ..cells.kernels import FusedNetwork, UpdateRule, has_kernels
from .config import LearnerConfig
from .network import Network
from .reference import ReferenceNetwork

#: kappa of the actor and of the critic in arXiv 2410.14606
OBGD_KAPPA = {'actor': 3.0, 'critic': 2.0}


class TdNetwork(Protocol):
    """Forward step, trace, eligibility trace, optimiser and tether of one network.

    Attributes
    ----------
    flat, origin, eligibility : (P,); who writes to the first two calls `reset_optimizer`
    finite : were state and output of the newest step finite? If not: `reset` before the next
    """

    rule: UpdateRule
    flat: Tensor
    origin: Tensor
    eligibility: Tensor
    finite: bool

    def step(self, x: np.ndarray, with_trace: bool = True) -> np.ndarray:
        """Advance by one input (input_size,); returns the output (head_size,)."""

    def ready(self, td_error: float) -> bool:
        """Whether `learn` can follow without a non-finite number."""

    def learn(
        self, d_out: np.ndarray, td_error: float | None, bonus: np.ndarray | None = None
    ) -> bool:
        """Step the parameters by `td_error` (None: do not), then add the gradient to the trace.

        `d_out` and `bonus` are cotangents (head_size,) of the newest output. False: refused.
        """

    def reset(self) -> None:
        """Start a sequence: recurrent state and its trace to zero."""

    def cut(self) -> None:
        """Zero the eligibility trace."""

    def reset_optimizer(self) -> None:
        """Forget moments."""

    def tether(self, origin: Tensor, drift_limit: float) -> None:
        """Pull towards these parameters (P,) from now on, and go no further from them."""

    def scale_steps(self, factor: float) -> None:
        """Multiply learning rate and pull, as they are in `rule`, by this factor (0, 1]."""

    def drift(self) -> float:
        """||theta - origin||."""


def update_rule(config: LearnerConfig, role: str) -> UpdateRule:
    """The rule of the network with this role: 'actor' (a shared network as well) or 'critic'."""
    actor = role == 'actor'
    rate = config.actor_learning_rate if actor else config.critic_learning_rate
    return UpdateRule(
        optimizer=config.optimizer,
        learning_rate=rate,
        decay=config.gamma * (config.lambda_actor if actor else config.lambda_critic),
        beta1=config.adam_beta1,
        beta2=config.adam_beta2,
        epsilon=config.adam_epsilon,
        pull=rate * config.drift_penalty if actor else 0.0,
        drift_limit=config.drift_limit if actor else math.inf,
        kappa=OBGD_KAPPA[role],
        gradient_clip=config.gradient_clip or math.inf,
    )


def make_td_network(network: Network, config: LearnerConfig, role: str) -> TdNetwork:
    """Put a network under TD(lambda); its parameters from now on live in what is returned."""
    rule = update_rule(config, role)
    feedback = None
    if config.feedback == 'random':
        shape = network.parameters['head.weight'].shape
        generator = torch.Generator().manual_seed(config.feedback_seed)
        bound = 1.0 / math.sqrt(shape[1])
        feedback = torch.empty(shape, dtype=network.cell.dtype)
        feedback.uniform_(-bound, bound, generator=generator)
    compiled = config.backend != 'reference' and has_kernels(network.cell)
    if not compiled and config.backend != 'fused':
        return ReferenceNetwork(network, rule, feedback=feedback)
    bonus = role == 'actor' and config.entropy_coefficient > 0.0
    fused = FusedNetwork(
        network.cell, network.head_size, network.flat, rule, feedback=feedback, bonus=bonus
    )
    network.bind(fused.flat)
    return fused
