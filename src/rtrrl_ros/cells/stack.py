"""Layers of one kind of cell on top of each other, with residual connections. Approximate.

Through one recurrent layer the trace of a diagonal cell is exact. Through a stack it is not: what a
lower layer did earlier also lives on in the *state* of the layers above it, and following that
would need a trace of every upper state for every lower parameter. As usual (arXiv 2305.19044,
sec. 5) each layer follows its own state only, and errors come down through the newest step alone.
The top layer's gradient is exact; `test/cells/test_stack.py` says how far the others are off.
"""

import torch
from torch import Tensor

from ..errors import UserError
from .contract import Cell, Trace
from .ctrnn import CTRNN
from .lrcssm import LrcSSM
from .lru import LRU

_LAYERS: dict[str, type[LrcSSM] | type[LRU] | type[CTRNN]] = {
    cell.name: cell for cell in (LrcSSM, LRU, CTRNN)
}


class Stack(Cell):
    """x_1 = x; y_l = layer_l(x_l), plus x_l from the second layer on; x_(l+1) = y_l; y the last.

    Parameters: those of layer l under 'l.name', l from 0.

    State: those of the layers, one after the other. Trace: those of the layers under 'l.name', and
    for each layer the input and the state before the newest step, under 'l.newest', 'l.before'.
    """

    name = 'stack'

    def __init__(
        self, input_size: int, hidden_size: int, seed: int, dtype: torch.dtype = torch.float32, *,
        layer: str = 'lrcssm', layers: int = 2,
    ) -> None:  # fmt: skip
        """Build every layer with `hidden_size` units from a seed of its own.

        Parameters
        ----------
        layer : 'lrcssm', 'lru' or 'ctrnn'
        layers : how many, 1 to 8
        """
        if layer not in _LAYERS:
            raise UserError(f'layer = {layer!r}: must be one of {", ".join(_LAYERS)}')
        if isinstance(layers, bool) or not isinstance(layers, int) or not 1 <= layers <= 8:
            raise UserError(f'layers = {layers!r}: must be an integer in [1, 8]')
        super().__init__(input_size, hidden_size, dtype)
        self.options = {'layer': layer, 'layers': layers}
        self.layers: list[Cell] = [
            _LAYERS[layer](hidden_size if level else input_size, hidden_size, seed + level, dtype)
            for level in range(layers)
        ]
        self.state_size = sum(cell.state_size for cell in self.layers)
        self.exact = layers == 1 and self.layers[0].exact
        self._set_parameters(
            {
                f'{level}.{name}': value
                for level, cell in enumerate(self.layers)
                for name, value in cell.named_parameters().items()
            }
        )

    def bind_parameters(self, memory: Tensor) -> None:
        super().bind_parameters(memory)
        start = 0
        for level, cell in enumerate(self.layers):
            size = cell.flat_parameters.numel()
            cell.bind_parameters(memory[start : start + size])
            start += size
            # the very same tensors, so that automatic differentiation by ours goes through theirs
            cell._parameters = {
                name: self._parameters[f'{level}.{name}'] for name in cell._parameters
            }

    def initial_trace(self) -> Trace:
        trace: Trace = {}
        for level, cell in enumerate(self.layers):
            trace |= {f'{level}.{name}': value for name, value in cell.initial_trace().items()}
            trace[f'{level}.newest'] = torch.zeros(cell.input_size, dtype=self.dtype)
            trace[f'{level}.before'] = cell.initial_state()
        return trace

    def _split(self, state: Tensor) -> tuple[Tensor, ...]:
        return state.split([cell.state_size for cell in self.layers], dim=-1)

    def _layer_trace(self, trace: Trace, level: int) -> Trace:
        names = self.layers[level].initial_trace()
        return {name: trace[f'{level}.{name}'] for name in names}

    def step(
        self, x: Tensor, state: Tensor, trace: Trace | None = None
    ) -> tuple[Tensor, Trace | None]:
        new_states: list[Tensor] = []
        new_trace: Trace = {}
        for level, (cell, before) in enumerate(zip(self.layers, self._split(state), strict=True)):
            own = None if trace is None else self._layer_trace(trace, level)
            new, followed = cell.step(x, before, own)
            if trace is not None:
                new_trace |= {f'{level}.{name}': value for name, value in followed.items()}
                new_trace |= {f'{level}.newest': x, f'{level}.before': before}
            new_states.append(new)
            y = cell.output(new)
            x = y + x if level else y
        return torch.cat(new_states, dim=-1), None if trace is None else new_trace

    def output(self, state: Tensor) -> Tensor:
        y = None
        for cell, part in zip(self.layers, self._split(state), strict=True):
            own = cell.output(part)
            y = own if y is None else own + y
        assert y is not None
        return y

    def gradients(self, trace: Trace, dloss_dy: Tensor) -> dict[str, Tensor]:
        """Each layer's own gradient; the error of the layer below it comes through this step."""
        found: dict[str, Tensor] = {}
        for level in reversed(range(len(self.layers))):
            cell = self.layers[level]
            grads = cell.gradients(self._layer_trace(trace, level), dloss_dy)
            found |= {f'{level}.{name}': value for name, value in grads.items()}
            if level:
                x = trace[f'{level}.newest'].detach().requires_grad_()
                with torch.enable_grad():
                    y = cell.output(cell.step(x, trace[f'{level}.before'])[0])
                    (through,) = torch.autograd.grad(dloss_dy @ y, x)
                dloss_dy = dloss_dy + through
        return {name: found[name] for name in self.named_parameters()}

    def project(self) -> None:
        for cell in self.layers:
            cell.project()
