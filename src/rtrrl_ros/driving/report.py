"""The report of the main job: frozen against tuned, as a table, a JSON and a picture."""

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
from rich.table import Table

matplotlib.use('Agg')  # no display on a car or a server
from matplotlib import pyplot
from matplotlib.ticker import MaxNLocator

#: laps at the end of a phase that the comparison is about
LAST_LAPS = 3

Phases = dict[str, list[dict[str, Any]]]


def returns(laps: Sequence[dict[str, Any]]) -> list[float]:
    """The return of each lap."""
    return [lap['return'] for lap in laps]


def summary(phases: Phases) -> dict[str, Any]:
    """Numbers to compare: mean return of each phase, and of the last laps of each."""
    return {
        name: {
            'laps': len(laps),
            'mean_return': statistics.fmean(returns(laps)),
            'last_laps_mean_return': statistics.fmean(returns(laps)[-LAST_LAPS:]),
            'interventions': sum(lap['interventions'] for lap in laps),
            'rolled_back': sum(lap['rolled_back'] for lap in laps),
        }
        for name, laps in phases.items()
    }


def table(phases: Phases, title: str) -> Table:
    """Lap by lap, a column for each phase; the last rows are means."""
    view = Table(title=title)
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
            cells.append(f'{marks} {lap["return"]:.0f}'.strip())
        view.add_row(str(index + 1), *cells)
    view.add_section()
    numbers = summary(phases)
    for key, label in (('mean_return', 'mean'), ('last_laps_mean_return', f'last {LAST_LAPS}')):
        view.add_row(label, *(f'{numbers[name][key]:.0f}' for name in phases))
    view.caption = '! intervention   < rolled back'
    return view


def plot(phases: Phases, title: str, path: Path) -> None:
    """Return over laps, a line for each phase, as a PNG."""
    figure, axes = pyplot.subplots(figsize=(7.5, 4.2), layout='constrained')
    colours = {'frozen': '#7f7f7f', 'frozen, shifted': '#d62728', 'tuned, shifted': '#1f77b4'}
    for name, laps in phases.items():
        values, numbers = returns(laps), [lap['lap'] + 1 for lap in laps]
        colour = colours.get(name)
        axes.plot(numbers, values, marker='o', label=name, color=colour)
        axes.axhline(statistics.fmean(values), color=colour, linestyle=':', linewidth=1)
        for lap in laps:
            if lap['interventions']:
                axes.plot(lap['lap'] + 1, lap['return'], 'x', color='black', markersize=9)
    axes.plot([], [], 'x', color='black', label='intervention')
    axes.plot([], [], ':', color='#7f7f7f', label='mean of the phase')
    axes.set(xlabel='lap', ylabel='return of the lap', title=title)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)
    axes.legend(loc='best', fontsize='small')
    figure.savefig(path, dpi=130)
    pyplot.close(figure)


def speed_ratios(phase: dict[str, Any], bare: dict[str, dict[str, float]]) -> dict[str, float]:
    """The graph's time per decision beside that of the bare environment, medians in s."""
    graph = phase['decision_interval_s']['p50']
    stock, world = bare['stock']['median_s'], bare['world']['median_s']
    return {
        'graph_s': graph, 'bare_stock_s': stock, 'bare_world_s': world,
        'graph_to_stock': graph / stock, 'graph_to_world': graph / world,
    }  # fmt: skip


def verdict(document: dict[str, Any]) -> list[str]:
    """What came out, in words; also when it is nothing to be proud of."""
    numbers, speed = document['summary'], document['speed']
    frozen, tuned = numbers['frozen, shifted'], numbers['tuned, shifted']
    cost = 1.0 - frozen['mean_return'] / numbers['frozen']['mean_return']
    last, before = tuned['last_laps_mean_return'], frozen['last_laps_mean_return']
    word = 'better than' if last > before else 'not better than'
    agent = document['phases']['tuned, shifted']
    return [
        f'The shift costs the frozen policy {cost:.0%} of its return. Last {LAST_LAPS} laps: '
        f'tuned {last:.0f}, {word} frozen {before:.0f} on the same tracks.',
        f'One decision through the graph: {1e3 * speed["graph_s"]:.1f} ms (median); the bare '
        f'environment: {1e3 * speed["bare_stock_s"]:.1f} ms as in gymnasium (ratio '
        f'{speed["graph_to_stock"]:.2f}), {1e3 * speed["bare_world_s"]:.1f} ms as drawn here '
        f'(ratio {speed["graph_to_world"]:.2f}).',
        f'Agent: act {1e3 * agent["act_latency_s"]["p50"]:.2f} ms, learn '
        f'{1e3 * agent["learn_latency_s"]["p50"]:.2f} ms (medians). Memory of the whole graph: '
        f'{document["memory_peak_bytes"] / 2**20:.0f} MiB at most.',
    ]
