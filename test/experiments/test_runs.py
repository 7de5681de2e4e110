"""Experiments: in parallel, resumable, in the order of their jobs."""

import functools
import json
import multiprocessing
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from rtrrl_ros.experiments.car_racing_shift import Outcome, table
from rtrrl_ros.experiments.runs import load_runs, run_all

# `dict` copies a job: a worker process can import it, unlike a function of a test module.


def refuse(job: dict) -> dict:
    raise AssertionError(f'{job} was run again')


def test_results_come_in_the_order_of_the_jobs_and_are_not_computed_twice(tmp_path: Path) -> None:
    path = tmp_path / 'new' / 'runs.jsonl'
    jobs = [{'n': n} for n in range(5)]
    results = run_all(dict, jobs, path, workers=2)
    assert results == jobs
    assert run_all(refuse, jobs, path, workers=2) == results


def test_a_line_cut_short_by_a_crash_is_run_again(tmp_path: Path) -> None:
    path = tmp_path / 'runs.jsonl'
    run_all(dict, [{'n': 1}, {'n': 2}], path, workers=1)
    whole = path.read_text()
    path.write_text(whole[:-10])
    assert len(load_runs(path)) == 1
    assert run_all(dict, [{'n': 1}, {'n': 2}], path, workers=1)[1] == {'n': 2}
    assert json.loads(path.read_text().splitlines()[-1])['result'] == {'n': 2}
    assert run_all(refuse, [{'n': 1}, {'n': 2}], path, workers=1) == [{'n': 1}, {'n': 2}]


#: a trial of some 20 ms that leaves a file behind, evaluated with its job as the variables
TRIAL = "open(f'{folder}/{n}', 'w').close() or {'n': sum(range(10**6)) and n, 'one': n // n}"


def test_after_a_failure_nothing_is_begun_and_what_ran_is_written(tmp_path: Path) -> None:
    path, trials = tmp_path / 'runs.jsonl', tmp_path / 'trials'
    trials.mkdir()
    jobs = [{'n': n, 'folder': str(trials)} for n in (1, 2, 0, *range(3, 100))]
    with pytest.raises(ZeroDivisionError):
        run_all(functools.partial(eval, TRIAL), jobs, path, workers=2)
    begun = {int(file.name) for file in trials.iterdir()}
    assert len(begun) < 50
    assert {run['job']['n'] for run in load_runs(path).values()} == begun - {0} >= {1, 2}


def test_an_interrupt_ends_what_runs(tmp_path: Path) -> None:
    def interrupt(done: int, total: int) -> None:
        if done == 1:
            raise KeyboardInterrupt

    path, trials = tmp_path / 'runs.jsonl', tmp_path / 'trials'
    trials.mkdir()
    # the second trial never ends by itself
    jobs = [{'n': n, 'folder': str(trials)} for n in (1, 2)]
    forever = f'{TRIAL} if n == 1 else sum(iter(int, 1))'
    before = multiprocessing.active_children()
    with pytest.raises(KeyboardInterrupt):
        run_all(functools.partial(eval, forever), jobs, path, 2, interrupt)
    assert set(multiprocessing.active_children()) <= set(before)
    assert [run['job']['n'] for run in load_runs(path).values()] == [1]


#: tells its process, and never ends by itself
ENDLESS = """
import functools, pathlib, sys
from rtrrl_ros.experiments.runs import run_all
job = "[__import__('pathlib').Path(f, str(__import__('os').getpid())).touch()]"
job += " + [None for _ in iter(int, 1)]"
if __name__ == '__main__':
    folder = pathlib.Path(sys.argv[1])
    run_all(functools.partial(eval, job), [{'f': sys.argv[1], 'n': n} for n in (1, 2)],
            folder / 'out' / 'runs.jsonl', 2)
"""


def test_what_runs_ends_with_a_parent_that_was_killed(tmp_path: Path) -> None:
    script, trials = tmp_path / 'endless.py', tmp_path / 'trials'
    script.write_text(ENDLESS)
    trials.mkdir()
    parent = subprocess.Popen([sys.executable, str(script), str(trials)])

    def workers() -> list[Path]:
        return [Path('/proc', file.name) for file in trials.iterdir() if file.name.isdigit()]

    until(lambda: len(workers()) == 2)
    assert all(process.exists() for process in workers())
    parent.kill()
    parent.wait()
    until(lambda: not any(process.exists() for process in workers()))


def until(true: Callable[[], bool]) -> None:
    end_s = time.monotonic() + 60.0
    while not true():
        assert time.monotonic() < end_s
        time.sleep(0.05)


def test_a_seed_is_won_only_against_both_controls() -> None:
    def outcome(seed: int, frozen: float, exploring: float, tuned: float) -> Outcome:
        numbers = {'frozen': frozen, 'frozen, exploring': exploring, 'tuned': tuned}
        return Outcome(seed, numbers, numbers)

    outcomes = [outcome(0, 500, 550, 600), outcome(1, 500, 650, 600), outcome(2, 650, 500, 600)]
    assert [o.won for o in outcomes] == [True, False, False]
    none = {seed: dict.fromkeys(outcomes[0].last, 0) for seed in range(3)}
    text = table(outcomes, none, laps=10)
    assert '| 0 | 500 (0) | 550 (0) | 600 (0) | yes |' in text
    assert text.splitlines()[-1] == '| mean | 550 | 567 | 600 | 1 of 3 |'
