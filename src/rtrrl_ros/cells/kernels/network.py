"""One network under TD(lambda), cell and linear head, run by compiled kernels.

It computes what `rtrrl_ros.learning.reference` computes with torch, in float32, two calls a step
and no allocation:

    out = network.step(x)                    # the action first
    network.learn(d_out, td_error)           # then the parameters

Threading: none; one caller. The tensors it shows are views of its memory.
"""

import dataclasses
import math
from types import ModuleType

import numpy as np
import torch
from torch import Tensor

from ...errors import UserError
from ..contract import Cell
from . import ctrnn, lrcssm, lru, td
from .compiling import Array, entry_point, forward_kernel, learn_kernel
from .layout import LINE, Layout
from .rule import UpdateRule

_MODULES: dict[str, ModuleType] = {'ctrnn': ctrnn, 'lrcssm': lrcssm, 'lru': lru}
_OPTIMIZERS = {'adam': td.ADAM, 'sgd': td.SGD, 'obgd': td.SGD}
#: The square of a parameter step must not overflow float32.
LARGEST = 1e18


def has_kernels(cell: Cell) -> bool:
    """Is there a compiled form of this cell? Not of the dense RTRL, nor in float64."""
    local = cell.name != 'ctrnn' or not cell.exact
    return cell.name in _MODULES and local and cell.dtype == torch.float32


