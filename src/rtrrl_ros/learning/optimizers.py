"""Rules that turn TD error x eligibility trace into a parameter step, on flat vectors."""

import abc

import torch
from torch import Tensor

from .config import LearnerConfig


class Optimizer(abc.ABC):
    """`step(delta, z)` is the increment of the parameters.

    Ascent: z is a gradient of the log-likelihood or of the value.
    """

    @abc.abstractmethod
    def step(self, delta: float, z: Tensor) -> Tensor:
        """Increment (P,) for TD error `delta` and eligibility trace `z` (P,)."""

    def reset(self) -> None:
        """Forget moments (after a roll-back they belong to other weights)."""


class Sgd(Optimizer):
    """lr * delta * z: TD(lambda) as written in 2602.02236."""

    def __init__(self, learning_rate: float) -> None:
        self.learning_rate = learning_rate

    def step(self, delta: float, z: Tensor) -> Tensor:
        return z * (self.learning_rate * delta)


class Adam(Optimizer):
    """Adam (Kingma & Ba 2015) on the stochastic gradient delta * z."""

    def __init__(
        self, learning_rate: float, size: int, dtype: torch.dtype,
        beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8,
    ) -> None:  # fmt: skip
        self.learning_rate, self.beta1, self.beta2 = learning_rate, beta1, beta2
        self.epsilon = epsilon
        self.first = torch.zeros(size, dtype=dtype)
        self.second = torch.zeros(size, dtype=dtype)
        self.count = 0

    def reset(self) -> None:
        self.first.zero_()
        self.second.zero_()
        self.count = 0

    def step(self, delta: float, z: Tensor) -> Tensor:
        gradient = z * delta
        self.count += 1
        self.first.lerp_(gradient, 1 - self.beta1)
        self.second.mul_(self.beta2).addcmul_(gradient, gradient, value=1 - self.beta2)
        correction1 = 1 - self.beta1**self.count
        correction2 = 1 - self.beta2**self.count
        denominator = (self.second / correction2).sqrt_().add_(self.epsilon)
        return (self.first / denominator).mul_(self.learning_rate / correction1)


class ObGd(Optimizer):
    """Overshooting-bounded gradient descent (arXiv 2410.14606): no step overshoots its target.

    M = alpha * kappa * max(|delta|, 1) * ||z||_1; step = alpha / max(1, M) * delta * z.
    """

    def __init__(self, learning_rate: float, kappa: float) -> None:
        self.learning_rate, self.kappa = learning_rate, kappa

    def step(self, delta: float, z: Tensor) -> Tensor:
        alpha = self.learning_rate
        bound = alpha * self.kappa * max(abs(delta), 1.0) * float(z.abs().sum())
        return z * (alpha / max(1.0, bound) * delta)


#: kappa of the actor and of the critic in arXiv 2410.14606
OBGD_KAPPA = {'actor': 3.0, 'critic': 2.0}


def make_optimizer(config: LearnerConfig, role: str, size: int, dtype: torch.dtype) -> Optimizer:
    """The configured optimiser for the network with this role: 'actor' or 'critic'."""
    rate = config.actor_learning_rate if role == 'actor' else config.critic_learning_rate
    if config.optimizer == 'sgd':
        return Sgd(rate)
    if config.optimizer == 'obgd':
        return ObGd(rate, OBGD_KAPPA[role])
    return Adam(rate, size, dtype, config.adam_beta1, config.adam_beta2, config.adam_epsilon)
