"""Windows of sensor time: nothing waits, nothing is lost in silence."""

import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtrrl_ros.errors import UserError
from rtrrl_ros.perception.events import EventBatch
from rtrrl_ros.perception.events.codecs import EventPacket, encode_evt3
from rtrrl_ros.perception.events.conformance import (
    HEIGHT,
    WIDTH,
    assert_same_events,
    concatenate,
    random_events,
)
from rtrrl_ros.perception.events.packets import PacketSource
from rtrrl_ros.perception.events.windows import (
    EventWindow,
    EventWindows,
    WindowConfig,
    WindowCounters,
)

T = 10_000


def at(*t_us: int, until_us: int | None = None, restart: bool = False) -> EventBatch:
    """Events at these times, all at the same pixel."""
    n = len(t_us)
    zeros = np.zeros(n, dtype=np.uint16)
    batch = EventBatch(
        np.array(t_us, dtype=np.int64), zeros, zeros, zeros.astype(bool), WIDTH, HEIGHT,
        restart=restart,
    )  # fmt: skip
    return batch if until_us is None else dataclasses.replace(batch, until_us=until_us)


def make(**options: float) -> EventWindows:
    return EventWindows(WindowConfig(**options), WIDTH, HEIGHT)


def spans(windows: list[EventWindow]) -> list[tuple[int, int, list[int]]]:
    """(start, end, times) of each."""
    return [(w.start_us, w.end_us, w.events.t_us.tolist()) for w in windows]


def test_events_go_to_the_window_of_their_time() -> None:
    windows = make()
    assert spans(windows.push(at(3, 9_999))) == []
    assert spans(windows.push(at(10_000, 19_999))) == [(0, T, [3, 9_999])]
    assert spans(windows.push(at(20_000))) == [(T, 2 * T, [10_000, 19_999])]


def test_the_first_window_is_that_of_the_first_event() -> None:
    windows = make()
    assert spans(windows.push(at(123_456, 130_000))) == [(120_000, 130_000, [123_456])]


def test_an_empty_window_is_a_window_and_comes_in_time() -> None:
    windows = make()
    assert spans(windows.push(at(5))) == []
    assert spans(windows.push(at(until_us=T))) == [(0, T, [5])]
    assert spans(windows.push(at(until_us=3 * T))) == [(T, 2 * T, []), (2 * T, 3 * T, [])]
    assert spans(windows.advance(4 * T)) == [(3 * T, 4 * T, [])]
    assert windows.counters == WindowCounters(windows=4, empty_windows=3)


def test_a_simulation_step_gives_its_window_at_once() -> None:
    """A batch that is complete up to the end of a window closes it, whatever its last event."""
    windows = make()
    windows.push(at(until_us=0))
    for step in range(5):
        found = windows.push(at(step * T + 1, step * T + 9_000, until_us=(step + 1) * T))
        assert [w.end_us for w in found] == [(step + 1) * T]


def test_one_batch_may_hold_many_windows() -> None:
    windows = make()
    assert spans(windows.push(at(1, 2, 35_000, 41_000))) == [
        (0, T, [1, 2]), (T, 2 * T, []), (2 * T, 3 * T, []), (3 * T, 4 * T, [35_000]),
    ]  # fmt: skip


def test_late_events_are_counted_and_slips_within_the_window_sorted_out() -> None:
    windows = make()
    windows.push(at(15_000, 21_000))
    windows.push(at(19_999, 10_000, 22_000, 21_500))
    windows.push(at(21_700))
    expected = [21_000, 21_500, 21_700, 22_000]
    assert spans(windows.push(at(30_000))) == [(2 * T, 3 * T, expected)]
    assert windows.counters.late_events == 2


def test_a_restart_of_the_source_begins_anew() -> None:
    windows = make()
    windows.push(at(1_000_001, 1_000_002))
    assert windows.push(at(7, restart=True)) == []
    (window,) = windows.push(at(T))
    assert (window.start_us, window.restart) == (0, True)
    (window,) = windows.push(at(2 * T))
    assert not window.restart
    assert (windows.counters.restarts, windows.counters.dropped_events) == (1, 2)


