"""`rtrrl experiment`: a named comparison over seeds. One module for each name."""

import argparse

from . import experiment_car_racing, experiment_line, experiment_pomdp, experiment_stability


def add_parser(commands: argparse._SubParsersAction) -> None:
    parser = commands.add_parser(
        'experiment',
        help='a named comparison over seeds: runs.jsonl, table.md, pictures',
        description='What is in runs.jsonl already is not run again: an experiment that was '
        'interrupted goes on where it was.',
        epilog='Example: rtrrl experiment pomdp --task MemoryChain-64 --cell lru',
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    names = parser.add_subparsers(dest='name', required=True, metavar='NAME')
    for module in (
        experiment_line, experiment_car_racing, experiment_pomdp, experiment_stability
    ):  # fmt: skip
        module.add_parser(names)
