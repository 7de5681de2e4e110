"""The report of the main job: frozen against tuned, as a table, a JSON and a picture."""

import statistics
from pathlib import Path
from typing import Any

import matplotlib
from rich.table import Table

from .score import Score

matplotlib.use('Agg')  # no display on a car or a server
from matplotlib import pyplot
from matplotlib.ticker import MaxNLocator

#: laps at the end of a phase that the comparison is about
LAST_LAPS = 3

Phases = dict[str, list[dict[str, Any]]]


def summary(phases: Phases, score: Score) -> dict[str, Any]:
    """Numbers to compare: mean score of each phase, and of the last laps of each.

    The score is that of the laps' JSON, in its unit.
    """
    return {
        name: {
            'laps': len(laps),
            'score': score.key,
            'mean': score.mean(laps) / score.factor,
            'last_laps_mean': score.mean(laps[-LAST_LAPS:]) / score.factor,
            'interventions': sum(lap['interventions'] for lap in laps),
            'rolled_back': sum(lap['rolled_back'] for lap in laps),
        }
        for name, laps in phases.items()
    }


def table(phases: Phases, title: str, score: Score) -> Table:
    """Lap by lap, a column for each phase; the last rows are means."""
    view = Table(title=f'{title}\n{score.label}')
    view.add_column('lap', justify='right')
    for name in phases:
        view.add_column(name, justify='right')
    for index in range(max(len(laps) for laps in phases.values())):
        cells = []
        for laps in phases.values():
            if index >= len(laps):
                cells.append('')
                continue
            lap = laps[index]
            marks = '!' * lap['interventions'] + ('<' if lap['rolled_back'] else '')
            cells.append(f'{marks} {score.text(score.of([lap])[0])}'.strip())
        view.add_row(str(index + 1), *cells)
    view.add_section()
    view.add_row('mean', *(score.text(score.mean(laps)) for laps in phases.values()))
    last = (score.text(score.mean(laps[-LAST_LAPS:])) for laps in phases.values())
    view.add_row(f'last {LAST_LAPS}', *last)
    view.caption = '! intervention   < rolled back'
    return view


def plot(phases: Phases, title: str, score: Score, path: Path) -> None:
    """Score over laps, a line for each phase, as a PNG."""
    figure, axes = pyplot.subplots(figsize=(7.5, 4.2), layout='constrained')
    colours = {'frozen': '#7f7f7f', 'frozen, shifted': '#d62728', 'tuned, shifted': '#1f77b4'}
    for name, laps in phases.items():
        values, numbers = score.of(laps), [lap['lap'] + 1 for lap in laps]
        colour = colours.get(name)
        axes.plot(numbers, values, marker='o', label=name, color=colour)
        axes.axhline(statistics.fmean(values), color=colour, linestyle=':', linewidth=1)
        for number, value, lap in zip(numbers, values, laps, strict=True):
            if lap['interventions']:
                axes.plot(number, value, 'x', color='black', markersize=9)
    axes.plot([], [], 'x', color='black', label='intervention')
    axes.plot([], [], ':', color='#7f7f7f', label='mean of the phase')
    axes.set(xlabel='lap', ylabel=score.label, title=title)
    if score.lower_is_better:
        axes.set_ylim(bottom=0.0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)
    axes.legend(loc='best', fontsize='small')
    figure.savefig(path, dpi=130)
    pyplot.close(figure)


def speed_ratios(phase: dict[str, Any], bare: dict[str, dict[str, float]]) -> dict[str, float]:
    """The graph's time per decision beside those of the bare environment, medians in s."""
    graph = phase['decision_interval_s']['p50']
    ratios = {'graph_s': graph}
    for name, timing in bare.items():
        ratios[f'bare_{name}_s'] = timing['median_s']
        ratios[f'graph_to_{name}'] = graph / timing['median_s']
    return ratios


def verdict(document: dict[str, Any], phases: Phases, score: Score) -> list[str]:
    """What came out, in words; also when it is nothing to be proud of."""
    frozen, shifted, tuned = (
        phases[name] for name in ('frozen', 'frozen, shifted', 'tuned, shifted')
    )
    last, before = score.mean(tuned[-LAST_LAPS:]), score.mean(shifted[-LAST_LAPS:])
    word = 'better than' if score.better(last, before) else 'not better than'
    tracks = ' on the same tracks' if len(tuned) == len(shifted) else ''
    means = score.mean(frozen), score.mean(shifted)
    if score.lower_is_better:
        cost = f'makes it {means[1] / means[0]:.1f} times as large'
    else:
        cost = f'takes {1.0 - means[1] / means[0]:.0%} of it'
    agent = document['phases']['tuned, shifted']
    return [
        f'The {score.label}: the shift {cost} for the frozen policy. Last {LAST_LAPS} laps: tuned '
        f'{score.text(last)}, {word} frozen {score.text(before)}{tracks}.',
        _speed(document['speed']),
        f'Agent: act {1e3 * agent["act_latency_s"]["p50"]:.2f} ms, learn '
        f'{1e3 * agent["learn_latency_s"]["p50"]:.2f} ms (medians). Memory of the whole graph: '
        f'{document["memory_peak_bytes"] / 2**20:.0f} MiB at most.',
    ]


def _speed(speed: dict[str, float]) -> str:
    shown = {'stock': 'as in gymnasium', 'world': 'as simulated here'}
    parts = [
        f'{1e3 * speed[f"bare_{name}_s"]:.1f} ms {words} (ratio {speed[f"graph_to_{name}"]:.2f})'
        for name, words in shown.items()
        if f'bare_{name}_s' in speed
    ]
    return (
        f'One decision through the graph: {1e3 * speed["graph_s"]:.1f} ms (median); the bare '
        f'environment: {", ".join(parts)}.'
    )
