"""Rules that turn TD error x eligibility trace into a parameter step, on flat vectors.

The reference of `cells.kernels.td`, which does the same in one pass over memory.
"""

import abc

import torch
from torch import Tensor

from ..cells.kernels import UpdateRule


class Optimizer(abc.ABC):
    """`step(delta, z, bonus)` is the increment of the parameters.

    Ascent: z is a gradient of the log-likelihood or of the value, bonus one of the entropy. The
    learning rate may be changed between two steps.
    """

    learning_rate: float

    @abc.abstractmethod
    def step(self, delta: float, z: Tensor, bonus: Tensor | None = None) -> Tensor:
        """Increment (P,) for TD error `delta`, eligibility trace `z` (P,) and `bonus` (P,)."""

    def reset(self) -> None:
        """Forget moments (after a roll-back they belong to other weights)."""


def _ascent(delta: float, z: Tensor, bonus: Tensor | None) -> Tensor:
    return z * delta if bonus is None else z * delta + bonus


class Sgd(Optimizer):
    """lr * delta * z: TD(lambda) as written in 2602.02236."""

    def __init__(self, learning_rate: float) -> None:
        self.learning_rate = learning_rate

    def step(self, delta: float, z: Tensor, bonus: Tensor | None = None) -> Tensor:
        return _ascent(delta, z, bonus).mul_(self.learning_rate)


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

    def step(self, delta: float, z: Tensor, bonus: Tensor | None = None) -> Tensor:
        gradient = _ascent(delta, z, bonus)
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

    def step(self, delta: float, z: Tensor, bonus: Tensor | None = None) -> Tensor:
        alpha = self.learning_rate
        bound = alpha * self.kappa * max(abs(delta), 1.0) * float(z.abs().sum())
        return _ascent(delta, z, bonus).mul_(alpha / max(1.0, bound))


def make_optimizer(rule: UpdateRule, size: int, dtype: torch.dtype) -> Optimizer:
    """The optimiser of this rule for `size` parameters."""
    if rule.optimizer == 'sgd':
        return Sgd(rule.learning_rate)
    if rule.optimizer == 'obgd':
        return ObGd(rule.learning_rate, rule.kappa)
    return Adam(rule.learning_rate, size, dtype, rule.beta1, rule.beta2, rule.epsilon)
