"""`rtrrl replay BAG --exact`: run encoder and agent again and compare bit for bit."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .options import positive_int, writable, write_json

if TYPE_CHECKING:
    from ..bags.rerun.comparison import Comparison
    from ..bags.rerun.exact import ExactReport

#: steps between two updates of the progress
SHOWN_STEPS = 200


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--exact, and what it shares with --learner: --run, --model, --stamp-offset, --json."""
    group = parser.add_argument_group(
        'the agent once more, from the bag alone (--exact, --learner)',
        'Needs no ROS graph. Works with a recording of /learner_run, which the agent publishes.',
    )
    group.add_argument(
        '--exact', action='store_true',
        help='run encoder and agent again and compare with what was recorded, bit for bit',
    )  # fmt: skip
    group.add_argument(
        '--run', type=positive_int, dest='run_number', metavar='N',
        help='which run, where the bag holds several; counted from 1',
    )  # fmt: skip
    group.add_argument(
        '--model', type=Path, metavar='DIR',
        help='model folder; default: the one that was driven with; onto topics: none',
    )  # fmt: skip
    group.add_argument(
        '--stamp-offset', type=float, default=0.0, metavar='S',
        help="the encoder's stamp_offset_s when it was recorded; default 0",
    )  # fmt: skip
    group.add_argument('--json', metavar='FILE', help='write the result there; - for stdout')


def run(options: argparse.Namespace) -> int:
    """Exit status 0: identical; 1: it differs."""
    from ..bags.reading import open_bag
    from ..bags.rerun.exact import replay_exact
    from ..bags.rerun.runs import choose_run, recorded_runs
    from .progress import Stages

    writable(options.json)
    with open_bag(options.bag) as bag, Stages() as stages:
        runs = recorded_runs(bag)
        chosen = runs if options.run_number is None else [choose_run(runs, options.run_number, bag)]
        total = bag.topics['/features'].count if '/features' in bag.topics else 0

        def on_step(index: int) -> None:
            if index % SHOWN_STEPS == 0:
                stages.update('repeating', min(index, total), max(total, 1))

        reports = [
            replay_exact(
                bag, each, model=options.model, stamp_offset_s=options.stamp_offset,
                on_step=on_step,
            )
            for each in chosen
        ]  # fmt: skip
    parts: list[dict[str, Any]] = []
    for number, (each, report) in enumerate(zip(chosen, reports, strict=True), start=1):
        number = options.run_number or number
        if options.json != '-':
            print('\n'.join(text(report, number, len(runs))))
        start = each.start
        about: dict[str, Any] = {'run': number}
        if start is not None:
            about |= {'model': start.model, 'learn': start.learn, 'seed': start.seed}
            about |= {'lockstep': start.lockstep}
        parts.append({**about, **report.to_json()})
    identical = all(report.identical for report in reports)
    write_json({'bag': str(options.bag), 'identical': identical, 'runs': parts}, options.json)
    return 0 if identical else 1


def text(report: 'ExactReport', number: int, runs: int) -> list[str]:
    """What came out of one run, in lines."""
    speed = f', {report.driven_s / report.seconds:.1f} x real time' if report.driven_s else ''
    lines = [
        f'run {number} of {runs}: {report.steps} observations in {report.driven_s:.1f} s, '
        f'repeated in {report.seconds:.1f} s{speed}'
    ]
    lines += _table(report.comparison)
    lines += [f'  not checked: {line}' for line in report.not_checked]
    lines += [f'  note: {line}' for line in report.remarks]
    if report.identical:
        lines.append('identical, bit for bit')
    else:
        lines.append(f'NOT identical; first difference: {report.comparison.first}')
    return lines


def _table(comparison: 'Comparison') -> list[str]:
    lines = []
    for name, tally in comparison.tallies.items():
        same = tally.checked - tally.different
        lines.append(f'  {name:24s}{same:8d} of {tally.checked} identical')
        if tally.first is not None:
            lines.append(f'    first difference: {tally.first}')
    return lines
