"""`rtrrl replay BAG --learner CONFIG`: another learner over the same drive."""

import argparse
from pathlib import Path
from typing import Any

from ..errors import UserError
from .options import writable, write_json
from .replay_exact import SHOWN_STEPS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--learner and --png; the rest is shared, see `replay_exact.add_arguments`."""
    group = parser.add_argument_group('another learner over the same drive (--learner)')
    group.add_argument(
        '--learner', action='append', metavar='CONFIG',
        help='ROS parameter file, or K=V for one parameter of the learner, or reward.K=V for one '
        'of the reward; may be given several times, later ones count',
    )  # fmt: skip
    group.add_argument('--png', type=Path, metavar='FILE', help='--learner: draw the result there')


def run(options: argparse.Namespace) -> int:
    """Exit status 0, whatever came out."""
    from ..bags.reading import open_bag
    from ..bags.rerun.candidate import parse_candidate
    from ..bags.rerun.runs import choose_run, recorded_runs
    from ..bags.rerun.what_if import what_if
    from ..checkpoint import load_checkpoint
    from .progress import Stages

    writable(options.json)
    if options.png is not None and not options.png.resolve().parent.is_dir():
        raise UserError(f'--png {options.png}: no such folder')
    with open_bag(options.bag) as bag, Stages() as stages:
        chosen = choose_run(recorded_runs(bag), options.run_number, bag.path)
        if chosen.start is None and options.model is None:
            raise UserError(f'{bag.path} does not say which model drove: name one with --model')
        recorded = _recorded(chosen.start, options.model)
        checkpoint = recorded if options.model is None else load_checkpoint(options.model)
        assert checkpoint is not None
        candidate = parse_candidate(options.learner, checkpoint, chosen.start)
        total = bag.topics['/reward'].count if '/reward' in bag.topics else 0

        def on_step(index: int) -> None:
            if index % SHOWN_STEPS == 0:
                stages.update('trying', min(index, total), max(total, 1))

        result = what_if(
            bag, chosen, candidate, recorded, stamp_offset_s=options.stamp_offset, on_step=on_step
        )
    document = {'bag': str(options.bag), 'run': options.run_number or 1, **result.to_json()}
    if options.json != '-':
        print('\n'.join(text(document)))
    write_json(document, options.json)
    if options.png is not None:
        from ..bags.rerun.picture import draw

        draw(result, f'{options.bag.name}: {", ".join(options.learner)}', options.png)
    return 0


def _recorded(start: Any, given: Path | None) -> Any:
    """The model that drove; None where it is gone, but another one is to be tried."""
    from ..bags.rerun.models import find_model

    try:
        return find_model(start, None)
    except UserError:
        if given is None:
            raise
        try:
            return find_model(start, given)  # moved
        except UserError:
            return None


def text(document: dict[str, Any]) -> list[str]:
    """The result in lines."""
    speed = document['driven_s'] / max(document['seconds'], 1e-9)
    lines = [
        f'{document["steps"]} observations in {document["driven_s"]:.1f} s, tried in '
        f'{document["seconds"]:.1f} s, {speed:.1f} x real time; learned from '
        f'{document["learned_steps"]}'
    ]
    for name, (before, after) in document['changed'].items():
        lines.append(f'  {name}: {before} -> {after}')
    lines.append(f'  {"":34s}{"candidate":>12s}{"recorded":>12s}')
    steering, errors, values = document['steering'], document['td_error'], document['value']
    rows: list[tuple[str, Any, Any, str]] = [
        (
            'steering off the executed (rad)', steering['candidate_from_executed'],
            steering['recorded_policy_from_executed'], 'mean_abs',
        ),
        ('TD error, rms', errors['candidate'], errors['recorded'], 'rms'),
        ('value: bias', values['candidate'], values['recorded'], 'bias'),
        ('value: rms error', values['candidate'], values['recorded'], 'rmse'),
        (
            'value: explained variance', values['candidate'], values['recorded'],
            'explained_variance',
        ),
    ]  # fmt: skip
    for label, one, other, key in rows:
        lines.append(f'  {label:34s}{_number(one, key):>12s}{_number(other, key):>12s}')
    lines.append(f'  drift {document["drift"]:.4f}, rolled back {document["rollbacks"]} times')
    weight = document['weight']
    if weight is not None:
        lines.append(
            f'  weight of the executed actions: mean {weight["mean"]:.3f}, below a half in '
            f'{weight["below_half"]:.1%}'
        )
    return lines + [f'  note: {line}' for line in document['remarks']]


def _number(numbers: dict[str, Any] | None, key: str) -> str:
    value = None if numbers is None else numbers[key]
    return '-' if value is None else f'{value:.5f}'
