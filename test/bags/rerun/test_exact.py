"""A recorded run comes out again, and whatever is not as recorded is named."""

import dataclasses
import json
import shutil

import numpy as np
import pytest

from rtrrl_ros.bags.reading import open_bag
from rtrrl_ros.bags.rerun.exact import ExactReport, replay_exact
from rtrrl_ros.bags.rerun.runs import recorded_runs
from rtrrl_ros.errors import UserError

STEPS_OF_LAP = 21


@pytest.fixture
def exact(write_bag):
    """Write messages into a bag and repeat its only run."""

    def exact(messages, **options) -> ExactReport:
        with open_bag(write_bag(messages)) as bag:
            (run,) = recorded_runs(bag)
            return replay_exact(bag, run, **options)

    return exact


def changed(messages, topic, index, **fields):
    """The messages with fields of the one on a topic with this index replaced."""
    out, seen = [], -1
    for message in messages:
        seen += message.topic == topic
        if message.topic == topic and seen == index:
            message = dataclasses.replace(message, fields={**message.fields, **fields})
        out.append(message)
    return out


def without(messages, *topics):
    return [message for message in messages if message.topic not in topics]


def nth(messages, topic, index):
    return [message for message in messages if message.topic == topic][index]


def next_up(value: float) -> float:
    """The next float32."""
    return float(np.nextafter(np.float32(value), np.float32(np.inf)))


def test_a_run_comes_out_again_bit_for_bit(exact, learned):
    report = exact(learned)
    assert report.identical and not report.not_checked and not report.remarks
    tallies = report.comparison.tallies
    for name in ('features', 'proposal', 'value', 'td_error', 'drift', 'updates'):
        assert tallies[name].checked == 2 * STEPS_OF_LAP
    assert tallies['weights of the actor'].checked == 3  # two laps and the end
    assert report.steps == 2 * STEPS_OF_LAP
    # it did learn: otherwise this would prove little
    assert nth(learned, '/learner_status', -1).fields['drift'] > 0.0


def test_a_run_that_came_to_rest_comes_out_again_bit_for_bit(exact, rested):
    report = exact(rested)
    assert report.identical and not report.not_checked and not report.remarks
    assert report.comparison.tallies['proposal'].checked == 6 * STEPS_OF_LAP


@pytest.mark.parametrize('field', ['td_error', 'value', 'drift'])
def test_the_last_bit_of_a_number_is_noticed(exact, learned, field):
    status = nth(learned, '/learner_status', 30)
    value = next_up(status.fields[field])
    first = exact(changed(learned, '/learner_status', 30, **{field: value})).comparison.first
    assert (first.quantity, first.step) == (field, 30)
    assert first.recorded != first.computed


def test_a_changed_feature_is_named_first_and_with_it_what_came_of_it(exact, learned):
    data = nth(learned, '/features', 30).fields['data'].copy()
    data[3] += 0.01
    report = exact(changed(learned, '/features', 30, data=data))
    first = report.comparison.first
    assert (first.quantity, first.step) == ('features', 30)
    assert '1 of 16 elements, first [3]' in first.recorded
    assert first.stamp_ns == 310_000_000
    assert report.comparison.tallies['features'].different == 1
    assert report.comparison.tallies['value'].first.step == 30


