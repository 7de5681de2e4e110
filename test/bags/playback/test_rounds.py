"""A recording over and over: time goes on."""

import dataclasses
import itertools
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtrrl_ros.bags.playback.destinations import CLOCK, CLOCK_TYPE, EVENTS
from rtrrl_ros.bags.playback.rounds import PAUSE_NS, Rounds
from rtrrl_ros.bags.reading import Record
from rtrrl_ros.bags.stamps import stamp_ns

LABEL = '/label'
MS = 1_000_000


def rounds(made: Any, records: list[Record], loop: bool, start_ns: int = 0) -> Any:
    return Rounds(
        cast(Any, made.bag(records)), [CLOCK, EVENTS, LABEL], start_ns, loop,
        has_stamp=lambda topic: topic == EVENTS, leads=lambda topic: topic == EVENTS,
    )  # fmt: skip


def test_once_is_the_recording_as_it_is(made) -> None:
    records = [made.sensed(10 * MS), made.message(LABEL, 11 * MS), made.sensed(20 * MS)]
    assert list(rounds(made, records, loop=False)) == records
    assert list(rounds(made, records, loop=False, start_ns=11 * MS)) == records[1:]


@given(
    st.lists(st.integers(0, 10**12), min_size=1, max_size=8, unique=True),
    st.lists(st.integers(0, 10**12), min_size=8, max_size=8),
)
def test_over_and_over_no_time_and_no_stamp_comes_twice(made, stamps: list, logs: list) -> None:
    times = zip(sorted(stamps), sorted(logs), strict=False)
    records = [made.sensed(stamp, log_ns) for stamp, log_ns in times]
    played = list(itertools.islice(rounds(made, records, loop=True), 3 * len(records)))
    heard = [stamp_ns(record.data) for record in played]
    assert all(one < two for one, two in itertools.pairwise(heard))
    logged = [record.log_ns for record in played]
    assert all(one <= two for one, two in itertools.pairwise(logged))


def test_what_has_no_header_is_repeated_as_it_is(made) -> None:
    records = [made.sensed(10 * MS), made.message(LABEL, 15 * MS)]
    played = list(itertools.islice(rounds(made, records, loop=True), 4))
    assert played[3].data == records[1].data
    assert played[3].log_ns == 15 * MS + 5 * MS + 10 * MS
    assert stamp_ns(played[2].data) == 10 * MS + 10 * MS


@pytest.mark.parametrize('lead_in', [0, 30])
def test_a_recorded_clock_goes_on_and_agrees_with_the_stamps(made, lead_in: int) -> None:
    """It may begin before the first stamp and end after the last."""
    records = []
    for index in range(10 + 2 * lead_in):
        clock = made.message(CLOCK, index * MS)
        records.append(dataclasses.replace(clock, type=CLOCK_TYPE))
        if lead_in <= index < 10 + lead_in:
            records.append(made.sensed(index * MS))
    played = list(itertools.islice(rounds(made, records, loop=True), 3 * len(records)))
    times = [stamp_ns(record.data) for record in played]
    assert all(one <= two for one, two in itertools.pairwise(times))
    clock = [time for record, time in zip(played, times, strict=True) if record.topic == CLOCK]
    assert all(one < two for one, two in itertools.pairwise(clock))
    for told, sensed in itertools.pairwise(played):
        if sensed.topic == EVENTS:
            assert stamp_ns(told.data) == stamp_ns(sensed.data)


def test_a_clock_of_another_time_does_not_stretch_the_pause(made) -> None:
    clock = dataclasses.replace(made.message(CLOCK, 10**18, 15 * MS), type=CLOCK_TYPE)
    records = [made.sensed(10 * MS), clock, made.sensed(20 * MS)]
    played = list(itertools.islice(rounds(made, records, loop=True), 6))
    assert stamp_ns(played[3].data) == 10 * MS + 10 * MS + PAUSE_NS
    assert stamp_ns(played[4].data) == 10**18 + 10 * MS + PAUSE_NS


@pytest.mark.parametrize('loop', [False, True])
def test_nothing_stays_nothing(made, loop: bool) -> None:
    assert list(rounds(made, [], loop)) == []
