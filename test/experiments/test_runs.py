"""Experiments: in parallel, resumable, in the order of their jobs."""

import json
from pathlib import Path

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
    with path.open('a') as file:
        file.write('\n')
    assert run_all(dict, [{'n': 1}, {'n': 2}], path, workers=1)[1] == {'n': 2}
    assert json.loads(path.read_text().splitlines()[-1])['result'] == {'n': 2}


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