def test_events_that_differ_are_the_encoders_doing_only(exact, learned):
    packet = nth(learned, '/event_camera/events', 15).fields['events'].copy()
    report = exact(changed(learned, '/event_camera/events', 15, events=packet[: len(packet) // 2]))
    tallies = report.comparison.tallies
    # nothing came of the damaged packet, and what came next remembers it
    assert tallies['features'].different == 0
    assert any('features of ' in line for line in report.not_checked)
    assert tallies['value'].different == tallies['proposal'].different == 0


def test_events_that_were_recorded_otherwise_are_a_difference(exact, learned):
    words = nth(learned, '/event_camera/events', 15).fields['events'].view('<u2').copy()
    words[np.flatnonzero(words >> 12 == 2)[::3]] ^= 64  # columns of pixels
    report = exact(changed(learned, '/event_camera/events', 15, events=words.view(np.uint8)))
    first = report.comparison.first
    assert (first.quantity, first.step) == ('features', 15)
    assert 'elements' in first.recorded


def test_what_a_lost_packet_does_to_the_features_is_no_difference(exact, learned):
    gone = nth(learned, '/event_camera/events', 7)
    report = exact([message for message in learned if message is not gone])
    assert report.identical
    assert any('features of ' in line for line in report.not_checked)
    assert any('1 event packets are not in the bag' in line for line in report.remarks)
    # the second lap begins anew
    assert report.comparison.tallies['features'].checked >= STEPS_OF_LAP + 7


def test_a_proposal_that_differs(exact, learned):
    drive = nth(learned, '/drive_proposal', 7).fields['drive']
    other = dataclasses.replace(drive, steering_angle=next_up(drive.steering_angle))
    first = exact(changed(learned, '/drive_proposal', 7, drive=other)).comparison.first
    assert (first.quantity, first.step) == ('proposal', 7)


@pytest.mark.parametrize(
    ('topic', 'fields'), [('/reward', {'reward': 0.05}), ('/executed', {'mode': 3})]
)
def test_a_cause_that_differs_shows_in_what_was_learned(exact, learned, topic, fields):
    report = exact(changed(learned, topic, 15, **fields))
    first = report.comparison.first
    assert first.step == (15 if topic == '/reward' else 16)
    assert report.comparison.tallies['weights of the actor'].different == 3


def test_weights_that_differ(exact, learned):
    text = json.loads(nth(learned, '/learner_run', 1).fields['data'])
    text['weights']['critic'] = 'f' * 64
    report = exact(changed(learned, '/learner_run', 1, data=json.dumps(text)))
    first = report.comparison.first
    assert first.quantity == 'weights of the critic'
    assert first.step == STEPS_OF_LAP - 1


@pytest.mark.parametrize(
    ('topics', 'said', 'left'),
    [
        (['/event_camera/events'], 'topic of its camera', {'proposal', 'value'}),
        (['/features'], '/features', {'proposal', 'td_error'}),
        (['/drive_proposal'], 'proposals', {'features', 'value'}),
        (['/learner_status'], 'TD errors', {'proposal', 'weights of the actor'}),
        (['/learner_run'], '/learner_run', None),
        (['/reward'], '/reward', {'features'}),
        (['/executed', '/world_state'], '/executed', {'features'}),
    ],
)
def test_what_a_bag_lacks_is_not_checked_and_said(exact, learned, topics, said, left):
    if left is None:
        with pytest.raises(UserError, match=said):
            exact(without(learned, *topics))
        return
    report = exact(without(learned, *topics))
    assert report.identical
    assert any(said in line for line in report.not_checked)
    assert left <= set(report.comparison.tallies)
    gone = {'/event_camera/events': 'features', '/drive_proposal': 'proposal', '/reward': 'value'}
    assert not {gone[topic] for topic in topics if topic in gone} & set(report.comparison.tallies)


def test_without_an_account_features_are_checked_with_a_model(exact, learned, untrained_line_model):
    report = exact(without(learned, '/learner_run'), model=untrained_line_model)
    assert report.identical
    assert set(report.comparison.tallies) == {'features'}


def test_without_features_the_agent_sees_those_of_the_encoder(exact, learned):
    report = exact(without(learned, '/features'))
    assert report.identical
    assert report.comparison.tallies['td_error'].checked == 2 * STEPS_OF_LAP


def test_messages_may_be_recorded_in_any_order_and_more_than_once(exact, learned):
    generator = np.random.default_rng(0)
    first, *rest = learned
    shaken = [
        dataclasses.replace(message, log_ns=message.log_ns + int(generator.integers(0, 5_000_000)))
        for message in rest
    ]
    twice = [message for message in shaken for _ in range(1 + int(generator.integers(0, 2)))]
    report = exact(sorted([first, *twice], key=lambda message: message.log_ns))
    assert report.identical and report.comparison.tallies['td_error'].checked == 2 * STEPS_OF_LAP


@pytest.mark.parametrize('end', [12, 100, 170, 280])
def test_a_recording_that_was_cut_off_is_checked_as_far_as_it_goes(exact, learned, end):
    report = exact(learned[:end])
    assert report.identical, report.comparison.first
    said = ' '.join(report.not_checked + report.remarks)
    assert 'ends before' in said
    assert ('weights of the actor' in report.comparison.tallies) == (end > 150)


def test_a_recording_that_begins_late_cannot_repeat_what_was_learned_before(exact, learned):
    account, rest = learned[0], learned[50:]
    report = exact([account, *rest])
    assert report.identical
    assert any('in the midst of the run' in line for line in report.not_checked)
    # the encoder starts anew with the second lap
    assert set(report.comparison.tallies) == {'features'}
    assert report.comparison.tallies['features'].checked == STEPS_OF_LAP
    assert any('packets from before the first start' in line for line in report.remarks)


def test_a_policy_that_stands_still_is_checked_from_its_next_lap_on(exact, frozen):
    report = exact([frozen[0], *frozen[50:]])
    assert report.identical
    assert report.comparison.tallies['proposal'].checked == STEPS_OF_LAP
    assert any('first lap is out' in line for line in report.remarks)


def test_a_policy_that_stands_still_comes_out_again(exact, frozen):
    report = exact(frozen)
    assert report.identical and not report.not_checked


@pytest.mark.parametrize('topic', ['/executed', '/reward', '/features'])
def test_a_message_that_is_missing_ends_the_check_of_the_agent(exact, learned, topic):
    gone = nth(learned, topic, 30)
    messages = [message for message in learned if message is not gone]
    if topic == '/features':
        lost = nth(learned, '/event_camera/events', 30)
        messages = [message for message in messages if message is not lost]
    report = exact(messages)
    (line,) = [line for line in report.not_checked if line.startswith('agent')]
    assert 'the bag lacks the' in line and '0.310 s' in line
    assert report.comparison.tallies['td_error'].different == 0
    assert report.comparison.tallies['td_error'].checked in (30, 31)


def test_the_model_may_have_moved_but_not_changed(exact, learned, untrained_line_model, tmp_path):
    moved = tmp_path / 'moved'
    shutil.copytree(untrained_line_model, moved)
    account = json.loads(learned[0].fields['data'])
    account['model'] = str(tmp_path / 'gone')
    messages = changed(learned, '/learner_run', 0, data=json.dumps(account))
    with pytest.raises(UserError, match='--model'):
        exact(messages)
    assert exact(messages, model=moved).identical
    (moved / 'config.json').write_text((moved / 'config.json').read_text() + '\n')
    with pytest.raises(UserError, match='not the model that was driven with'):
        exact(messages, model=moved)


def test_another_machine_is_mentioned(exact, learned):
    account = json.loads(learned[0].fields['data'])
    account['software']['torch'] = '1.0'
    report = exact(changed(learned, '/learner_run', 0, data=json.dumps(account)))
    assert report.identical
    assert any('torch 1.0' in line for line in report.remarks)


def test_a_mode_that_does_not_exist_is_one_clear_line(exact, learned):
    with pytest.raises(UserError, match='/executed: 77 is not a valid Mode'):
        exact(changed(learned, '/executed', 5, mode=77))
