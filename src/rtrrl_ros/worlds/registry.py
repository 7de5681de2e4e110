"""The worlds by the name of their task."""

from collections.abc import Mapping
from typing import Any

from ..errors import UserError
from ..parameters import from_mapping
from .contract import World

TASKS = ('car-racing', 'line')


def _classes(task: str) -> tuple[type, type, type]:
    """World, configuration and shift of a task; a world is imported only where it is used."""
    if task == 'car-racing':
        from .car_racing import CarRacingConfig, CarRacingShift, CarRacingWorld

        return CarRacingWorld, CarRacingConfig, CarRacingShift
    if task == 'line':
        from .line import LineConfig, LineShift, LineWorld

        return LineWorld, LineConfig, LineShift
    raise UserError(f'unknown task {task!r}; known: {", ".join(TASKS)}')


def config_class(task: str) -> type:
    """The dataclass of a task's parameters."""
    return _classes(task)[1]


def shift_class(task: str) -> type:
    """The dataclass of a task's distribution shifts."""
    return _classes(task)[2]


def make_world(
    task: str,
    config: Mapping[str, Any] | object | None = None,
    shift: object | None = None,
    seed: int = 0,
    split: str = 'evaluation',
) -> World:
    """Build a world.

    Parameters
    ----------
    task : one of `TASKS`
    config : the task's configuration, or a mapping of its parameters; None: the defaults
    shift : the task's shift, see `shifts.parse_shift`; None: no shift
    seed, split : decide the tracks
    """
    world, config_cls, shift_cls = _classes(task)
    if config is None or isinstance(config, Mapping):
        config = from_mapping(config_cls, dict(config or {}), task)
    shift = shift_cls() if shift is None else shift
    if not isinstance(config, config_cls) or not isinstance(shift, shift_cls):
        raise UserError(f'{task} takes {config_cls.__name__} and {shift_cls.__name__}')
    return world(config, shift, seed, split)
