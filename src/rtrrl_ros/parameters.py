"""Parameters declared once: a dataclass field with default, unit, range and description.

The same declaration checks values given in Python, in a YAML file and through ROS parameters.
"""

import dataclasses
import math
from typing import Any, TypeVar

from .errors import UserError

T = TypeVar('T')


def parameter(
    default: Any,
    doc: str,
    *,
    unit: str = '',
    low: float | None = None,
    high: float | None = None,
    low_open: bool = False,
    high_open: bool = False,
    choices: tuple[str, ...] = (),
    source: str = '',
) -> Any:
    """Declare a dataclass field as a parameter.

    Parameters
    ----------
    default : bool, int, float or str; its type is the type of the parameter
    doc : what it does, one line
    unit : SI unit, empty if dimensionless
    low, high : bounds, inclusive unless `low_open` / `high_open`; None: unbounded
    choices : the accepted strings, if only some are
    source : paper and equation, where the parameter has one
    """
    metadata = {
        'doc': doc, 'unit': unit, 'low': low, 'high': high,
        'low_open': low_open, 'high_open': high_open, 'choices': choices, 'source': source,
    }  # fmt: skip
    return dataclasses.field(default=default, metadata=metadata)


def range_text(field: dataclasses.Field) -> str:
    """The accepted values of a parameter in words, such as 'in [0, 1)'."""
    meta = field.metadata
    if meta['choices']:
        return 'one of ' + ', '.join(meta['choices'])
    if meta['low'] is None and meta['high'] is None:
        return f'of type {type(field.default).__name__}'
    left, right = '(-inf', 'inf)'
    if meta['low'] is not None:
        left = ('(' if meta['low_open'] else '[') + format(meta['low'], 'g')
    if meta['high'] is not None:
        right = format(meta['high'], 'g') + (')' if meta['high_open'] else ']')
    return f'in {left}, {right}'


def check_value(field: dataclasses.Field, value: Any) -> Any:
    """Return `value` as the type of the field, or raise `UserError` naming what is accepted."""
    meta: Any = field.metadata
    kind: type = type(field.default)
    ok = True
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not kind:  # a bool is no int here
        ok = False
    elif isinstance(value, int | float) and kind is not bool:
        low, high = meta['low'], meta['high']
        ok = math.isfinite(value)
        ok = ok and (low is None or (value > low if meta['low_open'] else value >= low))
        ok = ok and (high is None or (value < high if meta['high_open'] else value <= high))
    elif meta['choices']:
        ok = value in meta['choices']
    if not ok:
        unit = f' {meta["unit"]}' if meta['unit'] else ''
        raise UserError(f'{field.name} = {value!r}: must be {range_text(field)}{unit}')
    return value


class Checked:
    """Mix-in for a frozen dataclass of parameters: bad values are rejected when constructed."""

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            if 'doc' in field.metadata:
                object.__setattr__(self, field.name, check_value(field, getattr(self, field.name)))


def from_mapping(cls: type[T], values: dict[str, Any], where: str = '') -> T:
    """Build the dataclass `cls` from a mapping; an unknown name raises `UserError`."""
    known = {field.name for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
    for name in values:
        if name not in known:
            prefix = f'{where}: ' if where else ''
            names = ', '.join(sorted(known))
            raise UserError(f'{prefix}unknown parameter {name!r}; known: {names}')
    try:
        return cls(**values)
    except UserError as error:
        raise UserError(f'{where}: {error}' if where else str(error)) from None
