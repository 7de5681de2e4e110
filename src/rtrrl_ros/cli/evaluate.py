"""`rtrrl evaluate`: drive the frozen policy."""

import argparse

from .options import add_drive_options


def add_parser(commands: argparse._SubParsersAction) -> None:
    parser = commands.add_parser(
        'evaluate',
        help='drive the frozen policy and report its laps',
        description='Drive the frozen policy, without ROS, on tracks that no training has seen.',
        epilog='Example: rtrrl evaluate car-racing --model models/car-racing-lrcssm --laps 20',
    )
    add_drive_options(parser, laps=3)
    parser.add_argument(
        '--explore', action='store_true',
        help='with the exploration that fine-tuning would use (the control)',
    )  # fmt: skip
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from .trials import drive_and_report

    drive_and_report(options, learn=False, explore=options.explore)
    return 0
