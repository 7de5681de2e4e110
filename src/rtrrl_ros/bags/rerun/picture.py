"""The picture of a what-if: what the candidate would have done, its errors, its promises."""

from pathlib import Path
from typing import Any

import matplotlib
import numpy as np

from .outcome import WhatIf

matplotlib.use('Agg')  # no display on a car or a server
from matplotlib import pyplot

#: curves are means over this many parts of the drive
PARTS = 200
_COLOURS = {'candidate': '#1f77b4', 'recorded': '#7f7f7f'}


def draw(result: WhatIf, title: str, path: Path) -> None:
    """Write a PNG."""
    figure, axes = pyplot.subplots(2, 2, figsize=(11.0, 7.0), layout='constrained')
    column = result.columns
    time_s = column['stamp_s'] - column['stamp_s'][0]
    executed = column['executed_steering']
    _curves(
        axes[0, 0], time_s, '|steering - executed| in rad',
        {
            'candidate': np.abs(column['steering'] - executed),
            'recorded': np.abs(column['recorded_steering'] - executed),
        },
    )  # fmt: skip
    _curves(
        axes[0, 1], time_s, '|TD error|',
        {
            'candidate': np.abs(column['td_error']),
            'recorded': np.abs(column['recorded_td_error']),
        },
    )  # fmt: skip
    _calibration(axes[1, 0], result)
    _curves(axes[1, 1], time_s, 'drift of the weights', {'candidate': column['drift']})
    figure.suptitle(title, fontsize='medium')
    figure.savefig(path, dpi=120)
    pyplot.close(figure)


def _curves(axes: Any, time_s: np.ndarray, label: str, series: dict[str, np.ndarray]) -> None:
    for name, values in series.items():
        finite = np.isfinite(values)
        if not finite.any():
            continue
        parts = np.array_split(np.flatnonzero(finite), min(PARTS, int(finite.sum())))
        means = [values[part].mean() for part in parts]
        axes.plot([time_s[part].mean() for part in parts], means, label=name, color=_COLOURS[name])
    axes.set(xlabel='time driven in s', ylabel=label)
    axes.set_ylim(bottom=0.0)
    axes.grid(alpha=0.3)
    axes.legend(loc='best', fontsize='small')


def _calibration(axes: Any, result: WhatIf) -> None:
    ends: list[float] = []
    for name, prefix in (('candidate', ''), ('recorded', 'recorded_')):
        numbers = result.calibration(prefix)
        if numbers is None:
            continue
        values = [part['value'] for part in numbers['bins']]
        returns = [part['return'] for part in numbers['bins']]
        axes.plot(values, returns, marker='o', label=name, color=_COLOURS[name])
        ends += [*values, *returns]
    if ends:
        axes.plot([min(ends), max(ends)], [min(ends), max(ends)], ':', color='black')
        axes.legend(loc='best', fontsize='small')
    axes.set(xlabel='predicted value', ylabel='discounted return that came')
    axes.grid(alpha=0.3)
