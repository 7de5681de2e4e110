"""When messages are published at the times of the recording."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtrrl_ros.bags.playback.pacing import BURST, Playback
from rtrrl_ros.bags.reading import Record

BEGIN_S = 1000.0
MS = 1_000_000


def play(made, logs: list[int], **options: float) -> tuple[Playback, list[Record]]:
    published: list[Record] = []
    records = [made.sensed(index, log) for index, log in enumerate(logs)]
    playback = Playback(records, published.append, **options)
    playback.begin(BEGIN_S)
    return playback, published


@pytest.mark.parametrize('rate', [0.5, 1.0, 4.0])
def test_messages_are_due_at_their_times_and_rate(made, rate: float) -> None:
    playback, published = play(made, [5000 * MS, 5100 * MS, 5300 * MS], rate=rate)
    for after_s, count in ((0.0, 1), (0.099, 1), (0.101, 2), (0.299, 2), (0.301, 3)):
        playback.tick(BEGIN_S + after_s / rate)
        assert len(published) == count
    assert playback.finished
    assert playback.played_s == pytest.approx(0.3)


def test_long_silences_are_shortened(made) -> None:
    playback, published = play(made, [0, 60_000 * MS, 60_100 * MS], max_gap_s=0.5)
    playback.tick(BEGIN_S + 0.49)
    assert len(published) == 1
    playback.tick(BEGIN_S + 0.61)
    assert len(published) == 3


def test_time_that_goes_back_is_no_reason_to_wait(made) -> None:
    playback, published = play(made, [1000 * MS, 200 * MS, 300 * MS])
    playback.tick(BEGIN_S + 0.11)
    assert len(published) == 3


def test_a_pause_takes_no_recorded_time(made) -> None:
    playback, published = play(made, [0, 100 * MS, 200 * MS])
    playback.tick(BEGIN_S)
    playback.pause(BEGIN_S + 0.05)
    playback.tick(BEGIN_S + 50.0)
    assert playback.paused
    assert len(published) == 1
    stands_ns = playback.clock_ns(BEGIN_S + 50.0)
    assert playback.clock_ns(BEGIN_S + 60.0) == stands_ns
    playback.resume(BEGIN_S + 60.0)
    playback.tick(BEGIN_S + 60.04)
    assert len(published) == 1
    playback.tick(BEGIN_S + 60.06)
    assert len(published) == 2


def test_paused_from_the_beginning(made) -> None:
    published: list[Record] = []
    playback = Playback([made.sensed(0)], published.append)
    playback.pause(BEGIN_S)
    playback.begin(BEGIN_S + 5.0)
    playback.tick(BEGIN_S + 9.0)
    assert not published
    playback.resume(BEGIN_S + 10.0)
    playback.tick(BEGIN_S + 10.0)
    assert published


def test_whoever_plays_is_not_held_up_by_a_burst(made) -> None:
    playback, published = play(made, [0] * (2 * BURST + 1))
    for count in (BURST, 2 * BURST, 2 * BURST + 1):
        playback.tick(BEGIN_S)
        assert len(published) == count


def test_being_late_is_told(made) -> None:
    playback, _ = play(made, [0, 10 * MS])
    playback.tick(BEGIN_S + 2.01)
    assert '2.01 s late' in playback.progress(2.01)


def test_an_empty_recording_is_over_at_once(made) -> None:
    playback, _ = play(made, [])
    assert playback.finished
    assert playback.clock_ns(BEGIN_S) == 0


@given(
    st.lists(st.integers(0, 10**10), min_size=1, max_size=20),
    st.lists(st.floats(0.0, 1.0), max_size=40),
    st.floats(0.1, 10.0),
    st.sampled_from([0.05, 1.0, math.inf]),
)
def test_everything_is_played_in_order_and_the_clock_never_goes_back(
    made, logs: list[int], waits: list[float], rate: float, max_gap_s: float
) -> None:
    logs = sorted(logs)
    playback, published = play(made, logs, rate=rate, max_gap_s=max_gap_s)
    now_s, clocks = BEGIN_S, [playback.clock_ns(BEGIN_S)]
    for index, wait_s in enumerate([*waits, 1e3]):
        now_s += wait_s
        if index % 3 == 2:
            playback.pause(now_s)
            clocks.append(playback.clock_ns(now_s))
            playback.resume(now_s + 0.5)
            now_s += 0.5
        playback.tick(now_s)
        clocks.append(playback.clock_ns(now_s))
    assert [record.log_ns for record in published] == logs
    assert playback.finished
    assert all(one <= two for one, two in itertools.pairwise(clocks))
    assert logs[0] <= clocks[0]
    assert clocks[-1] == logs[-1]
