"""The account of a run: whole, exact, and refused where it is not one."""

import dataclasses
import json

import numpy as np
import pytest

from rtrrl_ros.driving.actuation import Actuation
from rtrrl_ros.driving.assembly import load_agent
from rtrrl_ros.driving.learner_run import (
    LAP,
    RunStart,
    begin_run,
    from_text,
    mark_run,
    to_text,
    weight_digests,
)
from rtrrl_ros.errors import UserError
from rtrrl_ros.learning.config import LearnerConfig


@pytest.fixture
def agent(untrained_model):
    config = LearnerConfig(actor_learning_rate=1.1e-4, warmup_laps=0)
    return load_agent(untrained_model, config, learn=True, explore=False, seed=3)


@pytest.fixture
def start(untrained_model, agent) -> RunStart:
    actuation = Actuation(max_steering_angle_rad=0.4189)
    return begin_run(str(untrained_model), agent, actuation, seed=3, lockstep=True)


def test_a_start_comes_back_as_it_was(start):
    assert from_text(to_text(start)) == start
    assert start.learner.actor_learning_rate == 1.1e-4  # to the last bit
    assert start.steps == 0 and start.learn and start.explore


def test_a_mark_comes_back_as_it_was(agent):
    for lap_return in (None, 0.1 + 0.2):
        mark = mark_run(LAP, 12, 3, agent, lap_return=lap_return)
        assert from_text(to_text(mark)) == mark


def test_digests_tell_the_last_bit_of_one_weight(agent):
    before = weight_digests(agent)
    assert set(before) == {'actor', 'critic'}
    flat = agent.networks['actor'].flat
    flat[3] = float(np.nextafter(np.float32(flat[3]), np.float32(9.0)))
    after = weight_digests(agent)
    assert after['actor'] != before['actor']
    assert after['critic'] == before['critic']


def test_digests_of_the_files_are_those_of_sha256sum(start, untrained_model):
    import hashlib

    expected = hashlib.sha256((untrained_model / 'model.safetensors').read_bytes()).hexdigest()
    assert start.files['model.safetensors'] == expected


@pytest.mark.parametrize(
    'text',
    ['', '[]', '3', '{}', '{"format": 1}', '{"format": 2, "event": "lap"}', '{"format": 1, "e": 2}']
)  # fmt: skip
def test_anything_else_is_refused_in_one_line(text):
    with pytest.raises(UserError) as caught:
        from_text(text)
    assert '\n' not in str(caught.value) and 'learner_run' in str(caught.value)


@pytest.mark.parametrize(
    ('name', 'value'),
    [
        ('seed', 'x'),
        ('files', 3),
        ('learner', {'gamma': 7.0}),
        ('learner', {'beta': 1}),
        ('more', 1),
    ],
)
def test_a_damaged_start_is_refused(start, name, value):
    document = json.loads(to_text(start))
    document[name] = value
    with pytest.raises(UserError, match='learner_run'):
        from_text(json.dumps(document))


def test_every_field_of_the_learner_is_told(start):
    told = json.loads(to_text(start))['learner']
    assert set(told) == {field.name for field in dataclasses.fields(LearnerConfig)}
