"""Where learning from scratch is stable: lambda x learning rate, several seeds a pair."""

import dataclasses
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path

import matplotlib
import numpy as np

from ..tasks import make_task
from .pomdp import Settings, run_job
from .runs import run_all

matplotlib.use('Agg')  # no display on a server
from matplotlib import pyplot

TASKS = ('MemoryChain-16', 'CartPole-pos')
LAMBDAS = (0.7, 0.8, 0.9, 0.95, 0.99)
#: factors of both learning rates of the settings
FACTORS = (0.3, 1.0, 3.0, 10.0, 30.0)
#: evaluations at the end over which a run's score is averaged
LAST = 3


@dataclasses.dataclass(frozen=True)
class Cell:
    """One pair: for each seed the mean of the last evaluations, and the best one."""

    task: str
    decay: float
    factor: float
    end: list[float]
    best: list[float]


def run(
    out: Path, settings: Settings, *, tasks: Sequence[str], cell: str, seeds: Sequence[int],
    workers: int, on_run: Callable[[int, int], None],
) -> list[Cell]:  # fmt: skip
    """Run what `out`/runs.jsonl does not hold yet; write table.md and stability.png."""
    for task in tasks:
        make_task(task)
    # to the end, whatever is reached on the way: what is asked is whether it stays there
    training = dataclasses.replace(settings.training, patience=10**6, stop_at_best=False)
    keys = [(task, decay, factor) for task in tasks for decay in LAMBDAS for factor in FACTORS]
    jobs = []
    for task, decay, factor in keys:
        learner = dataclasses.replace(
            settings.learner, lambda_actor=decay, lambda_critic=decay,
            actor_learning_rate=factor * settings.learner.actor_learning_rate,
            critic_learning_rate=factor * settings.learner.critic_learning_rate,
        )  # fmt: skip
        job = {
            'task': task, 'cell': cell, 'options': settings.cells[cell],
            'learner': dataclasses.asdict(learner), 'training': dataclasses.asdict(training),
        }  # fmt: skip
        jobs += [{**job, 'seed': seed} for seed in seeds]
    results = run_all(run_job, jobs, out / 'runs.jsonl', workers, on_run)
    cells = []
    for index, (task, decay, factor) in enumerate(keys):
        part = results[index * len(seeds) : (index + 1) * len(seeds)]
        ends = [statistics.fmean(score for _, score in r['curve'][-LAST:]) for r in part]
        cells.append(Cell(task, decay, factor, ends, [r['best'] for r in part]))
    (out / 'table.md').write_text(table(cells, settings, tasks))
    plot(cells, settings, tasks, out / 'stability.png')
    return cells


def _rates(settings: Settings) -> list[str]:
    return [f'{factor * settings.learner.actor_learning_rate:.0e}' for factor in FACTORS]


def table(cells: Sequence[Cell], settings: Settings, tasks: Sequence[str]) -> str:
    """Markdown: for each task lambda x learning rate of the actor; median and worst at the end."""
    found = {(c.task, c.decay, c.factor): c for c in cells}
    ratio = settings.learner.critic_learning_rate / settings.learner.actor_learning_rate
    lines = [
        f'Mean of the last {LAST} evaluations after {settings.training.steps} steps: median of '
        f'{len(cells[0].end)} seeds (worst seed).',
        f"Columns: the actor's learning rate; the critic's is {ratio:.1f} times as high.",
    ]
    for task in tasks:
        lines += ['', f'{task}:', '', '| lambda | ' + ' | '.join(_rates(settings)) + ' |']
        lines.append('|' + '---|' * (len(FACTORS) + 1))
        for decay in LAMBDAS:
            ends = [found[task, decay, factor].end for factor in FACTORS]
            shown = [f'{statistics.median(end):.2f} ({min(end):.2f})' for end in ends]
            lines.append(f'| {decay} | ' + ' | '.join(shown) + ' |')
    return '\n'.join(lines) + '\n'


def plot(cells: Sequence[Cell], settings: Settings, tasks: Sequence[str], path: Path) -> None:
    """A map for each task: colour and number are the median at the end, below it the worst seed."""
    found = {(c.task, c.decay, c.factor): c for c in cells}
    figure, grid = pyplot.subplots(
        1, len(tasks), figsize=(5.2 * len(tasks), 4.2), layout='constrained', squeeze=False
    )
    for axes, task in zip(grid.flat, tasks, strict=True):
        ends = [[found[task, decay, factor].end for factor in FACTORS] for decay in LAMBDAS]
        medians = np.median(np.array(ends), axis=2)
        image = axes.imshow(medians, cmap='viridis', aspect='auto', origin='lower')
        middle = (medians.min() + medians.max()) / 2
        for y, row in enumerate(ends):
            for x, end in enumerate(row):
                axes.text(
                    x, y, f'{np.median(end):.3g}\n({min(end):.3g})', ha='center', va='center',
                    fontsize='x-small', color='black' if medians[y, x] > middle else 'white',
                )  # fmt: skip
        axes.set_xticks(range(len(FACTORS)), _rates(settings))
        axes.set_yticks(range(len(LAMBDAS)), [f'{decay:g}' for decay in LAMBDAS])
        axes.set(xlabel="the actor's learning rate", ylabel='lambda', title=task)
        figure.colorbar(image, ax=axes, label='score at the end: median (worst seed)')
    figure.savefig(path, dpi=130)
    pyplot.close(figure)
