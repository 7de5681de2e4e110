"""The report as tables for the terminal."""

from collections.abc import Iterator

from rich.table import Table

from ..cells.kernels.benchmark import Times
from .goals import judge
from .report import Report

NAMES = {'lrcssm': 'LrcSSM', 'lru': 'LRU', 'ctrnn': 'CT-RNN RFLO'}
PERCENTILES = ('p50', 'p99', 'p99.9', 'max')


def headline(report: Report) -> str:
    """One line on the conditions."""
    conditions = report.conditions
    pinned = 'not pinned' if conditions.core is None else f'pinned to core {conditions.core}'
    return (
        f'{conditions.processor}, {conditions.machine}; {pinned}, one thread, no garbage '
        f'collection; load {conditions.load_before:.2f} before, {conditions.load_after:.2f} after, '
        f'preempted {conditions.preemptions} times'
    )


def tables(report: Report) -> Iterator[Table]:
    """In the order in which one asks: updates, steps, encoder, memory, goals."""
    yield _networks(report)
    yield _steps(report)
    yield _memory(report)
    yield _goals(report)


def _table(title: str, *columns: str, names: int = 1) -> Table:
    """The first `names` columns are text, the others numbers."""
    table = Table(title=title, title_justify='left', title_style='bold')
    for index, column in enumerate(columns):
        table.add_column(column, justify='left' if index < names else 'right', no_wrap=True)
    return table


def _microseconds(times: Times) -> list[str]:
    values = (times.p50_us, times.p99_us, times.p999_us, times.max_us)
    return [f'{value:.1f}' if value < 1000 else f'{value:.0f}' for value in values]


def _networks(report: Report) -> Table:
    columns = ['cell', 'rule', 'in', 'units', 'times', 'KiB', *PERCENTILES, 'p99/p50']
    columns += ['floor', 'ratio']
    if report.torch_us:
        columns.append('torch')
    table = _table('One update of one network (us)', *columns, names=2)
    references = [f'{value:.0f}' for value in report.torch_us] + [''] * len(report.sgd)
    for index, network in enumerate([*report.networks, *report.sgd]):
        update, floor = network.update, network.floor
        row = [
            NAMES[network.cell], network.optimizer, str(network.input_size),
            str(network.hidden_size), str(network.steps), f'{network.bytes / 1024:.0f}',
            *_microseconds(update),
            f'{update.p99_us / update.p50_us:.2f}', f'{floor.p50_us:.1f}',
            f'{update.p50_us / floor.p50_us:.2f}',
        ]  # fmt: skip
        table.add_row(*row, *(references[index : index + 1] if report.torch_us else []))
    return table


def _steps(report: Report) -> Table:
    first = report.agents[0]
    table = _table(
        f'A whole agent step, {first.input_size} inputs, {first.hidden_size} units, and the '
        'encoder (us)',
        '', 'part', 'times', *PERCENTILES, names=2,
    )  # fmt: skip
    for agent in report.agents:
        for part, times in (('act', agent.act), ('learn', agent.learn), ('both', agent.step)):
            table.add_row(NAMES[agent.cell], part, str(agent.steps), *_microseconds(times))
    encoder = report.encoder
    table.add_row('encoder', 'forward', str(encoder.steps), *_microseconds(encoder.forward))
    return table


def _memory(report: Report) -> Table:
    columns = ('weights', 'Adam', 'eligibility', 'trace', 'origin', 'other', 'total')
    table = _table('Memory of one learning network (KiB)', 'cell', 'parameters', *columns)
    for part in report.memory:
        sizes = (
            part.weights, part.adam, part.eligibility, part.trace, part.origin, part.other,
            part.total,
        )  # fmt: skip
        table.add_row(
            NAMES[part.cell], str(part.parameters), *(f'{size / 1024:.0f}' for size in sizes)
        )
    table.caption = (
        f'peak of the process: {report.peak / 2**20:.0f} MiB, with what the compiler took if it '
        f'ran; Python and libraries alone: {report.peak_before / 2**20:.0f} MiB'
    )
    table.caption_justify = 'left'
    return table


def _goals(report: Report) -> Table:
    table = _table('Goals', 'goal', 'limit', 'measured', '')
    obstacles = []
    for verdict in judge(report):
        limit, value = (f'{x:.3g} {verdict.unit}'.strip() for x in (verdict.limit, verdict.value))
        outcome = '[green]met[/green]' if verdict.met else '[red]missed[/red]'
        table.add_row(verdict.goal, limit, value, outcome)
        obstacles += [verdict.obstacle] if verdict.obstacle else []
    table.caption = '; '.join(f'missed: {text}' for text in dict.fromkeys(obstacles))
    table.caption_justify = 'left'
    return table
