"""What the learner should reach on one core, as data."""

import dataclasses
from collections.abc import Callable

from .report import Report

#: The sizes that the goals are about: inputs and units.
SIZE = (64, 64)


@dataclasses.dataclass(frozen=True)
class Goal:
    """A limit that a value must not exceed; `value` is None where nothing was measured.

    obstacle : what stands between us and the goal, if that is known
    """

    name: str
    limit: float
    unit: str
    value: Callable[[Report], float | None]
    obstacle: str = ''


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What was measured beside the limit; `obstacle` is empty where the goal is met."""

    goal: str
    limit: float
    unit: str
    value: float
    met: bool
    obstacle: str


def _update(cell: str) -> Callable[[Report], float | None]:
    def value(report: Report) -> float | None:
        found = report.network(cell, *SIZE)
        return None if found is None else found.update.p50_us

    return value


def _spread(cell: str) -> Callable[[Report], float | None]:
    def value(report: Report) -> float | None:
        found = report.network(cell, *SIZE)
        return None if found is None else found.update.p99_us / found.update.p50_us

    return value


def _step(cell: str) -> Callable[[Report], float | None]:
    def value(report: Report) -> float | None:
        found = report.agent(cell, *SIZE)
        return None if found is None else found.step.p50_us

    return value


def _growth(cell: str) -> Callable[[Report], float | None]:
    """Time per input and unit at 512 units, as a multiple of that at 64: 1 is linear."""

    def value(report: Report) -> float | None:
        small, large = report.network(cell, *SIZE), report.network(cell, SIZE[0], 512)
        return large.update.p50_us / small.update.p50_us / 8 if small and large else None

    return value


def _learn_beside_encoder(report: Report) -> float | None:
    steps = [agent.learn.p50_us for agent in report.agents]
    return max(steps) / report.encoder.forward.p50_us if steps else None


_DENSE = (
    'a units x units matrix: its bytes grow faster than inputs x units and leave the L2 cache '
    '(compare the growth of the floor)'
)
GOALS = (
    Goal('update of LrcSSM, p50', 10.0, 'us', _update('lrcssm')),
    Goal('update of LrcSSM, p99 / p50', 3.0, '', _spread('lrcssm')),
    Goal('update of LRU, p50', 20.0, 'us', _update('lru')),
    Goal('update of CT-RNN (RFLO), p50', 20.0, 'us', _update('ctrnn')),
    Goal('LrcSSM, time per input and unit, 512 / 64 units', 1.25, '', _growth('lrcssm')),
    Goal('LRU, time per input and unit, 512 / 64 units', 1.25, '', _growth('lru'), _DENSE),
    Goal('CT-RNN, time per input and unit, 512 / 64 units', 1.25, '', _growth('ctrnn'), _DENSE),
    Goal('agent step with LrcSSM, p50', 40.0, 'us', _step('lrcssm')),
    Goal('agent step with LRU, p50', 40.0, 'us', _step('lru')),
    Goal('agent step with CT-RNN, p50', 40.0, 'us', _step('ctrnn')),
    Goal('slowest learning / encoder, p50', 1.0, '', _learn_beside_encoder),
)


def judge(report: Report) -> list[Verdict]:
    """Every goal whose value was measured."""
    values = [(goal, goal.value(report)) for goal in GOALS]
    return [
        Verdict(
            goal.name,
            goal.limit,
            goal.unit,
            value,
            met := value <= goal.limit,
            '' if met else goal.obstacle,
        )
        for goal, value in values
        if value is not None
    ]
