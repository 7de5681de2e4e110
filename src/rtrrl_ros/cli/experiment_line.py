"""`rtrrl experiment line-shift`."""

import argparse
from pathlib import Path

from ..errors import UserError
from .experiment_options import add_experiment_options, out_folder, seeds_of
from .options import learner_help, parse_overrides, positive_int

CELLS = ('lrcssm', 'lru', 'ctrnn')
SHIFTS = ('steering_offset=0.1', 'light=4')


def add_parser(names: argparse._SubParsersAction) -> None:
    parser = names.add_parser(
        'line-shift',
        help='fine-tuning on the line under shifts, every cell beside its frozen policy',
        description='Cell x shift x seed on the simulated line car: the frozen policy without '
        'shift, the frozen policy under the shift, and the learner, on the same tracks. '
        'Parameters: config/line_CELL.yaml where a cell has a file of its own, else '
        'config/line.yaml.',
        epilog=learner_help()
        + '\n\nExample: rtrrl experiment line-shift --cell lrcssm --more-laps 50',
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        '--cell', action='append', choices=CELLS,
        help='may be given several times; default: all shipped models',
    )  # fmt: skip
    parser.add_argument(
        '--model', action='append', type=Path, metavar='DIR',
        help='instead of the shipped ones; may be given once for each cell',
    )  # fmt: skip
    parser.add_argument('--laps', type=positive_int, default=10, help='default 10')
    parser.add_argument(
        '--more-laps', type=positive_int, default=0, metavar='N',
        help='further laps under the shift, to see whether the learner forgets; default 0',
    )  # fmt: skip
    parser.add_argument(
        '--shift', action='append', metavar='K=V[,K=V]',
        help=f'may be given several times; default: {" and ".join(SHIFTS)}',
    )  # fmt: skip
    add_experiment_options(parser, seeds=5)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from ..checkpoint import load_checkpoint
    from ..configuration import load_task_config
    from ..experiments import line_shift
    from ..resources import find_resource, list_resources
    from ..worlds.shifts import parse_shift
    from .progress import Stages

    if options.model and options.cell:
        raise UserError('--cell chooses among the shipped models: give it or --model')
    shifts = [shift.split(',') for shift in options.shift or SHIFTS]
    for shift in shifts:
        parse_shift('line', shift)
    cells = options.cell or [c for c in CELLS if f'line-{c}' in list_resources('models')]
    folders = options.model or [find_resource('models', f'line-{cell}') for cell in cells]
    models: dict[str, Path] = {}
    for folder in folders:
        cell = load_checkpoint(folder, 'line').get('cell', str)
        if cell in models:
            raise UserError(f'--model {folder}: {models[cell]} has the cell {cell} already')
        models[cell] = folder
    overrides = parse_overrides(options.overrides)
    configs = {cell: load_task_config('line', cell=cell).with_learner(overrides) for cell in models}
    out = out_folder(options)
    with Stages() as stages:
        line_shift.run(
            out, models, configs, shifts=shifts, seeds=seeds_of(options), laps=options.laps,
            more_laps=options.more_laps, workers=options.workers,
            on_run=lambda d, n: stages.update('trials', d, n),
        )  # fmt: skip
    print((out / 'table.md').read_text(), end='')
    print(f'wrote {out}/runs.jsonl, {out}/table.md and {out}/laps.png')
    return 0
