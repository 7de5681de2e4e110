"""Fine-tuning on the line under shifts: cell x shift x seed, beside the frozen policy.

Errors are the mean absolute lateral error of a lap in m, as really driven, exploration included.
Learning or not, a seed drives the same tracks.
"""

import dataclasses
import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib

from ..configuration import TaskConfig
from ..driving.report import LAST_LAPS
from .runs import run_all
from .trial_job import COLOURS, make_job, run_job, shared_by_jobs

matplotlib.use('Agg')  # no display on a server
from matplotlib import pyplot
from matplotlib.ticker import MaxNLocator

#: the goal: at most so many times the error of the frozen policy without shift, or this error
GOAL_RATIO, GOAL_M = 1.5, 0.015
#: laps after which learning is over; any further ones show whether it forgets
LEARNING_LAPS = 10


@dataclasses.dataclass(frozen=True)
class Outcome:
    """A cell, a shift and a seed: lateral errors in m and interventions, lap by lap."""

    cell: str
    shift: str
    seed: int
    unshifted: list[float]
    frozen: list[float]
    tuned: list[float]
    frozen_crashes: int
    tuned_crashes: int

    @property
    def goal_m(self) -> float:
        """The largest error that counts as adapted."""
        return max(GOAL_RATIO * statistics.fmean(self.unshifted), GOAL_M)

    @property
    def last_m(self) -> float:
        """Error of laps 8 to 10."""
        return statistics.fmean(self.tuned[:LEARNING_LAPS][-LAST_LAPS:])

    @property
    def reached(self) -> bool:
        """Adapted without a crash."""
        return self.last_m <= self.goal_m and not self.tuned_crashes

    @property
    def first_better(self) -> bool:
        """Already the first lap was better than the frozen policy's."""
        return self.tuned[0] < self.frozen[0]

    @property
    def forgotten(self) -> tuple[int, int, int, int]:
        """Laps after the learning laps that were worse than the frozen policy's.

        Worse than the same one (the car is put on the same place, and the pixels' noise is the
        same), than its worst, its mean and its best: laps of a policy that does not change differ
        as well, by what it happens to meet.
        """
        later = self.tuned[LEARNING_LAPS:]
        pairs = zip(later, self.frozen[LEARNING_LAPS:], strict=True)
        same = sum(tuned > frozen for tuned, frozen in pairs)
        limits = max(self.frozen), statistics.fmean(self.frozen), min(self.frozen)
        worst, mean, best = (sum(error > limit for error in later) for limit in limits)
        return same, worst, mean, best


def run(
    out: Path, models: Mapping[str, Path], configs: Mapping[str, TaskConfig], *,
    shifts: Sequence[list[str]], seeds: Sequence[int], laps: int, more_laps: int, workers: int,
    on_run: Callable[[int, int], None],
) -> list[Outcome]:  # fmt: skip
    """Drive all of it; writes runs.jsonl, table.md and laps.png under `out`.

    `models`, `configs` : model folder and configuration of each cell; `more_laps` : further laps
    under the shift
    """
    keys, jobs = [], []
    for cell, model in models.items():
        shared = shared_by_jobs('line', model, configs[cell], laps)
        shifted = {**shared, 'laps': laps + more_laps}
        for seed in seeds:
            arms: list[tuple[str, list[str]]] = [('frozen', [])]
            arms += [(arm, shift) for shift in shifts for arm in ('frozen', 'tuned')]
            for arm, shift in arms:
                keys.append((cell, seed, arm, ', '.join(shift)))
                common = shifted if shift else shared
                jobs.append(make_job(common, shift, arm, seed))
    results = run_all(run_job, jobs, out / 'runs.jsonl', workers, on_run)
    found = dict(zip(keys, (result['laps'] for result in results), strict=True))
    outcomes = [
        _outcome(found, cell, ', '.join(shift), seed)
        for shift in shifts
        for cell in models
        for seed in seeds
    ]
    (out / 'table.md').write_text(table(outcomes))
    plot(outcomes, out / 'laps.png')
    return outcomes


def _outcome(
    found: Mapping[tuple[str, int, str, str], list[dict[str, Any]]],
    cell: str, shift: str, seed: int,
) -> Outcome:  # fmt: skip
    def errors(arm: str, shift: str) -> list[float]:
        return [lap['mean_abs_lateral_error_m'] for lap in found[cell, seed, arm, shift]]

    def crashes(arm: str) -> int:
        return sum(lap['interventions'] for lap in found[cell, seed, arm, shift])

    return Outcome(
        cell, shift, seed, errors('frozen', ''), errors('frozen', shift), errors('tuned', shift),
        crashes('frozen'), crashes('tuned'),
    )  # fmt: skip


