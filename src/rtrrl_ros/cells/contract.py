"""What a recurrent cell is: one step, its exact (or named approximate) gradient trace, its output.

The caller owns the loop and the state. Nothing in a cell remembers the past but the `state` and
`trace` that it returns.
"""

import abc
from typing import Any

import torch
from torch import Tensor

from ..errors import UserError

Trace = dict[str, Tensor]


def check_number(name: str, value: Any, low: float, high: float) -> float:
    """`value` as a float in (low, high], or `UserError` naming the option and its range."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not low < value <= high:
        raise UserError(f'{name} = {value!r}: must be a number in ({low:g}, {high:g}]')
    return float(value)


class Cell(abc.ABC):
    """A recurrent cell h' = f(x, h; theta) with a forward-mode gradient of its output.

    Attributes
    ----------
    name : the name `make_cell` knows it by
    input_size, hidden_size, output_size : sizes of x, of the layer (units), of y
    state_size : numbers in the recurrent state; `hidden_size` unless the cell says otherwise
    options : what `make_cell` needs beside the sizes to build the same cell again
    exact : True if `gradients` is the true gradient while the weights stand still
    """

    name: str
    input_size: int
    hidden_size: int
    output_size: int
    state_size: int
    options: dict[str, Any]
    exact: bool
    dtype: torch.dtype

    def __init__(self, input_size: int, hidden_size: int, dtype: torch.dtype) -> None:
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.output_size = hidden_size
        self.state_size = hidden_size
        self.options = {}
        self.dtype = dtype
        self.flat_parameters = torch.zeros(0, dtype=dtype)
        self._parameters: dict[str, Tensor] = {}

    def _set_parameters(self, values: dict[str, Tensor]) -> None:
        """Lay the parameters out, in this order, in one piece of memory: `flat_parameters`."""
        self._parameters = {name: value.to(self.dtype) for name, value in values.items()}
        self.bind_parameters(torch.cat([value.reshape(-1) for value in self._parameters.values()]))

    def bind_parameters(self, memory: Tensor) -> None:
        """Move the parameters, values and all, into `memory` (P,), and live there from now on.

        For a caller that keeps the parameters of several parts in one vector.
        """
        total = sum(value.numel() for value in self._parameters.values())
        if memory.shape != (total,) or memory.dtype != self.dtype or not memory.is_contiguous():
            raise ValueError(f'memory must be contiguous, of shape ({total},) and {self.dtype}')
        views, start = {}, 0
        for name, value in self._parameters.items():
            views[name] = memory[start : start + value.numel()].view(value.shape)
            start += value.numel()
        with torch.no_grad():
            for name, value in self._parameters.items():
                views[name].copy_(value)
        self._parameters, self.flat_parameters = views, memory

    def named_parameters(self) -> dict[str, Tensor]:
        """The parameters by name. The tensors are the live ones: update them in place."""
        return self._parameters

    def load_parameters(self, values: dict[str, Tensor]) -> None:
        """Copy values in place; raises ValueError naming the first missing or misshapen one."""
        for name, tensor in self._parameters.items():
            if name not in values:
                raise ValueError(f'{name} is missing')
            if tuple(values[name].shape) != tuple(tensor.shape):
                raise ValueError(
                    f'{name} has shape {tuple(values[name].shape)}, not {tuple(tensor.shape)}'
                )
        with torch.no_grad():
            for name, tensor in self._parameters.items():
                tensor.copy_(values[name])

    def initial_state(self) -> Tensor:
        """The recurrent state at the start of a sequence, zeros of shape (state_size,)."""
        return torch.zeros(self.state_size, dtype=self.dtype)

    @abc.abstractmethod
    def initial_trace(self) -> Trace:
        """The gradient trace at the start of a sequence: all zeros."""

    @abc.abstractmethod
    def step(self, x: Tensor, state: Tensor, trace: Trace | None = None) -> Any:
        """One step. Neither `state` nor `trace` is changed; both are returned anew.

        Parameters
        ----------
        x : (input_size,)
        state : (state_size,)
        trace : as of the previous step, or None for the forward pass only

        Returns
        -------
        (state', trace'); trace' is None if `trace` was. With `trace=None` the step is
        differentiable by autograd, also over leading batch dimensions of `x` and `state`; with a
        trace it takes one sample and records nothing for autograd.
        """

    def output(self, state: Tensor) -> Tensor:
        """y of shape (output_size,); the state itself unless the cell has its own read-out."""
        return state

    @abc.abstractmethod
    def gradients(self, trace: Trace, dloss_dy: Tensor) -> dict[str, Tensor]:
        """d loss / d parameter through the whole past, the loss a function of the newest y.

        Parameters
        ----------
        trace : as returned by the newest `step`
        dloss_dy : (output_size,)

        Returns
        -------
        {name: tensor}, names and shapes as in `named_parameters()`
        """

    def project(self) -> None:
        """Return parameters to their domain after an update (such as tau >= 1); in place."""
