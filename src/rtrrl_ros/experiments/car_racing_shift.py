"""Fine-tuning under a shift in CarRacing, over seeds, beside the frozen policy and the control."""

import dataclasses
import statistics
from collections.abc import Callable
from pathlib import Path

import matplotlib

from ..configuration import TaskConfig
from ..driving.report import LAST_LAPS
from .runs import run_all
from .trial_job import ARMS, COLOURS, make_job, run_job, shared_by_jobs

matplotlib.use('Agg')  # no display on a server
from matplotlib import pyplot
from matplotlib.ticker import MaxNLocator


@dataclasses.dataclass(frozen=True)
class Outcome:
    """One seed: mean return of the last laps of each arm, and of all laps of the frozen policy."""

    seed: int
    last: dict[str, float]
    mean: dict[str, float]

    @property
    def won(self) -> bool:
        """Better than the frozen policy with and without the same exploration."""
        return self.last['tuned'] > max(self.last['frozen'], self.last['frozen, exploring'])


def run(
    out: Path, model: Path, config: TaskConfig, *, shift: list[str], seeds: list[int], laps: int,
    workers: int, on_run: Callable[[int, int], None],
) -> list[Outcome]:  # fmt: skip
    """Drive every arm on every seed; writes runs.jsonl, table.md and laps.png under `out`."""
    shared = shared_by_jobs('car-racing', model, config, laps)
    jobs = [make_job(shared, shift, arm, seed) for seed in seeds for arm in ARMS]
    results = run_all(run_job, jobs, out / 'runs.jsonl', workers, on_run)
    returns: dict[int, dict[str, list[float]]] = {seed: {} for seed in seeds}
    marks: dict[int, dict[str, int]] = {seed: {} for seed in seeds}
    keys = [(seed, arm) for seed in seeds for arm in ARMS]
    for (seed, arm), result in zip(keys, results, strict=True):
        returns[seed][arm] = [lap['return'] for lap in result['laps']]
        marks[seed][arm] = sum(lap['interventions'] for lap in result['laps'])
    outcomes = [
        Outcome(
            seed,
            {arm: statistics.fmean(values[-LAST_LAPS:]) for arm, values in arms.items()},
            {arm: statistics.fmean(values) for arm, values in arms.items()},
        )
        for seed, arms in returns.items()
    ]
    (out / 'table.md').write_text(table(outcomes, marks, laps))
    plot(returns, f'car-racing, shift: {", ".join(shift) or "none"}', out / 'laps.png')
    return outcomes


def table(outcomes: list[Outcome], interventions: dict[int, dict[str, int]], laps: int) -> str:
    """The outcomes as a Markdown table."""
    lines = [
        f'Mean return of the last {LAST_LAPS} of {laps} laps (interventions in all laps).',
        '',
        '| seed | ' + ' | '.join(ARMS) + ' | better than both |',
        '|' + '---|' * (len(ARMS) + 2),
    ]
    for outcome in outcomes:
        cells = [f'{outcome.last[arm]:.0f} ({interventions[outcome.seed][arm]})' for arm in ARMS]
        word = 'yes' if outcome.won else 'no'
        lines.append(f'| {outcome.seed} | ' + ' | '.join(cells) + f' | {word} |')
    means = [statistics.fmean(outcome.last[arm] for outcome in outcomes) for arm in ARMS]
    won = sum(outcome.won for outcome in outcomes)
    cells = [f'{mean:.0f}' for mean in means]
    lines.append('| mean | ' + ' | '.join(cells) + f' | {won} of {len(outcomes)} |')
    return '\n'.join(lines) + '\n'


def plot(returns: dict[int, dict[str, list[float]]], title: str, path: Path) -> None:
    """Return over laps: a thin line for each seed, a thick one for the mean."""
    figure, axes = pyplot.subplots(figsize=(7.5, 4.2), layout='constrained')
    for arm in ARMS:
        rows = [arms[arm] for arms in returns.values()]
        numbers = range(1, len(rows[0]) + 1)
        for row in rows:
            axes.plot(numbers, row, color=COLOURS[arm], alpha=0.25, linewidth=1)
        mean = [statistics.fmean(column) for column in zip(*rows, strict=True)]
        axes.plot(numbers, mean, color=COLOURS[arm], marker='o', label=f'{arm} (mean)')
    axes.set(xlabel='lap', ylabel='return of the lap', title=title)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)
    axes.legend(loc='best', fontsize='small')
    figure.savefig(path, dpi=130)
    pyplot.close(figure)
