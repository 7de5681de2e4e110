"""LRU: the linear recurrent unit with a complex diagonal Jacobian, and its own read-out.

Source: Orvieto et al. 2023. Linear recurrence, so the trace is exact at O(n I) a step.
"""

import math

import torch
from torch import Tensor

from ..errors import UserError
from .contract import Cell, Trace, check_number


class LRU(Cell):
    """Linear recurrent unit; h, lam, B, C complex.

        lam = exp(-e^nu + i e^theta)
        h' = lam h + e^g (B x)          y = Re(C h') + D x

    Parameters: nu, theta, g of shape (n,); B_re, B_im (n, I); C_re, C_im (output_size, n);
    D (output_size, I). |lam| < 1 for every finite nu, so nothing needs a projection.

    State: real, [Re h; Im h; x] of shape (2 n + I,). It carries the newest x because y depends on
    it: `output(state)` needs nothing else, and what the file of a state holds is plain float32.

    Trace: 'lam', 'g' (2, n) and 'B' (2, n, I), each as (real, imaginary): dh/dlam, dh/dg,
    and dh/dB; and 'state', from which the read-out's own gradient follows.
    """

    name = 'lru'
    exact = True

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        seed: int,
        dtype: torch.dtype = torch.float32,
        *,
        output_size: int = 0,
        r_min: float = 0.0,
        r_max: float = 1.0,
        max_phase: float = 6.28,
    ) -> None:
        """Draw lam on a ring, B, C and D normal.

        Parameters
        ----------
        output_size : of y; 0: `hidden_size`
        r_min, r_max : |lam|^2 ~ U(r_min^2, r_max^2), 0 <= r_min < r_max <= 1
        max_phase : the phase of lam ~ U(0, max_phase), rad
        """
        if isinstance(output_size, bool) or not isinstance(output_size, int) or output_size < 0:
            raise UserError(f'output_size = {output_size!r}: must be an integer of at least 0')
        check_number('r_max', r_max, 0.0, 1.0)
        if r_min != 0:
            check_number('r_min', r_min, 0.0, 1.0)
        if r_min >= r_max:
            raise UserError(f'r_min = {r_min} must be less than r_max = {r_max}')
        check_number('max_phase', max_phase, 0.0, 2 * math.pi)
        super().__init__(input_size, hidden_size, dtype)
        self.options = {
            'output_size': output_size, 'r_min': r_min, 'r_max': r_max, 'max_phase': max_phase,
        }  # fmt: skip
        self.output_size = output_size or hidden_size
        self.state_size = 2 * hidden_size + input_size
        generator = torch.Generator().manual_seed(seed)

        def normal(rows: int, columns: int, variance: float) -> Tensor:
            drawn = torch.randn(rows, columns, generator=generator, dtype=torch.float64)
            return math.sqrt(variance) * drawn

        # Strictly inside (0, 1): neither |lam| = 1 nor a phase of 0 has a finite logarithm.
        drawn = torch.rand(2, hidden_size, generator=generator, dtype=torch.float64)
        ring, turn = drawn.clamp(1e-6, 1 - 1e-6)
        square = r_min**2 + ring * (r_max**2 - r_min**2)
        self._set_parameters(
            {
                'nu': torch.log(-0.5 * torch.log(square)),
                'theta': torch.log(max_phase * turn),
                'g': 0.5 * torch.log(1 - square),
                'B_re': normal(hidden_size, input_size, 1 / (2 * input_size)),
                'B_im': normal(hidden_size, input_size, 1 / (2 * input_size)),
                'C_re': normal(self.output_size, hidden_size, 1 / hidden_size),
                'C_im': normal(self.output_size, hidden_size, 1 / hidden_size),
                'D': normal(self.output_size, input_size, 1 / input_size),
            }
        )

    def initial_trace(self) -> Trace:
        n, inputs = self.hidden_size, self.input_size
        return {
            'lam': torch.zeros(2, n, dtype=self.dtype),
            'g': torch.zeros(2, n, dtype=self.dtype),
            'B': torch.zeros(2, n, inputs, dtype=self.dtype),
            'state': self.initial_state(),
        }

    def _lam(self) -> Tensor:
        p = self._parameters
        return torch.polar(torch.exp(-torch.exp(p['nu'])), torch.exp(p['theta']))

    def _drive(self, x: Tensor) -> Tensor:
        """e^g (B x), complex."""
        p = self._parameters
        gain = torch.exp(p['g'])
        return torch.complex(gain * (x @ p['B_re'].T), gain * (x @ p['B_im'].T))

    def _hidden(self, state: Tensor) -> Tensor:
        n = self.hidden_size
        return torch.complex(state[..., :n], state[..., n : 2 * n])

    def step(
        self, x: Tensor, state: Tensor, trace: Trace | None = None
    ) -> tuple[Tensor, Trace | None]:
        if trace is None:
            new = self._lam() * self._hidden(state) + self._drive(x)
            return torch.cat((new.real, new.imag, x), dim=-1), None
        with torch.no_grad():
            h, lam, drive = self._hidden(state), self._lam(), self._drive(x)
            new = lam * h + drive
            new_state = torch.cat((new.real, new.imag, x))
            return new_state, self._next_trace(x, h, lam, drive, new_state, trace)

    def _next_trace(
        self, x: Tensor, h: Tensor, lam: Tensor, drive: Tensor, new_state: Tensor, trace: Trace
    ) -> Trace:
        """S <- lam S + (dh'/dp at fixed h); for B that is the outer product of e^g and x."""
        input_gain = torch.outer(torch.exp(self._parameters['g']), x)
        s_b = lam[:, None] * torch.complex(*trace['B']) + input_gain
        s_lam = lam * torch.complex(*trace['lam']) + h
        s_g = lam * torch.complex(*trace['g']) + drive
        return {
            'lam': torch.stack((s_lam.real, s_lam.imag)),
            'g': torch.stack((s_g.real, s_g.imag)),
            'B': torch.stack((s_b.real, s_b.imag)),
            'state': new_state,
        }

    def output(self, state: Tensor) -> Tensor:
        p, n = self._parameters, self.hidden_size
        real, imaginary, x = state[..., :n], state[..., n : 2 * n], state[..., 2 * n :]
        return real @ p['C_re'].T - imaginary @ p['C_im'].T + x @ p['D'].T

    def gradients(self, trace: Trace, dloss_dy: Tensor) -> dict[str, Tensor]:
        """With delta = dloss_dy^T C, the gradient of a parameter is Re(delta dh/dp)."""
        p, n = self._parameters, self.hidden_size
        with torch.no_grad():
            delta = torch.complex(dloss_dy @ p['C_re'], dloss_dy @ p['C_im'])
            rate, frequency = torch.exp(p['nu']), torch.exp(p['theta'])
            through_lam = delta * torch.complex(*trace['lam']) * self._lam()
            through_b = delta[:, None] * torch.complex(*trace['B'])
            real, imaginary, x = trace['state'].split((n, n, self.input_size))
            return {
                'nu': -rate * through_lam.real,
                'theta': -frequency * through_lam.imag,
                'g': (delta * torch.complex(*trace['g'])).real,
                'B_re': through_b.real,
                'B_im': -through_b.imag,
                'C_re': torch.outer(dloss_dy, real),
                'C_im': torch.outer(dloss_dy, -imaginary),
                'D': torch.outer(dloss_dy, x),
            }
