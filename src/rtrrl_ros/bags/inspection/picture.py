"""A summary as a picture: what was recorded when, and what is in it."""

from pathlib import Path

import matplotlib
import numpy as np

from .driving import STEERING_EDGES
from .summary import Summary
from .text import pace

matplotlib.use('Agg')  # no display on a car or a server
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

#: topics whose delays are drawn at most
_DELAYS = 6
#: messages from which a rate is told, and in one bin from which none at all is a hole
_PER_WINDOW, _EXPECTED = 30, 2.0


def plot(summary: Summary, file: Path) -> None:
    """Write the picture of a recording as PNG."""
    figure, grid = pyplot.subplots(3, 2, figsize=(13.0, 12.0), layout='constrained')
    parts = (_activity, _events, _delays, _steering, _laps, _path)
    for axes, part in zip(grid.flat, parts, strict=True):
        part(axes, summary)
    figure.suptitle(f'{summary.path}: {summary.duration_s:.1f} s')
    figure.savefig(file, dpi=110, format='png')
    pyplot.close(figure)


def _nothing(axes: Axes, why: str) -> None:
    axes.text(0.5, 0.5, why, ha='center', va='center', transform=axes.transAxes, color='#7f7f7f')
    axes.set(xticks=[], yticks=[])


def _density(counts: np.ndarray) -> np.ndarray:
    """(bins,) messages beside what is usual, in [0, 2].

    So few messages come in one bin that the rate is told over several; an empty bin stays empty
    where there should be some. Of a topic that is nearly silent each message is shown.
    """
    if counts.sum() < _PER_WINDOW:
        return np.minimum(counts, 1.0)
    usual = counts.sum() / max(1, len(counts))
    width = min(len(counts), 1 + 2 * int(np.ceil(_PER_WINDOW / max(usual, 1e-9) / 2)))
    window = np.ones(width)
    rates = np.convolve(counts, window, 'same') / np.convolve(np.ones(len(counts)), window, 'same')
    if usual >= _EXPECTED:
        rates[counts == 0] = 0.0
    return np.minimum(rates / np.median(rates[rates > 0]), 2.0)


def _activity(axes: Axes, summary: Summary) -> None:
    """For each topic its rate over time, beside what it usually is; holes are white."""
    topics = [timing for timing in summary.topics if timing.count][::-1]
    axes.set_title('messages over time, beside the usual rate of the topic')
    if not topics:
        _nothing(axes, 'no messages')
        return
    rows = [_density(timing.per_bin) for timing in topics]
    extent = (0.0, summary.bins.count * summary.bins.width_s, -0.5, len(topics) - 0.5)
    axes.imshow(
        rows, aspect='auto', origin='lower', extent=extent, cmap='Greys', vmin=0.0, vmax=2.0,
        interpolation='nearest',
    )  # fmt: skip
    for edge in range(1, len(topics)):
        axes.axhline(edge - 0.5, color='white', linewidth=3.0)
    names = [
        f'{timing.name} (gaps: {timing.gaps})' if timing.gaps else timing.name for timing in topics
    ]
    axes.set_yticks(range(len(topics)), names, fontsize='x-small')
    axes.set_xlabel('log time / s')


def _events(axes: Axes, summary: Summary) -> None:
    events = summary.events
    axes.set_title('events')
    if events is None or not events.decoded:
        _nothing(axes, 'no events' if events is None else 'events cannot be decoded')
        return
    seen = events.seconds_per_bin > 0
    seconds = np.where(seen, events.seconds_per_bin, np.nan)
    for counts, label, colour in (
        (events.on_per_bin, 'ON', '#d62728'), (events.off_per_bin, 'OFF', '#1f77b4'),
    ):  # fmt: skip
        axes.plot(
            summary.bins.centres_s, counts / seconds / 1e6, label=label, color=colour, linewidth=0.8
        )
    lost = np.flatnonzero(events.lost_per_bin)
    if len(lost):
        axes.plot(
            summary.bins.centres_s[lost], np.zeros(len(lost)), '^', color='black', markersize=5,
            label=f'{events.lost_packets} packets lost', clip_on=False,
        )  # fmt: skip
    axes.set_ylim(bottom=0.0)
    axes.set(xlabel='log time / s', ylabel='million events per second of sensor time')
    axes.grid(alpha=0.3)
    axes.legend(fontsize='small')


