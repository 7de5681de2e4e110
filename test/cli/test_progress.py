"""What `Stages` says in a log file: how far, how long, how much longer."""

import pytest

from rtrrl_ros.cli import progress


@pytest.fixture
def at(monkeypatch):
    """Sets the clock of the module, in s."""
    now = [100.0]
    monkeypatch.setattr(progress.time, 'monotonic', lambda: now[0])

    def at(seconds: float) -> None:
        now[0] = 100.0 + seconds

    return at


def lines(updates, at, capsys) -> list[str]:
    with progress.Stages() as stages:
        for seconds, done, total in updates:
            at(seconds)
            stages.update('laps', done, total)
    return capsys.readouterr().err.splitlines()


def test_time_left_is_that_of_the_parts_so_far(at, capsys):
    said = lines([(0, 0, 10), (20, 4, 10), (50, 10, 10)], at, capsys)
    assert said == ['laps: 0/10, 0 s', 'laps: 4/10, 20 s, 30 s left', 'laps: 10/10, 50 s']


def test_parts_of_an_earlier_run_took_no_time(at, capsys):
    said = lines([(0, 5, 15), (20, 6, 15), (200, 15, 15)], at, capsys)
    assert said == ['laps: 5/15, 0 s', 'laps: 6/15, 20 s, 180 s left', 'laps: 15/15, 200 s']


def test_a_log_is_not_flooded(at, capsys):
    said = lines([(0.1 * i, i, 1000) for i in range(150)], at, capsys)
    assert said == ['laps: 0/1000, 0 s', 'laps: 100/1000, 10 s, 90 s left']
