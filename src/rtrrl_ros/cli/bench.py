"""`rtrrl bench`: speed and memory of the learner, beside the floor of its memory traffic."""

import argparse
import dataclasses

from .options import positive_int, writable, write_json

CELLS = ('lrcssm', 'lru', 'ctrnn')
STEPS, QUICK_STEPS = 100_000, 5_000
LARGEST = 4096


def size(text: str) -> tuple[int, int]:
    """For argparse: INPUTS,UNITS."""
    try:
        inputs, units = (int(part) for part in text.split(','))
    except ValueError:
        raise argparse.ArgumentTypeError(f'{text}: INPUTS,UNITS expected, such as 64,128') from None
    if not (1 <= inputs <= LARGEST and 1 <= units <= LARGEST):
        raise argparse.ArgumentTypeError(f'{text}: each must be in [1, {LARGEST}]')
    return inputs, units


def add_parser(commands: argparse._SubParsersAction) -> None:
    parser = commands.add_parser(
        'bench',
        help='time and memory of a learning step, on this machine',
        description='Measure one update of each cell beside the time that its memory traffic '
        'alone takes, a whole agent step, the encoder and the memory; compare with the goals. '
        'Takes about a minute on one core, and another one the first time, to compile.',
        epilog='Example: rtrrl bench --cell lrcssm --size 64,64 64,512 --json bench.json',
    )
    parser.add_argument('--json', metavar='FILE', help='write the result there; - for stdout')
    length = parser.add_mutually_exclusive_group()
    length.add_argument('--steps', type=positive_int, default=STEPS, help=f'default {STEPS}')
    length.add_argument(
        '--quick', action='store_const', const=QUICK_STEPS, dest='steps',
        help=f'{QUICK_STEPS} steps only: medians hold, the rare slow steps do not show',
    )  # fmt: skip
    parser.add_argument('--cell', nargs='+', choices=CELLS, default=CELLS, help='default: all')
    parser.add_argument(
        '--size', nargs='+', type=size, metavar='INPUTS,UNITS',
        help='default 64,64 64,128 64,256 64,512; the first one is also that of the agent, the '
        'others show how time grows and get a tenth of the steps',
    )  # fmt: skip
    parser.add_argument(
        '--reference', action='store_true', help='also time the same update in torch'
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from rich.console import Console

    from ..benchmarks.goals import judge
    from ..benchmarks.suite import SIZES, run_suite
    from ..benchmarks.tables import headline, tables
    from .progress import Stages

    writable(options.json)
    cells = list(dict.fromkeys(options.cell))
    sizes = list(dict.fromkeys(options.size or SIZES))
    with Stages(thread=False) as stages:
        report = run_suite(
            cells, sizes, options.steps, reference=options.reference, on_progress=stages.update
        )
    # stdout belongs to --json -
    console = Console(stderr=options.json == '-', highlight=False)
    if not console.is_terminal:
        console.width = 140  # a log file has no width; rich would take 80
    console.print(headline(report))
    for table in tables(report):
        console.print()
        console.print(table)
    verdicts = [dataclasses.asdict(verdict) for verdict in judge(report)]
    write_json(report.to_json() | {'goals': verdicts}, options.json)
    return 0
