"""`rtrrl experiment car-racing-shift`."""

import argparse
from pathlib import Path

from .experiment_options import add_experiment_options, out_folder, seeds_of
from .options import learner_help, parse_overrides, positive_int


def add_parser(names: argparse._SubParsersAction) -> None:
    parser = names.add_parser(
        'car-racing-shift',
        help='fine-tuning under a shift, beside the frozen policy',
        description='Fine-tuning under a shift, beside the frozen policy with and without the same '
        'exploration, on the same tracks.',
        epilog=learner_help()
        + '\n\nExample: rtrrl experiment car-racing-shift --shift steering_offset=0.15 --seeds 5',
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('--model', type=Path, metavar='DIR', help='default: the shipped model')
    parser.add_argument('--laps', type=positive_int, default=10, help='default 10')
    parser.add_argument(
        '--shift', action='append', metavar='K=V', help='default: steering_offset=0.15'
    )
    add_experiment_options(parser, seeds=5)
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
    load_checkpoint(model, 'car-racing')
    config = load_task_config('car-racing').with_learner(parse_overrides(options.overrides))
    out = out_folder(options)
    with Stages() as stages:
        car_racing_shift.run(
            out, model, config, shift=shift, seeds=seeds_of(options), laps=options.laps,
            workers=options.workers, on_run=lambda d, n: stages.update('trials', d, n),
        )  # fmt: skip
    print((out / 'table.md').read_text(), end='')
    print(f'wrote {out}/runs.jsonl, {out}/table.md and {out}/laps.png')
    return 0
