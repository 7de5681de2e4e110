"""A recurrent cell and a linear head whose parameters lie in one flat vector.

One vector per network keeps every later operation (eligibility trace, optimiser, drift penalty,
snapshot) a single pass over memory, and makes it impossible to forget a parameter.
"""

import math

import torch
from torch import Tensor

from ..cells.contract import Cell, Trace


class Network:
    """out = W y + b with y = cell.output(h), h the recurrent state.

    Attributes
    ----------
    flat : (P,) all parameters; `parameters` holds named views into it
    state, trace : recurrent state and RTRL trace after the newest step
    """

    def __init__(self, cell: Cell, head_size: int, seed: int) -> None:
        self.cell = cell
        self.head_size = head_size
        generator = torch.Generator().manual_seed(seed)
        bound = 1.0 / math.sqrt(cell.output_size)
        weight = torch.empty(head_size, cell.output_size, dtype=cell.dtype)
        weight.uniform_(-bound, bound, generator=generator)
        values = {f'cell.{name}': value for name, value in cell.named_parameters().items()}
        values['head.weight'] = weight
        values['head.bias'] = torch.zeros(head_size, dtype=cell.dtype)
        self._shapes = {name: value.shape for name, value in values.items()}
        self.bind(torch.cat([value.detach().reshape(-1) for value in values.values()]))
        self.reset()

    def bind(self, flat: Tensor) -> None:
        """Use `flat` (P,) as all parameters from now on, its values included."""
        self.flat = flat
        self.parameters = self.named(flat)
        self.cell.bind_parameters(flat[: self.cell.flat_parameters.numel()])

    def named(self, flat: Tensor) -> dict[str, Tensor]:
        """Views, by the names of the parameters, into any vector (P,) of such weights."""
        views, offset = {}, 0
        for name, shape in self._shapes.items():
            views[name] = flat[offset : offset + shape.numel()].view(shape)
            offset += shape.numel()
        return views

    def load(self, values: dict[str, Tensor]) -> None:
        """Copy named values in place; ValueError names the first missing or misshapen one."""
        for name, view in self.parameters.items():
            if name not in values:
                raise ValueError(f'{name} is missing')
            if values[name].shape != view.shape:
                raise ValueError(
                    f'{name} has shape {tuple(values[name].shape)}, not {tuple(view.shape)}'
                )
            view.copy_(values[name])

    def reset(self) -> None:
        """Start a sequence: initial state and trace."""
        self.state: Tensor = self.cell.initial_state()
        self.trace: Trace | None = self.cell.initial_trace()
        self.y: Tensor = torch.zeros(self.cell.output_size, dtype=self.cell.dtype)

    @torch.no_grad()
    def step(self, x: Tensor, with_trace: bool) -> Tensor:
        """Advance by one input (input_size,); returns the head's output (head_size,)."""
        if with_trace:
            trace = self.trace if self.trace is not None else self.cell.initial_trace()
            self.state, self.trace = self.cell.step(x, self.state, trace)
        else:
            self.state, self.trace = self.cell.step(x, self.state, None)
        self.y = self.cell.output(self.state)
        return torch.addmv(self.parameters['head.bias'], self.parameters['head.weight'], self.y)

    def forward(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """One step of a batch, differentiable, for training by BPTT before the drive.

        x (B, I), state (B, state_size) -> head's output (B, head_size), state'.
        """
        state, _ = self.cell.step(x, state, None)
        head = self.parameters['head.weight'], self.parameters['head.bias']
        return torch.nn.functional.linear(self.cell.output(state), *head), state

    @torch.no_grad()
    def gradient(self, d_out: Tensor, feedback: Tensor | None = None) -> Tensor:
        """The gradient (P,) of a scalar whose derivative w.r.t. the newest output is `d_out`.

        feedback : (head_size, output_size), takes the place of the head's weights on the way back
        into the cell (feedback alignment)
        """
        assert self.trace is not None
        back = self.parameters['head.weight'] if feedback is None else feedback
        d_y = torch.mv(back.T, d_out)
        cell = self.cell.gradients(self.trace, d_y)
        parts = [cell[name].reshape(-1) for name in self.cell.named_parameters()]
        parts += [torch.outer(d_out, self.y).reshape(-1), d_out]
        return torch.cat(parts)
