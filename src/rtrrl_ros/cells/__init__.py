"""Recurrent cells with forward-mode gradients: `make_cell` builds one by name."""

import inspect
from collections.abc import Callable
from typing import Any

import torch

from ..errors import UserError
from .contract import Cell, Trace
from .ctrnn import CTRNN
from .lrcssm import LrcSSM
from .lru import LRU
from .stack import Stack

__all__ = ['CELLS', 'CTRNN', 'LRU', 'Cell', 'LrcSSM', 'Stack', 'Trace', 'make_cell']

#: What builds each cell: (input_size, hidden_size, seed, dtype, **options).
CELLS: dict[str, Callable[..., Cell]] = {cell.name: cell for cell in (LrcSSM, LRU, CTRNN, Stack)}


def make_cell(
    name: str,
    input_size: int,
    hidden_size: int,
    seed: int,
    dtype: torch.dtype = torch.float32,
    **options: Any,
) -> Cell:
    """Build a cell with parameters that depend on `seed` alone.

    Parameters
    ----------
    name : a key of `CELLS`
    input_size, hidden_size : sizes of x and of the layer, at least 1
    seed : of the initialisation; the same seed gives the same parameters, bit for bit
    dtype : torch.float32 on the car, torch.float64 to check gradients
    options : of that cell, such as gradient='rflo' for 'ctrnn'

    Raises
    ------
    UserError
        for an unknown name, a size below 1, or an option that the cell does not have
    """
    if name not in CELLS:
        raise UserError(f'unknown cell {name!r}; known: {", ".join(sorted(CELLS))}')
    for what, size in (('input_size', input_size), ('hidden_size', hidden_size)):
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise UserError(f'{what} = {size!r}: must be an integer of at least 1')
    build = CELLS[name]
    known = [
        parameter.name
        for parameter in inspect.signature(build).parameters.values()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    ]
    for option in options:
        if option not in known:
            raise UserError(f'cell {name!r} has no option {option!r}; known: {", ".join(known)}')
    return build(input_size, hidden_size, seed, dtype, **options)
