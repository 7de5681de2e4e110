"""Goals: a limit that is exceeded is called missed, and what was not measured is not judged."""

from types import SimpleNamespace

import pytest

from rtrrl_ros.benchmarks.goals import judge
from rtrrl_ros.cells.kernels.benchmark import Measurement, Times


def report(*updates: Measurement, learn_us: float = 10.0) -> SimpleNamespace:
    """As much of a report as goals look at."""

    def network(cell: str, inputs: int, units: int) -> Measurement | None:
        found = (
            u for u in updates if (u.cell, u.input_size, u.hidden_size) == (cell, inputs, units)
        )
        return next(found, None)

    return SimpleNamespace(
        network=network,
        agent=lambda *sizes: None,
        agents=[SimpleNamespace(learn=times(learn_us))],
        encoder=SimpleNamespace(forward=times(400.0)),
    )


def times(p50: float, p99: float = 0.0) -> Times:
    return Times(p50, p99 or p50, p99 or p50, p99 or p50)


def update(cell: str, units: int, p50: float, p99: float = 0.0) -> Measurement:
    return Measurement(cell, 64, units, 'adam', 1, 1, times(p50, p99), times(1.0))


def verdicts(*arguments, **options) -> dict:
    return {verdict.goal: verdict for verdict in judge(report(*arguments, **options))}


@pytest.mark.parametrize(('p50', 'met'), [(9.9, True), (10.0, True), (10.1, False)])
def test_the_limit_of_an_update(p50: float, met: bool) -> None:
    found = verdicts(update('lrcssm', 64, p50))
    assert found['update of LrcSSM, p50'].met is met
    assert found['update of LrcSSM, p50'].value == p50


def test_rare_slow_steps_miss_their_goal() -> None:
    found = verdicts(update('lrcssm', 64, 5.0, p99=16.0))
    assert found['update of LrcSSM, p50'].met
    assert not found['update of LrcSSM, p99 / p50'].met


def test_growth_is_counted_per_input_and_unit_and_explained_where_known() -> None:
    name = 'LRU, time per input and unit, 512 / 64 units'
    linear = verdicts(update('lru', 64, 10.0), update('lru', 512, 80.0))[name]
    assert linear.met and linear.value == 1.0 and linear.obstacle == ''
    dense = verdicts(update('lru', 64, 10.0), update('lru', 512, 560.0))[name]
    assert not dense.met and 'matrix' in dense.obstacle


def test_what_was_not_measured_is_not_judged() -> None:
    assert set(verdicts(update('lru', 64, 10.0))) == {
        'update of LRU, p50', 'slowest learning / encoder, p50'
    }  # fmt: skip


def test_learning_slower_than_looking() -> None:
    assert not verdicts(learn_us=401.0)['slowest learning / encoder, p50'].met
