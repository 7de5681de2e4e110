"""Options that several sub-commands share, and their meaning."""

import argparse
import dataclasses
import json
import math
import os
import sys
from pathlib import Path
from typing import Any

from ..configuration import TaskConfig, load_task_config
from ..errors import UserError
from ..learning.config import LearnerConfig
from ..parameters import range_text
from ..worlds.registry import TASKS


def positive_int(text: str) -> int:
    """For argparse: an integer of at least 1."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f'{text}: must be at least 1')
    return value


def seed_int(text: str) -> int:
    """For argparse: an integer of at least 0."""
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f'{text}: must be at least 0')
    return value


def add_drive_options(parser: argparse.ArgumentParser, laps: int) -> None:
    """TASK, --model, --laps, --shift, --seed, --config, --set, --json."""
    parser.add_argument('task', choices=TASKS, metavar='TASK', help=' or '.join(TASKS))
    parser.add_argument('--model', required=True, type=Path, metavar='DIR', help='model folder')
    parser.add_argument('--laps', type=positive_int, default=laps, help=f'default {laps}')
    parser.add_argument(
        '--shift', action='append', default=[], metavar='K=V',
        help='change the vehicle or the light, may be given several times. line: steering_offset, '
        'light, contrast_threshold, speed, latency, floor_texture; car-racing: steering_offset, '
        'engine_power, friction, light',
    )  # fmt: skip
    parser.add_argument(
        '--seed', type=seed_int, default=0, help='of tracks and exploration, default 0'
    )
    add_config_options(parser)
    parser.add_argument('--json', metavar='FILE', help='write the result there; - for stdout')


def add_config_option(parser: argparse.ArgumentParser) -> None:
    """--config."""
    parser.add_argument(
        '--config',
        type=Path,
        metavar='FILE',
        help='ROS parameter file; default config/TASK_CELL.yaml where there is one, else '
        'config/TASK.yaml',
    )


def add_config_options(parser: argparse.ArgumentParser) -> None:
    """--config and --set."""
    add_config_option(parser)
    parser.add_argument(
        '--set', action='append', default=[], dest='overrides', metavar='K=V',
        help='replace a parameter of the learner, such as actor_learning_rate=3e-5',
    )  # fmt: skip


def learner_help() -> str:
    """One line per parameter of the learner, for --help."""
    lines = ['parameters of the learner (--set); config/TASK.yaml replaces some of the defaults:']
    for field in dataclasses.fields(LearnerConfig):
        accepted = range_text(field)
        lines.append(f'  {field.name}={field.default}\n      {field.metadata["doc"]} ({accepted})')
    return '\n'.join(lines)


def parse_overrides(items: list[str]) -> dict[str, Any]:
    """K=V items as values of the type that each learner parameter has."""
    fields = {field.name: field for field in dataclasses.fields(LearnerConfig)}
    values: dict[str, Any] = {}
    for item in items:
        name, separator, text = item.partition('=')
        if not separator or name not in fields:
            raise UserError(f'--set {item}: K=V with K one of {", ".join(sorted(fields))}')
        values[name] = _parse(text, type(fields[name].default), item)
    return values


def _parse(text: str, kind: type, item: str) -> Any:
    if kind is bool:
        if text.lower() in ('true', 'false'):
            return text.lower() == 'true'
        raise UserError(f'--set {item}: true or false expected')
    try:
        value = kind(text)
    except ValueError:
        raise UserError(f'--set {item}: {kind.__name__} expected') from None
    if kind is float and not math.isfinite(value):
        raise UserError(f'--set {item}: a finite number expected')
    return value


def task_config(options: argparse.Namespace, cell: str) -> TaskConfig:
    """The configuration that --config and --set ask for; by default what was tuned for the cell."""
    config = load_task_config(options.task, options.config, cell)
    return config.with_learner(parse_overrides(options.overrides))


def writable(path: str | None, option: str = '--json') -> None:
    """Fail before a long run, not after it, where the result cannot be written."""
    if not path or path == '-':
        return
    file = Path(path).resolve()
    if not file.parent.is_dir():
        raise UserError(f'{option} {path}: no such folder')
    if file.is_dir():
        raise UserError(f'{option} {path}: is a folder; name a file in it')
    if not os.access(file if file.exists() else file.parent, os.W_OK):
        raise UserError(f'{option} {path}: may not be written; name another file')


def makeable(folder: Path, option: str = '--out') -> None:
    """Fail before a long run, not after it, where nothing can be written into the folder."""
    # unlike those of Path, these take a folder that may not be looked into for a missing one
    place = next(
        place for place in (folder.absolute(), *folder.absolute().parents)
        if os.path.isdir(place) or (place != folder.absolute() and os.path.lexists(place))
    )  # fmt: skip
    if not os.path.isdir(place) or not os.access(place, os.W_OK | os.X_OK):
        raise UserError(f'{option} {folder}: nothing can be made in {place}; name another folder')


def new_folder(folder: Path, option: str = '--out') -> None:
    """Fail before a long run where the folder cannot be made, or holds something already."""
    makeable(folder, option)
    if os.path.lexists(folder) and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f'{option} {folder}: exists already; name a new folder')


def write_json(result: dict[str, Any], path: str | None) -> None:
    """Write the result to a file, or to stdout for '-'."""
    text = json.dumps(result, indent=2) + '\n'
    if path == '-':
        sys.stdout.write(text)
    elif path:
        Path(path).write_text(text)
