"""LrcSSM: the liquid-resistance liquid-capacitance cell with a diagonal Jacobian.

Source: LrcSSM, arXiv 2505.21717; one explicit Euler step of its equations. Each unit sees the
input and itself but no other unit, so dh'/dh is diagonal and real-time recurrent learning costs
O(n I) a step, exactly.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from .contract import Cell, Trace, check_number

UNIT_PARAMETERS = ('g_l', 'v_l', 'w_e', 'b_e', 'w', 'k', 'mu', 'sig')
INPUT_PARAMETERS = ('W_in', 'H_in', 'mu_in', 'sig_in')


class _Forward(NamedTuple):
    """One step and the gates that its derivative needs; shapes (..., n), s: (..., I)."""

    new: Tensor  # h'
    s: Tensor  # synaptic activation of each input
    r: Tensor  # synaptic activation of the unit's own state
    forget: Tensor  # F, conductance gate
    target: Tensor  # Z, where the unit is pulled to
    elastance: Tensor  # E, how fast; depends on the state only


class LrcSSM(Cell):
    """Diagonal LRC cell, y = h.

    With s = sigm(sig_in (x - mu_in)) and r = sigm(sig (h - mu)):

        F = sigm(g_l + W_in s + w r)    Z = tanh(g_l + H_in s + k r)    E = sigm(w_e h + b_e)
        h' = h + dt E (-F h + v_l Z)

    Parameters: g_l, v_l, w_e, b_e, w, k, mu, sig of shape (n,); W_in, H_in of shape (n, I);
    mu_in, sig_in of shape (I,), shared by all units.

    Trace: 'unit' (8, n) and 'input' (4, n, I), in the orders of `UNIT_PARAMETERS` and
    `INPUT_PARAMETERS`; entry [p, i, ...] is dh_i / dp.
    """

    name = 'lrcssm'
    exact = True

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        seed: int,
        dtype: torch.dtype = torch.float32,
        *,
        dt: float = 1.0,
    ) -> None:
        """Draw every parameter from U(-1/sqrt n, 1/sqrt n).

        Parameters
        ----------
        dt : length of the Euler step in units of the cell's own time, in (0, 1]
        """
        super().__init__(input_size, hidden_size, dtype)
        self.options = {'dt': dt}
        self.dt = check_number('dt', dt, 0.0, 1.0)
        generator = torch.Generator().manual_seed(seed)
        bound = 1.0 / math.sqrt(hidden_size)

        def draw(*shape: int) -> Tensor:
            # float64 draws: both precisions start from the same numbers.
            unit = torch.rand(shape, generator=generator, dtype=torch.float64)
            return bound * (2.0 * unit - 1.0)

        shapes: dict[str, tuple[int, ...]] = {
            **dict.fromkeys(UNIT_PARAMETERS, (hidden_size,)),
            **dict.fromkeys(('W_in', 'H_in'), (hidden_size, input_size)),
            **dict.fromkeys(('mu_in', 'sig_in'), (input_size,)),
        }
        self._set_parameters({name: draw(*shape) for name, shape in shapes.items()})

    def initial_trace(self) -> Trace:
        n, inputs = self.hidden_size, self.input_size
        return {
            'unit': torch.zeros(len(UNIT_PARAMETERS), n, dtype=self.dtype),
            'input': torch.zeros(len(INPUT_PARAMETERS), n, inputs, dtype=self.dtype),
        }

    def _forward(self, x: Tensor, h: Tensor) -> _Forward:
        p = self._parameters
        s = torch.sigmoid(p['sig_in'] * (x - p['mu_in']))
        r = torch.sigmoid(p['sig'] * (h - p['mu']))
        forget = torch.sigmoid(p['g_l'] + s @ p['W_in'].T + p['w'] * r)
        target = torch.tanh(p['g_l'] + s @ p['H_in'].T + p['k'] * r)
        elastance = torch.sigmoid(p['w_e'] * h + p['b_e'])
        new = h + self.dt * elastance * (p['v_l'] * target - forget * h)
        return _Forward(new, s, r, forget, target, elastance)

    def step(
        self, x: Tensor, state: Tensor, trace: Trace | None = None
    ) -> tuple[Tensor, Trace | None]:
        if trace is None:
            return self._forward(x, state).new, None
        with torch.no_grad():
            forward = self._forward(x, state)
            return forward.new, self._next_trace(x, state, forward, trace)

    def _next_trace(self, x: Tensor, h: Tensor, forward: _Forward, trace: Trace) -> Trace:
        """S <- D S + (dh' / dp at fixed h), with D = dh'/dh the diagonal of the Jacobian."""
        p, dt = self._parameters, self.dt
        _, s, r, forget, target, elastance = forward
        # Sensitivity of h' to the arguments of F, Z and E, and (through F and Z) of r.
        a = -dt * elastance * forget * (1 - forget) * h
        b = dt * elastance * p['v_l'] * (1 - target * target)
        c = dt * (p['v_l'] * target - forget * h) * elastance * (1 - elastance)
        self_gain = (a * p['w'] + b * p['k']) * r * (1 - r)
        q = self_gain * p['sig']
        decay = 1 - dt * elastance * forget + c * p['w_e'] + q
        unit = torch.stack(
            (a + b, dt * elastance * target, c * h, c, a * r, b * r, -q, self_gain * (h - p['mu']))
        )
        slope = s * (1 - s)
        input_gain = a[:, None] * p['W_in'] + b[:, None] * p['H_in']
        inputs = torch.stack(
            (
                torch.outer(a, s),
                torch.outer(b, s),
                input_gain * (-p['sig_in'] * slope),
                input_gain * ((x - p['mu_in']) * slope),
            )
        )
        return {
            'unit': unit.addcmul_(decay, trace['unit']),
            'input': inputs.addcmul_(decay[:, None], trace['input']),
        }

    def gradients(self, trace: Trace, dloss_dy: Tensor) -> dict[str, Tensor]:
        with torch.no_grad():
            grads = dict(zip(UNIT_PARAMETERS, dloss_dy * trace['unit'], strict=True))
            weights = dloss_dy[:, None] * trace['input'][:2]
            # Every unit reads the same mu_in and sig_in: their gradients sum over the units.
            shared = dloss_dy @ trace['input'][2:]
            grads |= {'W_in': weights[0], 'H_in': weights[1]}
            grads |= {'mu_in': shared[0], 'sig_in': shared[1]}
            return grads