class FusedNetwork:
    """out = W y + b, y the output of the cell, with its eligibility trace and optimiser.

    Attributes
    ----------
    flat, origin, eligibility, first, second : (P,), in the order cell, W (rows), b; `origin` is
        what the pull and the drift limit refer to, `first` and `second` are the moments of Adam
    state : (state_size,), of the cell
    finite : were state and output of the newest step finite?

    Who writes to `flat` or `origin` calls `reset` or `reset_optimizer` before the next step, so
    that the distance between them is measured anew.
    """

    def __init__(
        self, cell: Cell, head_size: int, parameters: Tensor, rule: UpdateRule, *,
        feedback: Tensor | None = None, bonus: bool = False,
    ) -> None:  # fmt: skip
        """Copy `parameters` (P,) into memory of its own; the cell lives there from now on.

        Compiles what is not yet on disk for these sizes (a few seconds); no later call does.

        Parameters
        ----------
        feedback : (head_size, output_size), carries `d_out` back into the cell instead of W
        bonus : will `learn` be given one?

        Raises
        ------
        UserError
            if the cell has no kernels: dense RTRL, or not float32
        """
        if not has_kernels(cell):
            raise UserError(
                f'no fused kernels for {cell.name!r} with {cell.options} in {cell.dtype}: '
                "use gradient='rflo', float32, or the reference in torch"
            )
        self.cell, self.rule, self.head_size = cell, rule, head_size
        self._decay, self._factor = float(rule.decay), 1.0
        self._layout: Layout = _MODULES[cell.name].layout(cell, head_size)
        if parameters.shape != (self._layout.parameters,):
            raise ValueError(f'{tuple(parameters.shape)} parameters, not {self._layout.parameters}')
        self._memory = _aligned(self._layout.size)
        self.flat, self.eligibility, self.first, self.second, self.origin = (
            self._view(array * self._layout.stride, self._layout.parameters)
            for array in (td.THETA, td.Z, td.FIRST, td.SECOND, td.ORIGIN)
        )
        self.flat.copy_(parameters)
        self.origin.copy_(parameters)
        cell.bind_parameters(self.flat[: cell.flat_parameters.numel()])
        self.state = self._block('state')
        self._out = self._block('out').numpy()
        self._x, self._d_out, self._e_out = (
            self._block(name).numpy() for name in ('x', 'd_out', 'e_out')
        )
        self._x_view, self._d_out_view = memoryview(self._x), memoryview(self._d_out)  # type: ignore[arg-type]
        if feedback is not None:
            self._block('feedback').copy_(feedback.reshape(-1))
        self._traces = [self._block(name) for name in self._layout.blocks if 'trace' in name]
        self._hyper = np.zeros(td.HYPER)
        module = _MODULES[cell.name]
        aligned = feedback is not None
        mode = _OPTIMIZERS[rule.optimizer]
        mode |= td.TETHERED * rule.tethered | td.BONUS * bonus
        update = module.build(cell, head_size, mode, aligned)
        observe = module.build(cell, head_size, td.OBSERVE, aligned)
        self._kernels = (  # keeps their machine code alive
            forward_kernel(update.forward), learn_kernel(observe.learn), learn_kernel(update.learn)
        )  # fmt: skip
        self._forward, self._observe, self._update = map(entry_point, self._kernels)
        self.reset_optimizer()
        self.reset()
        self.cut()

    def _view(self, start: int, count: int) -> Tensor:
        return torch.from_numpy(self._memory[start : start + count])

    def _block(self, name: str) -> Tensor:
        return self._view(*self._layout.blocks[name])

    def reset(self) -> None:
        """Start a sequence: state and trace to zero."""
        for block in (self.state, *self._traces):
            block.zero_()
        self._hyper[td.REACH] = math.inf
        self._pending = False
        self.finite = True

    def cut(self) -> None:
        """Zero the eligibility trace."""
        self.eligibility.zero_()
        self._norm = self._hyper[td.NORM] = 0.0

    def reset_optimizer(self) -> None:
        """Forget the moments of Adam (after a roll-back they belong to other weights)."""
        self.first.zero_()
        self.second.zero_()
        rule, adam = self.rule, _OPTIMIZERS[self.rule.optimizer] == td.ADAM
        kappa = rule.kappa if rule.optimizer == 'obgd' else 0.0
        longest = td.longest_adam_step(
            rule.learning_rate, rule.beta1, rule.beta2, self._layout.parameters
        )
        self._hyper[: td.NORM] = (
            rule.learning_rate, rule.beta1, rule.beta2, rule.epsilon, rule.pull, rule.drift_limit,
            kappa, longest if adam else 0.0, 1.0, 1.0,
        )  # fmt: skip
        self._hyper[td.REACH] = math.inf  # the parameters may have been moved
        self.scale_steps(self._factor)

    def tether(self, origin: Tensor, drift_limit: float) -> None:
        """Pull towards these parameters (P,) from now on, and go no further from them."""
        self.origin.copy_(origin)
        self.rule = dataclasses.replace(self.rule, drift_limit=drift_limit)
        self._hyper[td.DRIFT_LIMIT], self._hyper[td.REACH] = drift_limit, math.inf

    def scale_steps(self, factor: float) -> None:
        """Multiply learning rate and pull, as they are in `rule`, by this factor (0, 1].

        The bound on the length of a step stays what it is without: it only has to be one.
        """
        self._factor = factor
        self._hyper[td.LEARNING_RATE] = factor * self.rule.learning_rate
        self._hyper[td.PULL] = factor * self.rule.pull

    def step(self, x: Array, with_trace: bool = True) -> Array:
        """Advance by one input (input_size,).

        with_trace : False: forward only; nothing can be learned until the next `reset`

        Returns the head's output (head_size,) float32: a view that the next step overwrites.
        """
        if self._pending:  # nothing was learned from the step before: only its trace is missing
            self._d_out[:] = 0.0
            self._observe(self._memory, self._hyper, 0.0, 1.0)
        try:
            # half the time of NumPy's assignment, but float32 only
            self._x_view[:] = x  # type: ignore[call-overload]
        except (TypeError, ValueError):
            self._x[:] = x
        self.finite = self._forward(self._memory)
        self._pending = with_trace
        return self._out

    def ready(self, td_error: float) -> bool:
        """Can `learn` follow without a non-finite number? Ask both networks before either."""
        return self.finite and abs(td_error) * self._norm < LARGEST

    def learn(self, d_out: Array, td_error: float | None, bonus: Array | None = None) -> bool:
        """Parameters <- a step with this TD error; z <- decay z + gradient of the newest output.

        Parameters
        ----------
        d_out : (head_size,), derivative by the newest output of what z is the gradient of
        td_error : of the transition into the newest step; None: leave the parameters alone
        bonus : (head_size,), derivative by the newest output of what the parameters climb besides

        Returns
        -------
        False if the step was not `ready`, and then nothing was changed, or if the new gradient
        was not finite: then the eligibility trace is cut. The parameters are finite either way.
        """
        if not self.ready(td_error or 0.0):
            return False
        try:
            self._d_out_view[:] = d_out  # type: ignore[call-overload]
        except (TypeError, ValueError):
            self._d_out[:] = d_out
        if td_error is None:
            size = self._observe(self._memory, self._hyper, 0.0, self._decay)
        else:
            if bonus is not None:
                self._e_out[:] = bonus
            step = self.rule.clipped(td_error, self._norm)
            size = self._update(self._memory, self._hyper, step, self._decay)
        self._pending = False
        self._norm = math.sqrt(size) if size == size else math.inf
        if self._norm < math.inf:
            return True
        self.cut()
        return False

    def traffic(self) -> tuple[int, int]:
        """How many float32 numbers an update changes, and how many more it only reads."""
        moments = 2 if self.rule.optimizer == 'adam' else 0
        trace = sum(block.numel() for block in self._traces)
        return trace + (2 + moments) * self.flat.numel(), self.flat.numel()

    @property
    def nbytes(self) -> int:
        """The memory of everything: parameters, traces, moments, scratch, gaps between them."""
        return self._memory.nbytes

    def drift(self) -> float:
        """||theta - origin||."""
        return float(torch.linalg.vector_norm(self.flat - self.origin))


def _aligned(count: int) -> Array:
    """`count` float32 zeros from the start of a page on, as `Layout` takes for granted."""
    page = 4096 // 4
    memory = np.zeros(count + page, np.float32)
    start = -(memory.ctypes.data // 4) % page
    return memory[start : start + LINE * -(-count // LINE)]