def test_time_far_back_without_notice_begins_anew() -> None:
    windows = make()
    windows.push(at(5_000_001))
    assert windows.push(at(7, 8)) == []
    assert spans(windows.push(at(T))) == [(0, T, [7, 8])]
    assert windows.counters.restarts == 1


def test_time_far_ahead_is_not_filled_with_windows() -> None:
    windows = make()
    windows.push(at(1))
    found = windows.push(at(3_600_000_000, 3_600_010_000))
    assert spans(found) == [(0, T, [1]), (3_600_000_000, 3_600_010_000, [3_600_000_000])]
    assert [window.restart for window in found] == [False, True]
    assert windows.counters.restarts == 1


def test_jumps_within_a_batch_are_seen() -> None:
    windows = make()
    found = windows.push(at(5, 9_000_000, 9_000_001, 20, 10_001))
    assert spans(found) == [(0, T, [5]), (0, T, [20])]
    assert windows.counters == WindowCounters(windows=2, dropped_events=2, restarts=2)


def test_a_gap_shorter_than_the_limit_is_filled() -> None:
    windows = make(max_gap_ms=1000.0)
    windows.push(at(0))
    assert len(windows.push(at(999_999))) == 99


def test_a_burst_is_bounded() -> None:
    windows = make(max_events=1000)
    for _ in range(20):  # ten times as many events as there is room, ten times over
        windows.push(random_events(500, start_us=0, span_us=T - 1))
    (window,) = windows.advance(T)
    assert len(window.events) == 1000
    assert windows.counters.dropped_events == 9000
    assert len(windows.push(at(T + 1, until_us=2 * T))[0].events) == 1  # and then all is well


def test_a_tenfold_burst_within_the_limit_keeps_every_event() -> None:
    windows, quiet, loud = make(), 10_000, 100_000
    counts = [quiet, loud, loud, quiet]
    found = []
    for k, count in enumerate(counts):
        found += windows.push(random_events(count, start_us=k * T, span_us=T))
    assert [len(window.events) for window in found] == counts


def test_evt3_time_that_wraps_makes_no_difference() -> None:
    events = random_events(3000, start_us=(1 << 24) - 25_000)
    source, windows, found = PacketSource(), make(), []
    source.open()
    for seq in range(10):
        part = events.slice(300 * seq, 300 * (seq + 1))
        packet = EventPacket('evt3', WIDTH, HEIGHT, seq, 0, False, encode_evt3(part))
        batch = source.feed(packet)
        assert batch is not None
        found += windows.push(batch)
    assert len(found) == 5
    assert all(b.start_us == a.end_us for a, b in itertools.pairwise(found))
    joined = concatenate([window.events for window in found])
    assert_same_events(joined, events.slice(0, len(joined)))
    assert windows.counters.restarts == windows.counters.late_events == 0


def test_a_bad_length_or_sensor_is_refused() -> None:
    with pytest.raises(UserError, match='window_ms'):
        WindowConfig(window_ms=0.0)
    with pytest.raises(ValueError, match='2 x 2'):
        make().push(EventBatch.empty(2, 2))


times = st.lists(st.integers(-3_000_000, 3_000_000), max_size=30)


@settings(max_examples=150, deadline=None)
@given(batches=st.lists(st.tuples(times, st.booleans(), st.booleans()), max_size=6))
def test_every_event_is_handed_out_or_counted(
    batches: list[tuple[list[int], bool, bool]],
) -> None:
    """Whatever the times: windows never overlap between restarts, and no event is unaccounted."""
    windows, given_events, handed_out = make(), 0, 0
    before: EventWindow | None = None
    for t_us, in_order, restart in batches:
        given_events += len(t_us)
        batch = at(*(sorted(t_us) if in_order else t_us), restart=restart)
        for window in windows.push(batch):
            assert window.end_us - window.start_us == T and window.start_us % T == 0
            assert np.all(window.events.t_us >= window.start_us)
            assert np.all(window.events.t_us < window.end_us)
            assert np.all(np.diff(window.events.t_us) >= 0)
            assert before is None or window.restart or window.start_us == before.end_us
            handed_out += len(window.events)
            before = window
    windows.push(at(restart=True))  # drops what waits, and counts it
    counters = windows.counters
    assert handed_out + counters.late_events + counters.dropped_events == given_events
