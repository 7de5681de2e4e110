"""`rtrrl inspect`: what is in a bag, or how far two bags differ in what the policy saw."""

import argparse
import math
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UserError
from .options import positive_int, seed_int, writable, write_json

if TYPE_CHECKING:
    from rich.console import Console

SAMPLES, PERMUTATIONS = 2000, 1000
WIDTH = 120


def _seconds(text: str) -> float:
    """For argparse: a finite time of at least 0."""
    value = float(text)
    if not (math.isfinite(value) and value >= 0.0):
        raise argparse.ArgumentTypeError(f'{text}: must be at least 0 s')
    return value


def _at_least_two(text: str) -> int:
    """For argparse: an integer of at least 2; one feature has no distance to others of its bag."""
    value = int(text)
    if value < 2:
        raise argparse.ArgumentTypeError(f'{text}: must be at least 2')
    return value


def add_parser(commands: argparse._SubParsersAction) -> None:
    parser = commands.add_parser(
        'inspect',
        help='what is in a bag; how far two bags differ in what the policy saw',
        description='Topics, rates, gaps, clock drift, events, steering, laps of a bag, and what '
        'is missing to train on. Of two bags also: whether the features of their recordings are '
        'of one distribution (maximum mean discrepancy with a permutation test).',
        epilog='Example: rtrrl inspect demonstrations laps --png shift.png',
    )
    parser.add_argument('bag', type=Path, metavar='BAG', help='bag folder, .mcap or .db3 file')
    parser.add_argument('other', type=Path, nargs='?', metavar='BAG2', help='to compare with')
    parser.add_argument('--json', metavar='FILE', help='write the result there; - for stdout')
    parser.add_argument('--png', metavar='FILE', help='draw the result there')
    shift = parser.add_argument_group('two bags')
    shift.add_argument(
        '--model', type=Path, metavar='DIR',
        help="compute the features with this model's encoder; default: those that were recorded",
    )  # fmt: skip
    shift.add_argument(
        '--samples', type=_at_least_two, default=SAMPLES,
        help=f'features drawn from each bag at most, default {SAMPLES}',
    )  # fmt: skip
    shift.add_argument(
        '--permutations', type=positive_int, default=PERMUTATIONS, help=f'default {PERMUTATIONS}'
    )
    shift.add_argument(
        '--block', type=_seconds, metavar='S',
        help='time that is permuted as a whole, since neighbours are alike; 0: every feature for '
        'itself; default: five times as long as features are correlated',
    )  # fmt: skip
    shift.add_argument('--seed', type=seed_int, default=0, help='of drawing and permuting')
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from rich.console import Console

    for path, option in ((options.json, '--json'), (options.png, '--png')):
        writable(path, option)
    console = Console(stderr=options.json == '-', highlight=False)
    if not console.is_terminal:
        console.width = WIDTH
    if options.other is not None:
        return _two(options, console)
    if options.model is not None:
        raise UserError('--model is for two bags: name the one to compare with')
    return _one(options, console)


def _one(options: argparse.Namespace, console: 'Console') -> int:
    from ..bags.inspection.summary import summarise
    from ..bags.inspection.text import show
    from ..bags.reading import open_bag
    from .progress import Stages

    with Stages() as stages, open_bag(options.bag) as bag:
        summary = summarise(bag, on_progress=partial(stages.update, f'reading {options.bag}'))
    show(summary, console)
    write_json(summary.to_json(), options.json)
    if options.png:
        from ..bags.inspection.picture import plot

        plot(summary, Path(options.png))
    return 0


def _two(options: argparse.Namespace, console: 'Console') -> int:
    from ..bags.inspection.summary import Summary, summarise
    from ..bags.inspection.text import show
    from ..bags.reading import open_bag
    from ..bags.shift.comparison import compare
    from ..bags.shift.features import FeatureSample, feature_sample
    from .progress import Stages

    summaries: list[Summary] = []
    samples: list[FeatureSample] = []
    with Stages() as stages, ExitStack() as stack:
        bags = [stack.enter_context(open_bag(path)) for path in (options.bag, options.other)]
        # both are asked before either is read
        for number, bag in enumerate(bags):
            seed = 2 * options.seed + number
            samples.append(feature_sample(bag, options.model, options.samples, seed))
        for bag, sample in zip(bags, samples, strict=True):
            tell = partial(stages.update, f'reading {bag.path}')
            summaries.append(summarise(bag, [sample], tell))
    comparison = compare(
        *samples, block_s=options.block, permutations=options.permutations, seed=options.seed
    )
    for summary in summaries:
        show(summary, console)
        console.print()
    for line in comparison.lines():
        console.print(line, markup=False, soft_wrap=True)
    document = summaries[0].to_json()
    document |= {'other': summaries[1].to_json(), 'shift': comparison.to_json()}
    write_json(document, options.json)
    if options.png:
        from ..bags.shift.picture import plot

        plot(comparison, Path(options.png))
    return 0
