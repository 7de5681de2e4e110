"""A recording over and over: time goes on."""

import itertools
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtrrl_ros.bags.playback.destinations import EVENTS
from rtrrl_ros.bags.playback.rounds import Rounds
from rtrrl_ros.bags.reading import Record
from rtrrl_ros.bags.stamps import stamp_ns

LABEL = '/label'
MS = 1_000_000


def rounds(made: Any, records: list[Record], loop: bool, start_ns: int = 0) -> Any:
    return Rounds(
        cast(Any, made.bag(records)), [EVENTS, LABEL], start_ns, loop,
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


@pytest.mark.parametrize('loop', [False, True])
def test_nothing_stays_nothing(made, loop: bool) -> None:
    assert list(rounds(made, [], loop)) == []
