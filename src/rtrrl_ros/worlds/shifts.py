"""Distribution shifts by name: `K=V` on the command line becomes a checked shift of one world."""

import dataclasses
from collections.abc import Iterable
from typing import Any

from ..errors import UserError
from ..parameters import from_mapping
from .registry import shift_class


def parse_shift(task: str, pairs: Iterable[str]) -> object:
    """The shift of a task from strings such as 'steering_offset=0.15' or 'floor_texture=wood'.

    Returns an instance of the task's shift dataclass; no pairs give no shift. An unknown task or
    name, a value out of range or a malformed pair raises `UserError` naming what is accepted.
    """
    cls = shift_class(task)
    kinds = {field.name: type(field.default) for field in dataclasses.fields(cls)}
    known = ', '.join(kinds)
    values: dict[str, float | str] = {}
    for pair in pairs:
        name, separator, text = pair.partition('=')
        name = name.strip()
        if not separator:
            raise UserError(f'--shift {pair}: must be NAME=VALUE; names for {task}: {known}')
        if name in values:
            raise UserError(f'--shift {pair}: {name} is given twice')
        if kinds.get(name) is str:
            values[name] = text.strip()
            continue
        try:
            values[name] = float(text)
        except ValueError:
            raise UserError(f'--shift {pair}: {text!r} is not a number') from None
    return from_mapping(cls, values, f'shift of {task}')


def shift_values(shift: object) -> dict[str, Any]:
    """The values that differ from no shift, by name, as reports print them."""
    values = {}
    for field in dataclasses.fields(shift):  # type: ignore[arg-type]
        value = getattr(shift, field.name)
        if value != field.default:
            values[field.name] = value
    return values
