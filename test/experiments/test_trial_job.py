"""A trial depends on what decides its result, and on nothing else."""

import pytest

from rtrrl_ros.configuration import load_task_config
from rtrrl_ros.experiments.runs import fingerprint
from rtrrl_ros.experiments.trial_job import make_job, shared_by_jobs
from rtrrl_ros.resources import find_resource


def prints(**learner) -> dict[str, str]:
    """The fingerprint of the trial of each arm, with these settings of the learner."""
    config = load_task_config('line').with_learner(learner)
    shared = shared_by_jobs('line', find_resource('models', 'line-lrcssm'), config, laps=10)
    arms = ('frozen', 'frozen, exploring', 'tuned')
    return {arm: fingerprint(make_job(shared, ['light=4'], arm, 0)) for arm in arms}


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
