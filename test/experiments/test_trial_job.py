"""A trial depends on what decides its result, and on nothing else."""

import dataclasses
from pathlib import Path

import pytest

from rtrrl_ros.configuration import TaskConfig, load_task_config
from rtrrl_ros.experiments.runs import fingerprint, load_runs
from rtrrl_ros.experiments.trial_job import PUBLISHED, make_job, shared_by_jobs
from rtrrl_ros.resources import find_resource

RESULTS = Path(__file__).parents[2] / 'docs' / 'results'


ARMS = ('frozen', 'frozen, exploring', 'tuned')


def prints_of(
    config: TaskConfig, laps: int = 10, model: str = 'line-lrcssm', shift: str = 'light=4'
) -> dict[str, str]:
    """The fingerprint of the trial of each arm."""
    task = 'line' if model.startswith('line') else 'car-racing'
    shared = shared_by_jobs(task, find_resource('models', model), config, laps)
    return {arm: fingerprint(make_job(shared, [shift], arm, 0)) for arm in ARMS}


def prints(**learner) -> dict[str, str]:
    """The same, with these settings of the learner."""
    return prints_of(load_task_config('line').with_learner(learner))


@pytest.mark.parametrize(
    ('changed', 'same'),
    [
        ({'actor_learning_rate': 0.5}, {'frozen', 'frozen, exploring'}),
        ({'exploration_std': 0.5}, {'frozen'}),
        ({'normalize_observations': True}, set()),
        ({}, {'frozen', 'frozen, exploring', 'tuned'}),
    ],
)
def test_settings_of_the_learner_matter_to_those_who_learn(changed, same):
    before, after = prints(), prints(**changed)
    assert {arm for arm in before if before[arm] == after[arm]} == same
    assert len(set(before.values())) == 3


@pytest.mark.parametrize(('cell', 'laps'), [('lrcssm', 60), ('lru', 10), ('ctrnn', 10)])
def test_what_is_published_is_not_driven_again(cell: str, laps: int) -> None:
    published = load_runs(RESULTS / 'line-shift' / 'runs.jsonl')
    shipped = prints_of(load_task_config('line', cell=cell), laps, f'line-{cell}')
    assert shipped['frozen'] in published and shipped['tuned'] in published


def test_what_is_published_of_car_racing_is_not_driven_again() -> None:
    published = load_runs(RESULTS / 'car-racing-shift' / 'runs.jsonl')
    config = load_task_config('car-racing')
    shipped = prints_of(config, 10, 'car-racing-lrcssm', 'steering_offset=0.15')
    assert published.keys() >= set(shipped.values())


def test_another_actuation_and_another_gate_are_driven_again() -> None:
    shipped = load_task_config('line')
    faster = dataclasses.replace(shipped.actuation, speed_m_s=1.7)
    slower = dataclasses.replace(shipped.gate, max_steering_rate_rad_s=5.0)
    configs = [
        shipped,
        dataclasses.replace(shipped, actuation=faster),
        dataclasses.replace(shipped, gate=slower),
        # the same name and value, elsewhere
        dataclasses.replace(
            shipped, actuation=dataclasses.replace(shipped.actuation, max_steering_angle_rad=0.3)
        ),
        dataclasses.replace(
            shipped, gate=dataclasses.replace(shipped.gate, max_steering_angle_rad=0.3)
        ),
    ]
    found = [prints_of(config) for config in configs]
    for arm in found[0]:
        assert len({prints[arm] for prints in found}) == len(configs)


@pytest.mark.parametrize('task', sorted(PUBLISHED))
def test_a_job_under_the_shipped_configuration_names_neither(task: str) -> None:
    models = {'line': 'line-lrcssm', 'car-racing': 'car-racing-lrcssm'}
    model = find_resource('models', models[task])
    job = shared_by_jobs(task, model, load_task_config(task), laps=10)
    assert not {'actuation', 'gate'} & job.keys()
