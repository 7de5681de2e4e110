"""The transition table of the gate is complete, and a person overrules everything."""

import pytest

from rtrrl_ros.safety.modes import TRANSITIONS, Event, Mode


def test_every_event_has_an_answer_in_every_mode():
    assert set(TRANSITIONS) == {(mode, event) for mode in Mode for event in Event}


@pytest.mark.parametrize('mode', Mode)
def test_a_person_takes_over_from_every_mode(mode):
    assert TRANSITIONS[mode, Event.HUMAN] is Mode.TAKEOVER


@pytest.mark.parametrize('event', [e for e in Event if e is not Event.HUMAN_GONE])
def test_no_proposal_or_fault_takes_the_car_from_a_person(event):
    assert TRANSITIONS[Mode.TAKEOVER, event] is Mode.TAKEOVER


def test_letting_go_stops_the_car():
    assert TRANSITIONS[Mode.TAKEOVER, Event.HUMAN_GONE] is Mode.STOPPED


@pytest.mark.parametrize('event', [Event.REFUSED, Event.SILENCE, Event.DEADMAN_LOST])
@pytest.mark.parametrize('mode', [m for m in Mode if m is not Mode.TAKEOVER])
def test_doubt_stops_the_car(mode, event):
    assert TRANSITIONS[mode, event] is Mode.STOPPED


def test_values_are_those_of_the_executed_message():
    assert [mode.value for mode in Mode] == [0, 1, 2, 3]
