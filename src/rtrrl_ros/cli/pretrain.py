"""`rtrrl pretrain`: demonstrations, cloning, a first critic; makes a model folder."""

import argparse
import dataclasses
import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import UserError
from .options import (
    TASKS,
    add_config_options,
    new_folder,
    positive_int,
    seed_int,
    task_config,
    writable,
    write_json,
)
from .progress import Stages


def add_parser(commands: argparse._SubParsersAction) -> None:
    parser = commands.add_parser(
        'pretrain',
        help='clone a policy from demonstrations',
        description='Drive demonstrations on training tracks, clone encoder and policy from them, '
        'and fit a first critic to laps of the clone. In car-racing the clone is corrected on its '
        'own laps before. With --data nothing is driven: demonstrations, and the rewards for the '
        'critic, come out of recordings.',
        epilog='Example: rtrrl pretrain line --out my-line\n'
        'Example: rtrrl pretrain line --data monday tuesday.mcap drive.aedat4 --out my-car\n'
        'Example: torchrun --nproc-per-node 2 --no-python rtrrl pretrain line --data monday '
        '--out my-car\n'
        'Example: rtrrl pretrain car-racing --cell lru --out my-racer',
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('task', choices=TASKS, metavar='TASK', help=' or '.join(TASKS))
    parser.add_argument('--out', required=True, type=Path, metavar='DIR', help='new model folder')
    parser.add_argument('--cell', default='lrcssm', help='lrcssm (default), lru, ctrnn or stack')
    parser.add_argument('--seed', type=seed_int, default=0, help='default 0')
    parser.add_argument(
        '--laps', '--expert-laps', type=positive_int, metavar='N',
        help='of demonstrations; default: line 3, car-racing 32',
    )  # fmt: skip
    parser.add_argument(
        '--epochs', type=positive_int, metavar='N',
        help='at most; default: line 40 (lru 80), car-racing 12, twice as many in the second round',
    )  # fmt: skip
    parser.add_argument(
        '--workers', type=positive_int, default=os.cpu_count() or 1,
        help='processes that drive and threads that train; default: one per core',
    )  # fmt: skip
    add_config_options(parser)
    _add_data_options(parser)
    parser.add_argument('--json', metavar='FILE', help='write the summary there; - for stdout')
    parser.set_defaults(run=run)


def _add_data_options(parser: argparse.ArgumentParser) -> None:
    data = parser.add_argument_group('learning from recordings (line)')
    data.add_argument(
        '--data', nargs='+', type=Path, metavar='BAG', default=[],
        help='bags with events and teleop, executed or ackermann_cmd; or .aedat4 files, each with '
        'such a bag of the same name beside it',
    )  # fmt: skip
    data.add_argument(
        '--cache', type=Path, metavar='DIR',
        help='keep decoded frames there; default ~/.cache/rtrrl_ros/frames',
    )  # fmt: skip
    data.add_argument(
        '--reference', type=Path, metavar='CSV',
        help='line that was followed (see line_recorder_node): laps and rewards from odom along it',
    )  # fmt: skip
    data.add_argument(
        '--max-skew', type=float, metavar='S',
        help='a command further from a frame in time is not its command; default 0.05 s',
    )  # fmt: skip
    data.add_argument(
        '--batch-laps', type=positive_int, metavar='N',
        help='laps unrolled side by side, shared by the processes of torchrun; default 3',
    )  # fmt: skip


def run(options: argparse.Namespace) -> int:
    from ..cells import CELLS

    _check_data_options(options)
    new_folder(options.out)
    writable(options.json)
    if options.cell not in CELLS:
        raise UserError(f'--cell {options.cell}: known cells are {", ".join(sorted(CELLS))}')
    task = task_config(options, options.cell)
    run_one = _run_recorded if options.data else _run_driven
    pretrain = _line(options) if options.task == 'line' else _car_racing(options)
    return run_one(options, functools.partial(pretrain, task, seed=options.seed, out=options.out))


def _run_driven(options: argparse.Namespace, pretrain: Callable[..., dict[str, Any]]) -> int:
    with Stages() as stages:
        summary = pretrain(
            workers=options.workers, threads=options.workers,
            on_progress=lambda p: stages.update(p.stage, p.done, p.total, p.note),
        )  # fmt: skip
    _show(options, summary, stages)
    return 0


def _run_recorded(options: argparse.Namespace, pretrain: Callable[..., dict[str, Any]]) -> int:
    """Alone, or as one of the processes that torchrun started: then only the first one talks."""
    from ..imitation.data_parallel import process_group

    with process_group() as group, Stages() as stages:
        first = group.rank == 0
        summary = pretrain(
            workers=1, threads=max(1, options.workers // group.local_size), group=group,
            on_progress=lambda p: (
                stages.update(p.stage, p.done, p.total, p.note) if first else None
            ),
        )  # fmt: skip
        group.wait()
    if first:
        _show(options, summary, stages)
    return 0


def _show(options: argparse.Namespace, summary: dict[str, Any], stages: Stages) -> None:
    notes = summary.get('notes', [])
    for name, value in summary.items():
        shown_value = f'{value:.3f}' if isinstance(value, float) else value
        if name != 'notes':
            stages.console.print(f'{name:28s} {shown_value}')
    for note in notes:
        stages.console.print(f'note: {note}')
    write_json(summary, options.json)


def _check_data_options(options: argparse.Namespace) -> None:
    """Raise UserError where options contradict one another."""
    alone = {
        '--cache': options.cache, '--reference': options.reference, '--max-skew': options.max_skew
    }  # fmt: skip
    if options.data:
        if options.task != 'line':
            raise UserError(f'--data: of use with task line only, not {options.task}')
        if options.laps:
            raise UserError('--laps: how many laps to drive; with --data none is driven')
        return
    for name, value in alone.items():
        if value is not None:
            raise UserError(f'{name}: of use with --data only')


def _car_racing(options: argparse.Namespace) -> Callable[..., dict[str, Any]]:
    from ..imitation.car_racing import PretrainConfig, pretrain
    from ..imitation.cloning import CloningConfig
    from ..imitation.critic import CriticConfig

    config = PretrainConfig(cell=options.cell)
    if options.laps:
        config = dataclasses.replace(config, expert_laps=options.laps)
    cloning = _with_options(CloningConfig(), options)
    return functools.partial(pretrain, config=config, cloning=cloning, critic=CriticConfig())


def _line(options: argparse.Namespace) -> Callable[..., dict[str, Any]]:
    from ..bags.demonstrations.frame_cache import default_cache
    from ..bags.demonstrations.laps import RecordedConfig
    from ..imitation.critic import CriticConfig
    from ..imitation.line import CLONING, CLONING_OF_CELL, LinePretrainConfig, Recordings, pretrain

    config = LinePretrainConfig(cell=options.cell)
    if options.laps:
        config = dataclasses.replace(config, laps=options.laps)
    data = None
    if options.data:
        skew = {} if options.max_skew is None else {'max_skew_s': options.max_skew}
        data = Recordings(
            options.data, options.cache or default_cache(), options.reference,
            RecordedConfig(**skew),
        )  # fmt: skip
    cloning = _with_options(CLONING_OF_CELL.get(options.cell, CLONING), options)
    return functools.partial(
        pretrain, config=config, cloning=cloning, critic=CriticConfig(), data=data
    )


def _with_options(cloning: Any, options: argparse.Namespace) -> Any:
    given = {'epochs': options.epochs, 'batch_laps': options.batch_laps}
    return dataclasses.replace(cloning, **{k: v for k, v in given.items() if v})