def _delays(axes: Axes, summary: Summary) -> None:
    """Log time minus stamp, without the mean of each topic: its slope is the drift."""
    axes.set_title('delay: log time minus stamp, around the mean of the topic')
    stamped = [timing for timing in summary.topics if timing.drift_ppm is not None]
    if not stamped:
        _nothing(axes, 'no stamps, or too few')
        return
    stamped.sort(key=lambda timing: -timing.count)
    for timing in stamped[:_DELAYS]:
        delays = timing.delays_s - np.nanmean(timing.delays_s)
        unit, factor = ('s', 1.0) if any(t.simulated for t in stamped) else ('ms', 1e3)
        axes.plot(
            summary.bins.centres_s, factor * delays, '.', markersize=2.5,
            label=f'{timing.name} ({pace(timing)})',
        )  # fmt: skip
    axes.set(xlabel='log time / s', ylabel=unit)
    axes.grid(alpha=0.3)
    axes.legend(fontsize='x-small', markerscale=3)


def _steering(axes: Axes, summary: Summary) -> None:
    axes.set_title('steering that was commanded')
    commands = [command for command in summary.commands.values() if command.count]
    if not commands:
        _nothing(axes, 'no commands')
        return
    used = np.flatnonzero(sum(command.histogram for command in commands))
    for command in commands:
        axes.stairs(
            command.histogram / command.count, STEERING_EDGES,
            label=f'{command.topic}: {command.mean_rad:+.3f} ± {command.std_rad:.3f} rad',
        )  # fmt: skip
    edge = max(abs(STEERING_EDGES[used[0]]), abs(STEERING_EDGES[used[-1] + 1]))
    axes.set(xlim=(edge, -edge), xlabel='steering angle / rad (left is left)', ylabel='share')
    axes.grid(alpha=0.3)
    axes.legend(fontsize='small')


def _laps(axes: Axes, summary: Summary) -> None:
    axes.set_title('laps')
    if summary.laps is not None and summary.laps.recorder.laps:
        laps = summary.laps.recorder.laps
        numbers = [lap.lap + 1 for lap in laps]
        errors = [100 * lap.mean_abs_lateral_error_m for lap in laps]
        axes.bar(numbers, errors, color='#9ecae1')
        lost = [lap for lap in laps if lap.interventions]
        axes.plot([lap.lap + 1 for lap in lost], [0.0] * len(lost), 'x', color='black')
        axes.set(ylabel='mean distance from the line / cm (x: intervention)')
    elif summary.path_driven is not None and summary.path_driven.laps_s:
        times = summary.path_driven.laps_s
        axes.bar(range(1, len(times) + 1), times, color='#9ecae1')
        axes.set(ylabel='time of the lap, by the odometry / s')
    else:
        _nothing(axes, 'no whole lap')
        return
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.set_xlabel('lap')


def _path(axes: Axes, summary: Summary) -> None:
    axes.set_title('way, by the odometry')
    path = summary.path_driven
    if path is None or path.driven_m == 0.0:
        _nothing(axes, 'no odometry')
        return
    x, y = path.points
    axes.plot(x, y, '.', markersize=1.5)
    axes.plot(x[0], y[0], 'o', color='#2ca02c', label='start')
    axes.set_aspect('equal', adjustable='datalim')
    axes.set(xlabel='x / m', ylabel='y / m')
    axes.grid(alpha=0.3)
    axes.legend(fontsize='small')
