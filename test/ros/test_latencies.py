"""Latencies and deadlines: every observation counts once, answered or not."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtrrl_ros.nodes.latencies import MEMORY, NEWEST_MISSED, PENDING, Latencies

DEADLINE_S = 0.01


@settings(deadline=None)
@given(
    st.lists(st.one_of(st.none(), st.floats(0.0, 0.5)), min_size=1, max_size=300),
    st.floats(0.001, 0.02),
)
def test_in_time_and_missed_add_up(answers, period_s):
    """`answers`: how long the answer to each observation takes; None: it never comes."""
    measured = Latencies(DEADLINE_S)
    asked = [(index * period_s, 'ask', index) for index in range(len(answers))]
    answered = [
        (index * period_s + delay, 'answer', index)
        for index, delay in enumerate(answers)
        if delay is not None
    ]
    for now_s, what, index in sorted(asked + answered, key=lambda event: event[0]):
        (measured.ask if what == 'ask' else measured.answer)(index, now_s)
    measured.expire(1e3)
    assert measured.in_time + measured.missed == len(answers)
    slack = 1e-9  # rounding of sums
    sure = [delay for delay in answers if delay is not None and delay < DEADLINE_S - slack]
    likely = [delay for delay in answers if delay is not None and delay < DEADLINE_S + slack]
    assert len(sure) <= measured.in_time <= len(likely)


def test_values():
    measured = Latencies(DEADLINE_S)
    for index in range(100):
        measured.ask(index, index * 0.01)
        measured.answer(index, index * 0.01 + (0.002 if index else 0.03))
    assert measured.values() == {
        'latency_p50_ms': '2.00', 'latency_p99_ms': '2.28', 'latency_max_ms': '30.00',
        'in_time': '99', 'missed_deadlines': '1', 'missed_at_s': '0.000',
    }  # fmt: skip
    assert str(measured).startswith('latency_p50_ms 2.00, ')
    assert str(measured).endswith(', missed_deadlines 1')


def test_an_answer_after_the_deadline_is_missed_once_and_its_time_is_known():
    measured = Latencies(DEADLINE_S)
    measured.ask(1, 0.0)
    measured.ask(2, 0.02)  # the first is overdue
    assert measured.missed == 1
    measured.answer(1, 0.03)
    measured.answer(1, 0.04)
    assert (measured.missed, measured.in_time) == (1, 0)
    assert measured.values()['latency_max_ms'] == '30.00'
    measured.ask(3, 0.025)
    measured.answer(2, 0.026)  # in time
    measured.answer(3, 0.036)
    assert measured.values()['missed_at_s'] == '0.000 0.025'


def test_what_nobody_answers_at_the_end_is_told_apart():
    measured = Latencies(DEADLINE_S)
    for index in range(6):
        measured.ask(index, 0.1 * index)
    measured.expire(1.0)
    measured.answer(3, 1.0)  # too late, but somebody drove; nobody ever answers 0 to 2
    assert (measured.missed, measured.unanswered) == (6, 2)
    assert str(measured).endswith(', missed_deadlines 6 (2 at the end, unanswered)')
    measured.ask(6, 1.0)
    measured.answer(6, 1.005)
    assert measured.unanswered == 0
    assert str(measured).endswith(', missed_deadlines 6')


def test_the_times_of_the_newest_misses_are_told():
    measured = Latencies(DEADLINE_S)
    for index in range(3 * NEWEST_MISSED):
        measured.ask(index, float(index))
    measured.expire(1e3)
    newest = range(2 * NEWEST_MISSED, 3 * NEWEST_MISSED)
    assert measured.values()['missed_at_s'] == ' '.join(f'{index}.000' for index in newest)


def test_what_is_asked_again_keeps_its_first_time():
    measured = Latencies(1.0)
    measured.ask(1, 0.0)
    measured.ask(1, 0.5)
    measured.answer(1, 0.75)
    assert measured.values()['latency_max_ms'] == '750.00'


def test_memory_is_bounded():
    measured = Latencies(1e9)
    for index in range(3 * PENDING):
        measured.ask(index, 0.0)
    assert measured.missed == 2 * PENDING


def test_only_the_newest_count_in_the_percentiles():
    measured = Latencies(1.0)
    for index in range(MEMORY + 10):
        measured.add(0.5 if index < 10 else 0.001)
    assert measured.values()['latency_max_ms'] == '1.00'
    assert measured.in_time == MEMORY + 10


def test_without_an_answer_there_are_counts_only():
    assert Latencies(1.0).values() == {'in_time': '0', 'missed_deadlines': '0'}


@pytest.mark.parametrize(('latency_s', 'counts'), [(0.005, (1, 0)), (0.02, (0, 1))])
def test_a_latency_that_somebody_else_measured(latency_s, counts):
    measured = Latencies(DEADLINE_S)
    measured.add(latency_s)
    assert (measured.in_time, measured.missed) == counts
