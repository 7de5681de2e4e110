"""Another learner over a recorded run."""

import dataclasses
import json
import shutil

import numpy as np
import pytest

from rtrrl_ros.bags.reading import open_bag
from rtrrl_ros.bags.rerun.candidate import parse_candidate
from rtrrl_ros.bags.rerun.models import find_model
from rtrrl_ros.bags.rerun.outcome import WhatIf
from rtrrl_ros.bags.rerun.runs import recorded_runs
from rtrrl_ros.bags.rerun.what_if import what_if
from rtrrl_ros.checkpoint import load_checkpoint
from rtrrl_ros.errors import UserError


@pytest.fixture
def attempt(write_bag):
    """Try another learner on messages."""

    def attempt(messages, *items, model=None) -> WhatIf:
        with open_bag(write_bag(messages)) as bag:
            (run,) = recorded_runs(bag)
            recorded = None if run.start is None else find_model(run.start, None)
            checkpoint = recorded if model is None else load_checkpoint(model)
            candidate = parse_candidate(items, checkpoint, run.start)
            return what_if(bag, run, candidate, recorded)

    return attempt


def finite(one, other):
    both = np.isfinite(one) & np.isfinite(other)
    assert both.sum() > 30
    return one[both], other[both]


def test_the_recorded_learner_learns_what_it_learned_then(attempt, learned):
    result = attempt(learned)
    column = result.columns
    np.testing.assert_allclose(*finite(column['value'], column['recorded_value']), atol=1e-5)
    np.testing.assert_allclose(*finite(column['td_error'], column['recorded_td_error']), atol=1e-5)
    np.testing.assert_allclose(*finite(column['steering'], column['recorded_steering']), atol=1e-4)
    assert column['weight'][np.isfinite(column['weight'])].min() > 0.98
    assert not result.candidate.changed and not result.remarks


def test_what_a_resting_policy_took_counts_as_what_the_same_weights_prefer(attempt, rested):
    items = 'probation_laps=0', 'actor_learning_rate=0.0', 'exploration_std=1.0'
    column = attempt(rested, *items).columns
    at_rest = (column['lap'] >= 4) & np.isfinite(column['weight'])
    assert at_rest.sum() > 30
    assert column['weight'][at_rest].min() > 0.999
    np.testing.assert_allclose(
        column['steering'][at_rest], column['executed_steering'][at_rest], atol=1e-5
    )


def test_another_learning_rate_is_told_and_makes_a_difference(attempt, learned):
    result = attempt(learned, 'critic_learning_rate=0.01', 'actor_learning_rate=0.0')
    assert result.candidate.changed['critic_learning_rate'] == (1e-3, 0.01)
    document = result.to_json()
    assert document['drift'] == 0.0
    rms = {who: document['td_error'][who]['rms'] for who in ('candidate', 'recorded')}
    assert rms['candidate'] != rms['recorded']
    assert document['steering']['recorded_policy_from_executed']['rms'] > 0.0
    assert [lap['lap'] for lap in document['td_error']['candidate']['laps']] == [0, 1]


def test_another_reward_is_computed_from_the_world(attempt, learned):
    same = attempt(learned, 'reward.closeness_m=0.15').to_json()
    other = attempt(learned, 'reward.scale=0.3').to_json()
    plain = attempt(learned).to_json()
    assert same['td_error']['candidate']['rms'] == plain['td_error']['candidate']['rms']
    assert other['td_error']['candidate']['rms'] > 1.5 * plain['td_error']['candidate']['rms']
    with pytest.raises(UserError, match='no topic /world_state'):
        attempt([m for m in learned if m.topic != '/world_state'], 'reward.closeness_m=0.1')


def test_what_the_candidate_would_never_have_done_weighs_little(attempt, learned):
    other = []
    for index, message in enumerate(learned):
        if message.topic == '/executed':
            drive = message.fields['drive']
            drive = dataclasses.replace(drive, steering_angle=0.4 if index % 2 else -0.4)
            message = dataclasses.replace(
                message, fields={**message.fields, 'drive': drive, 'mode': 2}
            )
        other.append(message)
    result = attempt(other)
    weight = result.columns['weight']
    assert np.median(weight[np.isfinite(weight)]) < 0.01
    assert result.to_json()['steering']['candidate_from_executed']['mean_abs'] > 0.1


def test_another_model_is_encoded_from_the_events(attempt, learned, untrained_line_model, tmp_path):
    other = tmp_path / 'other'
    shutil.copytree(untrained_line_model, other)
    config = json.loads((other / 'config.json').read_text())
    config['frame']['tau_ms'] = 10.0
    (other / 'config.json').write_text(json.dumps(config))
    result = attempt(learned, model=other)
    assert len(result.columns['value']) == 42
    one, two = finite(result.columns['value'], result.columns['recorded_value'])
    assert np.abs(one - two).max() > 1e-5
    with pytest.raises(UserError, match='with the encoder of the recorded'):
        attempt([m for m in learned if m.topic != '/event_camera/events'], model=other)


def test_without_an_account_the_shipped_learner_is_tried(attempt, learned, untrained_line_model):
    messages = [message for message in learned if message.topic != '/learner_run']
    result = attempt(messages, 'gamma=0.9', model=untrained_line_model)
    assert result.candidate.learner.gamma == 0.9
    assert any('is not known' in line for line in result.remarks)


def test_a_person_who_drives_is_learned_from(attempt, learned, untrained_line_model):
    by_hand = [
        dataclasses.replace(m, fields={**m.fields, 'mode': 2}) if m.topic == '/executed' else m
        for m in learned
        if m.topic not in ('/drive_proposal', '/learner_status', '/learner_run')
    ]
    result = attempt(by_hand, model=untrained_line_model)
    assert result.to_json()['learned_steps'] >= 40


@pytest.mark.parametrize(
    ('item', 'said'),
    [
        ('nothing.yaml', 'no such file'), ('gama=0.9', 'K one of'), ('gamma=2', 'must be in'),
        ('gamma=x', 'float expected'), ('reward.kind=speed', 'one of task'),
        ('learn_fast=1', 'K one of'), ('guard=3', 'must be'),
    ],
)  # fmt: skip
def test_a_candidate_that_cannot_be_is_one_clear_line(untrained_line_model, item, said):
    with pytest.raises(UserError, match=said) as caught:
        parse_candidate([item], load_checkpoint(untrained_line_model), None)
    assert '\n' not in str(caught.value)


def test_a_parameter_file_replaces_the_learner(untrained_line_model, tmp_path):
    file = tmp_path / 'mine.yaml'
    file.write_text('/**/agent_node:\n  ros__parameters: {gamma: 0.5}\n')
    candidate = parse_candidate(
        [str(file), 'lambda_actor=0.3'], load_checkpoint(untrained_line_model), None
    )
    assert (candidate.learner.gamma, candidate.learner.lambda_actor) == (0.5, 0.3)
    assert candidate.reward is None
