"""A summary as text for people."""

import datetime

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from .accumulators import S_NS
from .driving import CommandSummary
from .summary import Summary
from .timing import TopicTiming

#: log times before this are not of a calendar: a simulated clock recorded them
_YEAR_2000_NS = 946_684_800 * S_NS
_LAPS_SHOWN = 20


def show(summary: Summary, console: Console) -> None:
    """Print everything worth knowing, the shortest first and what to do about it last."""
    _print(console, _head(summary))
    if summary.topics:
        console.print(_topic_table(summary.topics))
    if summary.events is not None:
        _print(console, *_event_lines(summary))
    for command in summary.commands.values():
        if command.count:
            _print(console, f'{command.topic}: {_command_line(command)}')
    _print(console, *_lap_lines(summary))
    for use in summary.uses:
        state = 'nothing is missing' if use.ready else 'missing: ' + '; '.join(use.missing)
        _print(console, f'{use.name} ({use.command}): {state}')
    for remark in summary.remarks:
        _print(console, f'mind: {remark}')


def _print(console: Console, *lines: str) -> None:
    for line in lines:
        console.print(escape(line), soft_wrap=True)


def _head(summary: Summary) -> str:
    count = sum(timing.count for timing in summary.topics)
    when = ''
    if summary.start_ns > _YEAR_2000_NS:
        start = datetime.datetime.fromtimestamp(summary.start_ns / S_NS, datetime.UTC)
        when = f', from {start:%Y-%m-%d %H:%M:%S} UTC'
    return (
        f'{summary.path}: {count} messages on {len(summary.topics)} topics in '
        f'{summary.duration_s:.1f} s{when}'
    )


def _topic_table(topics: list[TopicTiming]) -> Table:
    table = Table(box=None, pad_edge=False, header_style='')
    for title in ('topic', 'type'):
        table.add_column(title, overflow='fold')
    for title in ('count', 'Hz', 'gaps', 'longest', 'lost', 'delay', 'drift'):
        table.add_column(title, justify='right', no_wrap=True)
    for timing in topics:
        longest = f'{timing.longest_gap_s:.3g} s' if timing.gaps else ''
        lost = '' if timing.lost is None else str(timing.lost)
        table.add_row(
            escape(timing.name), escape(timing.kind.replace('/msg/', '/')), str(timing.count),
            f'{timing.rate_hz:.4g}', str(timing.gaps), longest, lost,
            *_clock_cells(timing),
        )  # fmt: skip
    return table


def _clock_cells(timing: TopicTiming) -> tuple[str, str]:
    """Delay from stamp to log time, and drift of the stamps or how fast simulated time runs."""
    if not timing.stamped:
        return '', ''
    if timing.simulated or timing.other_epoch:
        return 'sim', pace(timing)
    delay_s = timing.mean_delay_s
    delay = f'{1e3 * delay_s:.2f} ms' if abs(delay_s) < 1.0 else f'{delay_s:.4g} s'
    return delay, pace(timing)


def pace(timing: TopicTiming) -> str:
    """How the clock of the stamps runs beside log time; '' where it cannot be told."""
    if timing.drift_ppm is None:
        return ''
    if timing.simulated:
        return f'x{1.0 - 1e-6 * timing.drift_ppm:.3g}'
    return f'{timing.drift_ppm:+.0f} ppm'


def _event_lines(summary: Summary) -> list[str]:
    events = summary.events
    assert events is not None
    width, height = events.size
    sensor = f'{width} x {height}, {", ".join(events.encodings) or "no packet"}'
    if not events.decoded:
        return [f'events: {sensor}: cannot be decoded']
    share = events.on / events.count if events.count else 0.0
    lines = [
        f'events: {sensor}: {events.count} in {events.duration_s:.1f} s of sensor time, '
        f'{events.rate_hz / 1e6:.3g} million a second, {share:.0%} ON, '
        f'{events.lost_packets} packets lost'
    ]
    if events.sensor_drift_ppm is not None:
        lines.append(
            f"events: the sensor's clock drifts by {events.sensor_drift_ppm:+.0f} ppm "
            'against the stamps'
        )
    return lines


def _command_line(command: CommandSummary) -> str:
    parts = [
        f'steering {command.mean_rad:+.3f} rad on average, standard deviation '
        f'{command.std_rad:.3f}, speed {command.mean_speed_m_s:.2f} m/s'
    ]
    if command.compared:
        parts.append(f'{command.paired / command.compared:.0%} belong to an observation')
    parts += [f'{name} {count}' for name, count in sorted(command.modes.items())]
    return ', '.join(parts)


def _lap_lines(summary: Summary) -> list[str]:
    lines = []
    if summary.laps is not None:
        laps = summary.laps.recorder.laps
        for lap in laps[:_LAPS_SHOWN]:
            lines.append(
                f'lap {lap.lap + 1}: {lap.steps} steps, return {lap.task_return:.2f}, '
                f'{100 * lap.mean_abs_lateral_error_m:.2f} cm off the line'
                + (', intervention' if lap.interventions else '')
            )
        if len(laps) > _LAPS_SHOWN:
            lines.append(f'... {len(laps)} laps in all')
        if summary.laps.unfinished_steps:
            lines.append(f'{summary.laps.unfinished_steps} steps of a lap without its end')
    path = summary.path_driven
    if path is not None:
        rounds = ', '.join(f'{length_s:.1f} s' for length_s in path.laps_s[:_LAPS_SHOWN])
        lines.append(
            f'odometry: {path.driven_m:.1f} m, rounds closed: {len(path.laps_s)}'
            + (f' ({rounds})' if rounds else '')
        )
    return lines