def table(outcomes: Sequence[Outcome]) -> str:
    """Markdown: a row for each shift and cell, then a row for each seed."""
    lines = [
        'Mean absolute lateral error of a lap in cm, mean of the seeds; in brackets the lowest and '
        f'the highest seed. Last: laps {LEARNING_LAPS - LAST_LAPS + 1} to {LEARNING_LAPS}.',
        f'Goal: at most {GOAL_RATIO:g} x the frozen policy without shift, or {_cm(GOAL_M)} cm, and '
        'no intervention in any lap.',
        '',
        '| shift | cell | no shift, frozen | shifted, frozen | tuned, lap 1 | tuned, last '
        '| best lap | lap 1 better | goal | interventions frozen, tuned |',
        '|' + '---|' * 10,
    ]
    for (shift, cell), group in _groups(outcomes).items():
        cells = [
            _spread([statistics.fmean(o.unshifted) for o in group]),
            _spread([statistics.fmean(o.frozen) for o in group]),
            _spread([o.tuned[0] for o in group]),
            _spread([o.last_m for o in group]),
            _spread([min(o.tuned) for o in group]),
            f'{sum(o.first_better for o in group)} of {len(group)}',
            f'{sum(o.reached for o in group)} of {len(group)}',
            f'{sum(o.frozen_crashes for o in group)}, {sum(o.tuned_crashes for o in group)}',
        ]
        lines.append(f'| {shift} | {cell} | ' + ' | '.join(cells) + ' |')
    lines += [
        '',
        '| shift | cell | seed | no shift | frozen | tuned, lap 1 | tuned, last | limit | reached '
        '| interventions frozen, tuned | after lap 10: worse than '
        'frozen in the same lap, at its worst, its mean, its best |',
        '|' + '---|' * 11,
    ]
    for o in outcomes:
        means = [statistics.fmean(o.unshifted), statistics.fmean(o.frozen), o.tuned[0], o.last_m]
        cells = [*map(_cm, [*means, o.goal_m]), 'yes' if o.reached else 'no']
        cells.append(f'{o.frozen_crashes}, {o.tuned_crashes}')
        later = max(0, len(o.tuned) - LEARNING_LAPS)
        cells.append('{}, {}, {}, {} of {}'.format(*o.forgotten, later) if later else '')
        lines.append(f'| {o.shift} | {o.cell} | {o.seed} | ' + ' | '.join(cells) + ' |')
    return '\n'.join(lines) + '\n'


def _groups(outcomes: Sequence[Outcome]) -> dict[tuple[str, str], list[Outcome]]:
    groups: dict[tuple[str, str], list[Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault((outcome.shift, outcome.cell), []).append(outcome)
    return groups


def _cm(value_m: float) -> str:
    return f'{100.0 * value_m:.2f}'


def _spread(values_m: Sequence[float]) -> str:
    return f'{_cm(statistics.fmean(values_m))} ({_cm(min(values_m))} to {_cm(max(values_m))})'


def plot(outcomes: Sequence[Outcome], path: Path) -> None:
    """Error over laps, a panel for each shift and cell: seeds thin, their mean thick."""
    groups = _groups(outcomes)
    shifts = list(dict.fromkeys(shift for shift, _ in groups))
    cells = list(dict.fromkeys(cell for _, cell in groups))
    figure, grid = pyplot.subplots(
        len(shifts), len(cells), figsize=(4.2 * len(cells), 3.4 * len(shifts)), sharex=True,
        sharey='row', layout='constrained', squeeze=False,
    )  # fmt: skip
    for (shift, cell), group in groups.items():
        axes = grid[shifts.index(shift), cells.index(cell)]
        _plot_arm(axes, [o.unshifted for o in group], 'frozen, no shift', '#7f7f7f')
        _plot_arm(axes, [o.frozen for o in group], 'frozen', COLOURS['frozen'])
        _plot_arm(axes, [o.tuned for o in group], 'tuned', COLOURS['tuned'])
        axes.set_title(f'{cell}, {shift}', fontsize='small')
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
    for row, shift in zip(grid, shifts, strict=True):
        # a lap off the line would squash all others: what single seeds do beyond is cut off
        means = [m for (name, _), group in groups.items() if name == shift for m in _means(group)]
        row[0].set_ylim(0.0, 110.0 * max(means))
    grid[0, 0].legend(fontsize='small')
    figure.supxlabel('lap', fontsize='small')
    figure.supylabel('mean absolute lateral error in cm', fontsize='small')
    figure.savefig(path, dpi=130)
    pyplot.close(figure)


def _means(group: Sequence[Outcome]) -> list[float]:
    """Errors in m of each lap, mean of the seeds, of all that is drawn."""
    arms = [[o.unshifted for o in group], [o.frozen for o in group], [o.tuned for o in group]]
    return [statistics.fmean(errors) for arm in arms for errors in zip(*arm, strict=True)]


def _plot_arm(axes: Any, errors_m: Sequence[Sequence[float]], label: str, colour: str) -> None:
    numbers = range(1, len(errors_m[0]) + 1)
    for row in errors_m:
        axes.plot(numbers, [100.0 * value for value in row], color=colour, alpha=0.25, linewidth=1)
    mean = [100.0 * statistics.fmean(column) for column in zip(*errors_m, strict=True)]
    axes.plot(numbers, mean, color=colour, linewidth=1.8, label=label)
