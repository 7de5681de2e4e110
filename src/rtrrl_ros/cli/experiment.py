"""`rtrrl experiment`: a named comparison over seeds."""

import argparse
import os
from pathlib import Path

from ..errors import UserError
from .options import learner_help, parse_overrides, positive_int, seed_int

NAMES = ('car-racing-shift',)


def add_parser(commands: argparse._SubParsersAction) -> None:
    parser = commands.add_parser(
        'experiment',
        help='a named comparison over seeds: runs.jsonl, table.md, pictures',
        description='car-racing-shift: fine-tuning under a shift, beside the frozen policy with '
        'and without the same exploration, on the same tracks. What is in runs.jsonl already is '
        'not driven again.',
        epilog=learner_help()
        + '\n\nExample: rtrrl experiment car-racing-shift --shift steering_offset=0.15 --seeds 5',
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('name', choices=NAMES, metavar='NAME', help=' or '.join(NAMES))
    parser.add_argument('--model', type=Path, metavar='DIR', help='default: the shipped model')
    parser.add_argument('--seeds', type=positive_int, default=5, metavar='N', help='default 5')
    parser.add_argument('--first-seed', type=seed_int, default=0, help='default 0')
    parser.add_argument('--laps', type=positive_int, default=10, help='default 10')
    parser.add_argument(
        '--shift', action='append', metavar='K=V', help='default: steering_offset=0.15'
    )
    parser.add_argument(
        '--set', action='append', default=[], dest='overrides', metavar='K=V',
        help='replace a parameter of the learner',
    )  # fmt: skip
    parser.add_argument('--out', type=Path, metavar='DIR', help='default results/NAME')
    parser.add_argument(
        '--workers', type=positive_int, default=os.cpu_count() or 1, help='default: one per core'
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from ..checkpoint import load_checkpoint
    from ..configuration import load_task_config
    from ..experiments import car_racing_shift
    from ..resources import find_resource
    from ..worlds.shifts import parse_shift
    from .progress import Stages

    shift = options.shift or ['steering_offset=0.15']
    parse_shift('car-racing', shift)
    model = options.model or find_resource('models', 'car-racing-lrcssm')
    load_checkpoint(model)
    config = load_task_config('car-racing').with_learner(parse_overrides(options.overrides))
    out = options.out or Path('results') / options.name
    if out.exists() and not out.is_dir():
        raise UserError(f'--out {out}: is no folder')
    seeds = list(range(options.first_seed, options.first_seed + options.seeds))
    with Stages() as stages:
        car_racing_shift.run(
            out, model, config, shift=shift, seeds=seeds, laps=options.laps,
            workers=options.workers, on_run=lambda d, n: stages.update('trials', d, n),
        )  # fmt: skip
    print((out / 'table.md').read_text(), end='')
    print(f'wrote {out}/runs.jsonl, {out}/table.md and {out}/laps.png')
    return 0
