"""CT-RNN: the continuous-time recurrent network, fully connected, with learned time constants.

Gradients: 'rtrl', exact and dense, O(n^4) a step (Williams & Zipser 1989); or 'rflo', which drops
the influence that goes through other units, O(n (n + I)) a step (Murray 2019). RFLO is exact for
one step and an approximation from then on; `reference.gradient_cosine` measures it.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from ..errors import UserError
from .contract import Cell, Trace, check_number

GRADIENTS = ('rtrl', 'rflo')


class _Forward(NamedTuple):
    """One step and what its derivative needs; shapes (..., n), xi: (..., I + n + 1)."""

    new: Tensor  # h'
    xi: Tensor  # [x; h; 1]
    activation: Tensor  # tanh(W xi)
    rate: Tensor  # dt / tau


class CTRNN(Cell):
    """Continuous-time recurrent network, y = h.

        h' = h + dt (tanh(W [x; h; 1]) - h) / tau

    Parameters: W of shape (n, I + n + 1), its columns in the order [x; h; 1]; tau of shape (n,),
    at least 1 (`project`).

    Trace: 'rtrl': 'W' (n, n, I + n + 1) and 'tau' (n, n), entry [k, i, ...] is dh_k / d(row i).
    'rflo': 'W' (n, I + n + 1) and 'tau' (n,), the entries with k = i only.
    """

    name = 'ctrnn'

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        seed: int,
        dtype: torch.dtype = torch.float32,
        *,
        gradient: str = 'rflo',
        dt: float = 1.0,
    ) -> None:
        """Draw W from N(0, 1 / (I + n + 1)) and tau from U(1, 5).

        Parameters
        ----------
        gradient : 'rflo' or 'rtrl'
        dt : length of the Euler step in the unit of tau, in (0, 1]
        """
        if gradient not in GRADIENTS:
            raise UserError(f'gradient = {gradient!r}: must be one of {", ".join(GRADIENTS)}')
        super().__init__(input_size, hidden_size, dtype)
        self.options = {'gradient': gradient, 'dt': dt}
        self.gradient = gradient
        self.exact = gradient == 'rtrl'
        self.dt = check_number('dt', dt, 0.0, 1.0)
        generator = torch.Generator().manual_seed(seed)
        columns = input_size + hidden_size + 1
        normal = torch.randn(hidden_size, columns, generator=generator, dtype=torch.float64)
        uniform = torch.rand(hidden_size, generator=generator, dtype=torch.float64)
        self._set_parameters({'W': normal / math.sqrt(columns), 'tau': 1.0 + 4.0 * uniform})

    def initial_trace(self) -> Trace:
        n, columns = self.hidden_size, self.input_size + self.hidden_size + 1
        influenced = (n,) if self.exact else ()
        return {
            'W': torch.zeros(*influenced, n, columns, dtype=self.dtype),
            'tau': torch.zeros(*influenced, n, dtype=self.dtype),
        }

    def _forward(self, x: Tensor, h: Tensor) -> _Forward:
        weights, tau = self._parameters['W'], self._parameters['tau']
        xi = torch.cat((x, h, torch.ones_like(h[..., :1])), dim=-1)
        activation = torch.tanh(xi @ weights.T)
        rate = self.dt / tau
        return _Forward(h + rate * (activation - h), xi, activation, rate)

    def step(
        self, x: Tensor, state: Tensor, trace: Trace | None = None
    ) -> tuple[Tensor, Trace | None]:
        if trace is None:
            return self._forward(x, state).new, None
        with torch.no_grad():
            forward = self._forward(x, state)
            follow = self._next_exact_trace if self.exact else self._next_local_trace
            return forward.new, follow(state, forward, trace)

    def _immediate(self, h: Tensor, forward: _Forward) -> tuple[Tensor, Tensor, Tensor]:
        """dh'_i/du_i (n,), dh'_i/dW_i (n, I + n + 1) and dh'_i/dtau_i (n,), all at fixed h."""
        _, xi, activation, rate = forward
        slope = rate * (1 - activation * activation)
        return slope, torch.outer(slope, xi), rate / self._parameters['tau'] * (h - activation)

    def _next_local_trace(self, h: Tensor, forward: _Forward, trace: Trace) -> Trace:
        """RFLO: keep the leak of dh'/dh, drop what comes through W."""
        _, row, tau = self._immediate(h, forward)
        leak = 1 - forward.rate
        return {
            'W': row.addcmul_(leak[:, None], trace['W']),
            'tau': tau.addcmul_(leak, trace['tau']),
        }

    def _next_exact_trace(self, h: Tensor, forward: _Forward, trace: Trace) -> Trace:
        """RTRL: J <- (dh'/dh) J + (dh'/dp at fixed h)."""
        n, inputs = self.hidden_size, self.input_size
        slope, row, tau = self._immediate(h, forward)
        recurrent = self._parameters['W'][:, inputs : inputs + n]
        jacobian = slope[:, None] * recurrent
        jacobian.diagonal().add_(1 - forward.rate)
        weights = (jacobian @ trace['W'].reshape(n, -1)).reshape(trace['W'].shape)
        unit = torch.arange(n)
        weights[unit, unit] += row
        taus = jacobian @ trace['tau']
        taus.diagonal().add_(tau)
        return {'W': weights, 'tau': taus}

    def gradients(self, trace: Trace, dloss_dy: Tensor) -> dict[str, Tensor]:
        with torch.no_grad():
            if self.exact:
                weights = torch.tensordot(dloss_dy, trace['W'], dims=1)
                return {'W': weights, 'tau': dloss_dy @ trace['tau']}
            return {'W': dloss_dy[:, None] * trace['W'], 'tau': dloss_dy * trace['tau']}

    def project(self) -> None:
        """Keep tau >= 1: below it one Euler step would overshoot."""
        with torch.no_grad():
            self._parameters['tau'].clamp_(min=1.0)
