"""`rtrrl finetune`: drive and learn."""

import argparse
from pathlib import Path

from ..worlds.shifts import shift_values
from .options import add_drive_options, learner_help, new_folder


def add_parser(commands: argparse._SubParsersAction) -> None:
    parser = commands.add_parser(
        'finetune',
        help='drive and learn by RTRRL, report each lap as it was really driven',
        description='Fine-tune a policy while it drives, without ROS. Reported are the returns '
        'that were really driven, exploration included.',
        epilog=learner_help()
        + '\n\nExample: rtrrl finetune car-racing --model models/car-racing-lrcssm --laps 10 '
        '--shift steering_offset=0.15 --seed 3 --json -',
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_drive_options(parser, laps=10)
    parser.add_argument('--out', type=Path, metavar='DIR', help='save the tuned model there')
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from ..driving.saving import save_tuned
    from .trials import drive_and_report

    out = options.out
    if out is not None:
        new_folder(out)
    result = drive_and_report(options, learn=True, explore=True)
    if out is not None:
        how = {
            'seed': options.seed, 'shift': shift_values(result.trial.shift),
            'laps': len(result.laps),
        }  # fmt: skip
        save_tuned(out, result.trial.checkpoint, result.agent, how)
    return 0
