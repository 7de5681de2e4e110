"""The report of the main job says what was driven, for a return and for an error."""

import io

import pytest
from rich.console import Console

from rtrrl_ros.driving.report import summary, table, verdict
from rtrrl_ros.driving.score import LATERAL_ERROR, RETURN


def lap(number: int, value: float, error_m: float, interventions: int = 0) -> dict:
    return {
        'lap': number, 'return': value, 'mean_abs_lateral_error_m': error_m,
        'interventions': interventions, 'rolled_back': False, 'steps': 10,
    }  # fmt: skip


PHASES = {
    'frozen': [lap(0, 100.0, 0.01), lap(1, 80.0, 0.02)],
    'frozen, shifted': [lap(0, 40.0, 0.06, 1), lap(1, 50.0, 0.03)],
    'tuned, shifted': [lap(i, 60.0, 0.04 - 0.01 * i) for i in range(4)],
}


def document(score) -> dict:
    times = {'act_latency_s': {'p50': 0.001}, 'learn_latency_s': {'p50': 0.002}}
    return {
        'summary': summary(PHASES, score), 'phases': {'tuned, shifted': times},
        'speed': {'graph_s': 0.008, 'bare_world_s': 0.004, 'graph_to_world': 2.0},
        'memory_peak_bytes': 2**30,
    }  # fmt: skip


def test_the_summary_is_in_the_units_of_the_json() -> None:
    numbers = summary(PHASES, LATERAL_ERROR)['tuned, shifted']
    assert numbers['mean'] == pytest.approx(0.025)
    assert numbers['last_laps_mean'] == pytest.approx(0.02)
    assert summary(PHASES, RETURN)['frozen']['mean'] == pytest.approx(90.0)


def test_an_error_is_better_when_it_is_smaller() -> None:
    said = verdict(document(LATERAL_ERROR), PHASES, LATERAL_ERROR)
    assert 'the shift makes it 3.0 times as large' in said[0]
    assert 'tuned 2.00, better than frozen 4.50.' in said[0]
    assert '4.0 ms as simulated here (ratio 2.00)' in said[1]
    assert 'gymnasium' not in said[1]


def test_a_return_is_better_when_it_is_larger() -> None:
    said = verdict(document(RETURN), PHASES, RETURN)[0]
    assert 'the shift takes 50% of it' in said
    assert 'tuned 60, better than frozen 45.' in said


def test_the_table_marks_interventions() -> None:
    console = Console(width=120, file=io.StringIO())
    console.print(table(PHASES, 'line, shift: none', LATERAL_ERROR))
    text = console.file.getvalue()
    assert 'mean absolute lateral error in cm' in text
    assert '! 6.00' in text
