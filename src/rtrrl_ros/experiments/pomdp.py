"""The tasks of arXiv 2311.04830: cell x task x seed from scratch, one set of values for all."""

import dataclasses
import math
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import yaml

from ..cells import CELLS
from ..errors import UserError
from ..learning.config import LearnerConfig
from ..parameters import from_mapping
from ..tasks import make_task
from .published import PUBLISHED, Published
from .runs import run_all
from .training import TrainingConfig, train

matplotlib.use('Agg')  # no display on a server
from matplotlib import pyplot

TASKS = tuple(PUBLISHED)
COLOURS = {'lrcssm': '#1f77b4', 'lru': '#2ca02c', 'ctrnn': '#ff7f0e'}


@dataclasses.dataclass(frozen=True)
class Settings:
    """What config/pomdp.yaml holds; `cells` are the options of each cell."""

    learner: LearnerConfig
    training: TrainingConfig
    cells: dict[str, dict[str, Any]]


def load_settings(path: Path, overrides: dict[str, Any]) -> Settings:
    """Read the settings; an override replaces a value of the learner or of the training."""
    try:
        loaded = yaml.safe_load(path.read_text())
        sections = [dict(loaded[name] or {}) for name in ('learner', 'training', 'cells')]
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise UserError(
            f'{path}: must hold learner, training and cells: {str(error).splitlines()[0]}'
        ) from None
    learner, training, cells = sections
    known = {field.name for field in dataclasses.fields(TrainingConfig)}
    for name, value in overrides.items():
        (training if name in known else learner)[name] = value
    return Settings(
        from_mapping(LearnerConfig, learner, str(path)),
        from_mapping(TrainingConfig, training, str(path)),
        {name: dict(cells.get(name) or {}) for name in CELLS},
    )


def run_job(job: dict[str, Any]) -> dict[str, Any]:
    """One run, for a worker process."""
    return train(
        job['task'], job['cell'], job['options'], from_mapping(LearnerConfig, job['learner']),
        from_mapping(TrainingConfig, job['training']), job['seed'],
    ).to_json()  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Row:
    """The runs of one task with one cell, a number for each seed."""

    task: str
    cell: str
    best: list[float]
    fresh: list[float]
    curves: list[list[tuple[int, float]]]
    refused: int

    @property
    def median(self) -> float:
        """What the published tables report: the median of the best evaluations."""
        return statistics.median(self.best)


def run(
    out: Path, settings: Settings, *, tasks: Sequence[str], cells: Sequence[str],
    seeds: Sequence[int], workers: int, on_run: Callable[[int, int], None],
) -> list[Row]:  # fmt: skip
    """Run what `out`/runs.jsonl does not hold yet; write table.md and curves.png."""
    for task in tasks:
        make_task(task)
    shared = {
        'learner': dataclasses.asdict(settings.learner),
        'training': dataclasses.asdict(settings.training),
    }
    keys = [(task, cell) for cell in cells for task in tasks]
    jobs = [
        {**shared, 'task': task, 'cell': cell, 'options': settings.cells[cell], 'seed': seed}
        for task, cell in keys
        for seed in seeds
    ]
    results = run_all(run_job, jobs, out / 'runs.jsonl', workers, on_run)
    rows = []
    for index, (task, cell) in enumerate(keys):
        part = results[index * len(seeds) : (index + 1) * len(seeds)]
        rows.append(
            Row(
                task,
                cell,
                [r['best'] for r in part],
                [r['fresh'] for r in part],
                [[tuple(point) for point in r['curve']] for r in part],
                sum(r['refused'] for r in part),
            )
        )
    (out / 'table.md').write_text(table(rows, tasks, cells, len(seeds)))
    plot(rows, tasks, out / 'curves.png')
    return rows


def table(rows: Sequence[Row], tasks: Sequence[str], cells: Sequence[str], seeds: int) -> str:
    """Markdown: ours, then what was published; then every seed."""
    found = {(row.task, row.cell): row for row in rows}
    lines = [
        f'Median of the best evaluation of {seeds} seeds. In brackets the same weights on fresh '
        'episodes: the best of many',
        'noisy evaluations is partly luck. Published: arXiv 2311.04830, the best of its columns '
        'for recurrent learners.',
        '',
        '| task | ' + ' | '.join(cells) + ' | published TD | RTRL | RFLO | LRU | PPO |',
        '|---|' + '---|' * (len(cells) + len(Published._fields)),
    ]
    for task in tasks:
        ours = [found[task, cell] for cell in cells]
        shown = [f'{_number(r.median)} ({_number(statistics.median(r.fresh))})' for r in ours]
        published = ['' if v is None else _number(v) for v in PUBLISHED.get(task, Published())]
        lines.append(f'| {task} | ' + ' | '.join([*shown, *published]) + ' |')
    lines += ['', 'Best evaluation of every seed:', '', '| task | cell | seeds | refused steps |']
    lines.append('|---|---|---|---|')
    for row in rows:
        values = ' '.join(_number(value) for value in row.best)
        lines.append(f'| {row.task} | {row.cell} | {values} | {row.refused} |')
    return '\n'.join(lines) + '\n'


def _number(value: float) -> str:
    return f'{value:.0f}' if abs(value) >= 100 else f'{value:.2f}'


def plot(rows: Sequence[Row], tasks: Sequence[str], path: Path) -> None:
    """Score over steps, a panel for each task: a thin line for each seed, the median thick."""
    columns = min(4, len(tasks))
    height = math.ceil(len(tasks) / columns)
    figure, grid = pyplot.subplots(
        height, columns, figsize=(3.4 * columns, 2.5 * height), layout='constrained', squeeze=False
    )
    for axes, task in zip(grid.flat, tasks, strict=False):
        for row in (row for row in rows if row.task == task):
            _plot_row(axes, row)
        best = make_task(task).best
        if best <= max(max(row.best) for row in rows if row.task == task) * 1.5 + 1:
            axes.axhline(best, color='grey', linewidth=0.8, linestyle=':')
        axes.set_title(task, fontsize='small')
        axes.tick_params(labelsize='x-small')
        axes.grid(alpha=0.3)
    for axes in grid.flat[len(tasks) :]:
        axes.set_visible(False)
    grid.flat[0].legend(fontsize='x-small', loc='lower right')
    figure.supxlabel('thousand steps', fontsize='small')
    figure.supylabel('score of the evaluation', fontsize='small')
    figure.savefig(path, dpi=130)
    pyplot.close(figure)


def _plot_row(axes: Any, row: Row) -> None:
    colour = COLOURS[row.cell]
    for curve in row.curves:
        steps, scores = np.array(curve).T
        axes.plot(steps / 1e3, scores, color=colour, alpha=0.25, linewidth=0.8)
    steps, medians = median_curve(row.curves)
    axes.plot(
        steps / 1e3, medians, color=colour, linewidth=1.6, marker='.', markersize=4,
        label=row.cell,
    )  # fmt: skip


def median_curve(curves: Sequence[Sequence[tuple[int, float]]]) -> tuple[np.ndarray, np.ndarray]:
    """Steps and median score of the first, second, ... evaluation of all seeds.

    They fall on ends of episodes, at slightly different steps. A run that stopped early keeps its
    last score.
    """
    most = max(curves, key=len)
    scores = [
        [curve[min(index, len(curve) - 1)][1] for index in range(len(most))] for curve in curves
    ]
    return np.array([steps for steps, _ in most]), np.median(scores, axis=0)
