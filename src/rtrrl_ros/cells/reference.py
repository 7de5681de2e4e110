"""The true gradient of a cell by automatic differentiation, and how far a trace is from it."""

import torch
from torch import Tensor

from .contract import Cell


def forward_gradients(cell: Cell, inputs: Tensor, dloss_dy: Tensor) -> dict[str, Tensor]:
    """The gradient that the cell's trace gives after `inputs` of shape (T, input_size)."""
    state, trace = cell.initial_state(), cell.initial_trace()
    for x in inputs:
        state, trace = cell.step(x, state, trace)
    return cell.gradients(trace, dloss_dy)


def autograd_gradients(cell: Cell, inputs: Tensor, dloss_dy: Tensor) -> dict[str, Tensor]:
    """The same gradient by automatic differentiation through the unrolled steps."""
    parameters = cell.named_parameters()
    for tensor in parameters.values():
        tensor.requires_grad_(True)
    try:
        state = cell.initial_state()
        for x in inputs:
            state, _ = cell.step(x, state)
        loss = dloss_dy @ cell.output(state)
        found = torch.autograd.grad(loss, list(parameters.values()), allow_unused=True)
    finally:
        for tensor in parameters.values():
            tensor.requires_grad_(False)
    return {
        name: torch.zeros_like(tensor) if grad is None else grad
        for (name, tensor), grad in zip(parameters.items(), found, strict=True)
    }


def largest_error(got: dict[str, Tensor], expected: dict[str, Tensor]) -> tuple[float, str]:
    """The largest difference relative to max(1, |expected|), and the parameter it is in."""
    worst, where = 0.0, ''
    for name, reference in expected.items():
        scale = max(1.0, float(reference.abs().max()))
        error = float((got[name] - reference).abs().max()) / scale
        if not error <= worst:  # also when it is not a number
            worst, where = error, name
    return worst, where


def gradient_cosine(cell: Cell, inputs: Tensor, dloss_dy: Tensor) -> dict[str, float]:
    """Cosine of the angle between the cell's gradient and the true one, for each parameter.

    Parameters
    ----------
    inputs : (T, input_size), one sequence from the initial state
    dloss_dy : (output_size,), cotangent of the last output

    Returns
    -------
    {name: cosine}, and 'all' for every parameter taken as one vector; 1 for an exact cell
    """
    got = forward_gradients(cell, inputs, dloss_dy)
    expected = autograd_gradients(cell, inputs, dloss_dy)
    pairs = {name: (got[name].reshape(-1), expected[name].reshape(-1)) for name in got}
    left, right = (torch.cat(side) for side in zip(*pairs.values(), strict=True))
    pairs['all'] = left, right
    return {
        name: float(one @ other / (one.norm() * other.norm()))
        for name, (one, other) in pairs.items()
    }
