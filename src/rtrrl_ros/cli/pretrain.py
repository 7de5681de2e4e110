"""`rtrrl pretrain`: demonstrations, cloning, a first critic; makes a model folder."""

import argparse
import dataclasses
import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import UserError
from .options import TASKS, add_config_options, positive_int, seed_int, task_config, write_json
from .progress import Stages


def add_parser(commands: argparse._SubParsersAction) -> None:
    parser = commands.add_parser(
        'pretrain',
        help='clone a policy from demonstrations',
        description='Drive demonstrations on training tracks, clone encoder and policy from them, '
        'and fit a first critic to laps of the clone. In car-racing the clone is corrected on its '
        'own laps before.',
        epilog='Example: rtrrl pretrain line --out my-line\n'
        'Example: rtrrl pretrain car-racing --cell lru --out my-racer',
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('task', choices=TASKS, metavar='TASK', help=' or '.join(TASKS))
    parser.add_argument('--out', required=True, type=Path, metavar='DIR', help='new model folder')
    parser.add_argument('--cell', default='lrcssm', help='recurrent cell, default lrcssm')
    parser.add_argument('--seed', type=seed_int, default=0, help='default 0')
    parser.add_argument(
        '--laps', '--expert-laps', type=positive_int, metavar='N',
        help='of demonstrations; default: line 3, car-racing 32',
    )  # fmt: skip
    parser.add_argument(
        '--epochs', type=positive_int, metavar='N',
        help='at most; default: line 40, car-racing 12, twice as many in the second round',
    )  # fmt: skip
    parser.add_argument(
        '--workers', type=positive_int, default=os.cpu_count() or 1,
        help='processes that drive and threads that train; default: one per core',
    )  # fmt: skip
    add_config_options(parser)
    parser.add_argument('--json', metavar='FILE', help='write the summary there; - for stdout')
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from ..cells import CELLS

    if options.out.exists() and (not options.out.is_dir() or any(options.out.iterdir())):
        raise UserError(f'--out {options.out}: exists already; name a new folder')
    if options.cell not in CELLS:
        raise UserError(f'--cell {options.cell}: known cells are {", ".join(sorted(CELLS))}')
    task = task_config(options)
    pretrain = _line(options) if options.task == 'line' else _car_racing(options)
    with Stages() as stages:
        summary = pretrain(
            task, seed=options.seed, out=options.out, workers=options.workers,
            threads=options.workers,
            on_progress=lambda p: stages.update(p.stage, p.done, p.total, p.note),
        )  # fmt: skip
    for name, value in summary.items():
        shown_value = f'{value:.3f}' if isinstance(value, float) else value
        stages.console.print(f'{name:28s} {shown_value}')
    write_json(summary, options.json)
    return 0


def _car_racing(options: argparse.Namespace) -> Callable[..., dict[str, Any]]:
    from ..imitation.car_racing import PretrainConfig, pretrain
    from ..imitation.cloning import CloningConfig
    from ..imitation.critic import CriticConfig

    config = PretrainConfig(cell=options.cell)
    if options.laps:
        config = dataclasses.replace(config, expert_laps=options.laps)
    cloning = _with_epochs(CloningConfig(), options)
    return functools.partial(pretrain, config=config, cloning=cloning, critic=CriticConfig())


def _line(options: argparse.Namespace) -> Callable[..., dict[str, Any]]:
    from ..imitation.critic import CriticConfig
    from ..imitation.line import CLONING, LinePretrainConfig, pretrain

    config = LinePretrainConfig(cell=options.cell)
    if options.laps:
        config = dataclasses.replace(config, laps=options.laps)
    cloning = _with_epochs(CLONING, options)
    return functools.partial(pretrain, config=config, cloning=cloning, critic=CriticConfig())


def _with_epochs(cloning: Any, options: argparse.Namespace) -> Any:
    return dataclasses.replace(cloning, epochs=options.epochs) if options.epochs else cloning
