"""One network under TD(lambda) in torch: slow, and easy to read. See `td_network.TdNetwork`.

theta <- origin + (1 - pull) (theta + step(delta, z) - origin), no further than `drift_limit`
z     <- decay z + gradient
"""

import dataclasses
import math

import numpy as np
import torch
from torch import Tensor

from ..cells.kernels import UpdateRule
from ..cells.kernels.network import LARGEST
from .network import Network
from .optimizers import make_optimizer


class ReferenceNetwork:
    """`TdNetwork` for every cell and precision; the parameters stay where `network` has them."""

    def __init__(
        self, network: Network, rule: UpdateRule, *, feedback: Tensor | None = None
    ) -> None:
        self.network, self.rule = network, rule
        self.flat = network.flat
        self.origin = network.flat.clone()
        self.eligibility = torch.zeros_like(network.flat)
        self._pull = rule.pull
        self.optimizer = make_optimizer(rule, network.flat.numel(), network.flat.dtype)
        self.finite = True
        self._feedback = None if feedback is None else feedback.to(network.flat.dtype)

    @property
    def state(self) -> Tensor:
        """The recurrent state, (state_size,)."""
        return self.network.state

    def step(self, x: np.ndarray, with_trace: bool = True) -> np.ndarray:
        """Advance by one input (input_size,)."""
        out = self.network.step(torch.as_tensor(x, dtype=self.flat.dtype), with_trace)
        self.finite = math.isfinite(float(out.sum() + self.network.state.sum()))
        return out.numpy()

    def ready(self, td_error: float) -> bool:
        """Whether `learn` can follow without a non-finite number."""
        return self.finite and abs(td_error) * self._norm() < LARGEST

    def learn(
        self, d_out: np.ndarray, td_error: float | None, bonus: np.ndarray | None = None
    ) -> bool:
        """Step the parameters, then add the newest gradient to the eligibility trace."""
        if not self.ready(td_error or 0.0):
            return False
        gradient = self._gradient(d_out)  # of the parameters that gave the newest output
        if td_error is not None:
            climb = None if bonus is None else self._gradient(bonus)
            self._move(self.rule.clipped(td_error, self._norm()), climb)
        self.eligibility.mul_(self.rule.decay).add_(gradient)
        if math.isfinite(self._norm()):
            return True
        self.cut()
        return False

    def _move(self, delta: float, bonus: Tensor | None) -> None:
        drift = self.flat + self.optimizer.step(delta, self.eligibility, bonus) - self.origin
        if self._pull:
            drift.mul_(1.0 - self._pull)
        norm = float(torch.linalg.vector_norm(drift))
        if norm > self.rule.drift_limit:
            drift.mul_(self.rule.drift_limit / norm)
        self.flat.copy_(drift.add_(self.origin))
        self.network.cell.project()

    def _gradient(self, d_out: np.ndarray) -> Tensor:
        cotangent = torch.as_tensor(d_out, dtype=self.flat.dtype)
        return self.network.gradient(cotangent, self._feedback)

    def _norm(self) -> float:
        return float(torch.linalg.vector_norm(self.eligibility))

    def reset(self) -> None:
        """Start a sequence: recurrent state and its trace to zero."""
        self.network.reset()
        self.finite = True

    def cut(self) -> None:
        """Zero the eligibility trace."""
        self.eligibility.zero_()

    def reset_optimizer(self) -> None:
        """Forget moments."""
        self.optimizer.reset()

    def tether(self, origin: Tensor, drift_limit: float) -> None:
        """Pull towards these parameters (P,) from now on, and go no further from them."""
        self.origin.copy_(origin)
        self.rule = dataclasses.replace(self.rule, drift_limit=drift_limit)

    def scale_steps(self, factor: float) -> None:
        """Multiply learning rate and pull, as they are in `rule`, by this factor (0, 1]."""
        self.optimizer.learning_rate = factor * self.rule.learning_rate
        self._pull = factor * self.rule.pull

    def drift(self) -> float:
        """||theta - origin||."""
        return float(torch.linalg.vector_norm(self.flat - self.origin))
