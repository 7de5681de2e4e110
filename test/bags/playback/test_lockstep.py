"""Lock-step: the agent gets one observation after the other, each with what belongs to it."""

import dataclasses
import random
from collections import deque
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtrrl_ros.bags.playback.destinations import EXECUTED, REWARD
from rtrrl_ros.bags.playback.lockstep import DRAINED_S, LockstepPlayback
from rtrrl_ros.bags.playback.read_ahead import ReadAhead
from rtrrl_ros.bags.reading import Record
from rtrrl_ros.bags.stamps import stamp_ns

MS = 1_000_000
SENSOR = '/event_camera/events'


class FakeGraph:
    """An encoder with windows of several messages, and an agent; both answer when told to.

    heard : what reached the agent, in order: ('reward' or 'executed' or 'features', stamp)
    """

    def __init__(self, made: Any, per_window: int = 1) -> None:
        self._made, self._per_window = made, per_window
        self.sensed: deque[int] = deque()
        self.features: deque[bytes] = deque()
        self.answers: deque[int] = deque()
        self.heard: list[tuple[str, int]] = []
        self.published: list[Record] = []
        self.most_at_once = self._count = 0
        self._newest: int | None = None

    def publish(self, record: Record) -> None:
        self.published.append(record)
        if record.topic == SENSOR:
            self.sensed.append(stamp_ns(record.data))
            self.most_at_once = max(self.most_at_once, len(self.sensed))
        elif record.topic in (REWARD, EXECUTED):
            self.heard.append((record.topic[1:], stamp_ns(record.data)))

    def relay(self, data: bytes) -> None:
        stamp = stamp_ns(data)
        if not self.answers and (self._newest is None or stamp >= self._newest):
            self._newest = stamp
            self.heard.append(('features', stamp))
            self.answers.append(stamp)

    def encode(self) -> None:
        """Take one message of the sensor."""
        stamp = self.sensed.popleft()
        if self._count % self._per_window == 0:
            self.features.append(self._made.features(stamp))
        self._count += 1


def drive(playback: LockstepPlayback, graph: FakeGraph, choose: random.Random) -> float:
    """Let things happen in some order until there is nothing left to do; returns the time."""
    now_s = 0.0
    playback.begin(now_s)
    for _ in range(100_000):
        if playback.finished or playback.fault:
            return now_s
        now_s += choose.choice([1e-4, 1e-3, 0.02])
        ready = [graph.sensed, graph.features, graph.answers]
        act = choose.choice([queue for queue in ready if queue] or [None])  # type: ignore[list-item]
        if act is graph.sensed and act is not None:
            graph.encode()
        elif act is graph.features and act is not None:
            playback.encoded(graph.features.popleft(), now_s)
        elif act is graph.answers and act is not None:
            playback.answer(graph.answers.popleft(), now_s)
        else:
            now_s += 0.05
        playback.tick(now_s)
    raise AssertionError('it goes on for ever')


def drive_of(made: Any, count: int, per_window: int = 1) -> list[Record]:
    """A recording with reward and executed command of every window."""
    records = []
    for index in range(count * per_window + 1):
        stamp = index * 10 * MS
        records.append(made.sensed(stamp))
        if index % per_window == 0:
            records.append(made.reward(stamp, stamp + 1, first=index == 0))
            records.append(made.executed(stamp, stamp + 2))
    return records


def playback_of(made: Any, graph: FakeGraph, records: list[Record], **options: Any) -> Any:
    begins = options.pop('begins', None)
    recording = ReadAhead(records, SENSOR, begins=begins)
    return LockstepPlayback(recording, graph.publish, graph.relay, **options)


@given(st.integers(1, 20), st.sampled_from([1, 2, 7, 30]), st.integers(0, 2**32))
@settings(deadline=None, max_examples=40)
def test_however_time_is_distributed_the_agent_hears_the_same(
    made, count: int, per_window: int, seed: int
) -> None:
    graph, records = FakeGraph(made, per_window), drive_of(made, count, per_window)
    playback = playback_of(made, graph, records)
    drive(playback, graph, random.Random(seed))
    assert not playback.fault
    expected = []
    for index in range(count + 1):
        stamp = index * per_window * 10 * MS
        expected += [('reward', stamp), ('executed', stamp), ('features', stamp)]
    assert list(dict.fromkeys(graph.heard)) == expected  # what was asked again counts once
    assert {record.log_ns for record in graph.published} == {record.log_ns for record in records}
    assert playback.answered == count + 1


def test_an_encoder_of_images_is_never_ahead(made) -> None:
    graph = FakeGraph(made)
    drive(playback_of(made, graph, drive_of(made, 50), ahead=1), graph, random.Random(1))
    assert graph.most_at_once == 1


def test_the_encoder_works_while_the_agent_thinks(made) -> None:
    graph = FakeGraph(made)
    playback = playback_of(made, graph, drive_of(made, 50))
    playback.begin(0.0)
    for _ in range(40):  # the agent does not answer
        while graph.sensed:
            graph.encode()
        while graph.features:
            playback.encoded(graph.features.popleft(), 0.0)
    assert 5 < sum(record.topic == SENSOR for record in graph.published) < 15
    assert [kind for kind, _ in graph.heard].count('features') == 1


def test_recorded_features_need_no_encoder(made) -> None:
    graph = FakeGraph(made)
    playback = playback_of(made, graph, drive_of(made, 9), encoder=False)
    drive(playback, graph, random.Random(2))
    assert not any(record.topic == SENSOR for record in graph.published)
    assert [stamp for kind, stamp in graph.heard if kind == 'features'] == [
        index * 10 * MS for index in range(10)
    ]


def test_an_answer_that_does_not_come_is_asked_for_and_then_given_up(made) -> None:
    graph = FakeGraph(made)
    playback = playback_of(made, graph, drive_of(made, 3), timeout_s=2.0, first_timeout_s=5.0)
    relayed: list[int] = []
    playback._relay = lambda data: relayed.append(stamp_ns(data))
    playback.begin(0.0)
    graph.encode()
    playback.encoded(graph.features.popleft(), 0.0)
    playback.tick(0.4)
    assert relayed == [0]
    playback.tick(0.6)
    assert relayed == [0, 0]
    playback.answer(77, 0.7)  # of somebody else
    playback.tick(4.9)
    assert not playback.fault
    playback.tick(5.1)
    assert playback.fault.startswith('no answer to the observation at 0.00 s within 5 s')
    assert '\n' not in playback.fault


def test_the_first_message_is_sent_again_to_an_encoder_that_missed_it(made) -> None:
    graph = FakeGraph(made)
    playback = playback_of(made, graph, drive_of(made, 3))
    playback.begin(0.0)
    graph.sensed.clear()
    playback.tick(0.6)
    assert list(graph.sensed) == [0]


def test_an_encoder_without_features_is_given_up(made) -> None:
    graph = FakeGraph(made)
    playback = playback_of(made, graph, drive_of(made, 3), first_timeout_s=3.0)
    playback.begin(0.0)
    playback.tick(3.1)
    assert playback.fault.startswith('no features of what was sensed until 0.00 s within 3 s')


def test_the_end_does_not_wait_for_a_window_that_is_not_full(made) -> None:
    graph = FakeGraph(made, per_window=5)
    playback = playback_of(made, graph, [made.sensed(index * MS) for index in range(13)])
    ended_s = drive(playback, graph, random.Random(3))
    assert playback.finished
    assert not playback.fault
    assert playback.answered == 3
    assert ended_s < DRAINED_S + 2.0


def test_while_paused_nothing_is_published_and_nobody_is_blamed(made) -> None:
    graph = FakeGraph(made)
    playback = playback_of(made, graph, drive_of(made, 3))
    playback.begin(0.0)
    graph.encode()
    playback.pause(0.0)
    playback.encoded(graph.features.popleft(), 0.1)
    playback.tick(500.0)
    assert not graph.heard
    assert not playback.fault
    playback.resume(500.0)
    assert graph.heard[-1] == ('features', 0)
    playback.tick(500.1)
    assert not playback.fault


def test_paused_from_the_beginning(made) -> None:
    graph = FakeGraph(made)
    playback = playback_of(made, graph, drive_of(made, 3))
    playback.pause(0.0)
    playback.begin(5.0)
    playback.tick(500.0)
    assert not graph.published
    playback.resume(600.0)
    assert graph.published


def test_stamps_that_go_back_are_ignored(made) -> None:
    graph = FakeGraph(made)
    again = [made.sensed(10 * MS, 30 * MS), made.sensed(20 * MS, 40 * MS, mark=1)]
    records = [made.sensed(0), made.sensed(20 * MS), *again, made.sensed(50 * MS)]
    playback = playback_of(made, graph, records)
    drive(playback, graph, random.Random(4))
    assert playback.finished
    assert [stamp // MS for kind, stamp in graph.heard if kind == 'features'] == [0, 20, 50]
    assert '1 with older stamps ignored' in playback.progress(1.0)


def test_what_is_not_replayed_for_want_of_room_is_told(made) -> None:
    graph, message = FakeGraph(made), made.message('/image', 0)
    others = [dataclasses.replace(message, log_ns=(2000 + i) * MS) for i in range(101)]
    held_bytes = 60 * len(message.data)
    recording = ReadAhead([made.sensed(0), *others], SENSOR, held_bytes=held_bytes)
    playback = LockstepPlayback(recording, graph.publish, graph.relay)
    drive(playback, graph, random.Random(5))
    assert [record.log_ns // MS for record in graph.published[1:]] == [*range(2041, 2101)]
    assert ' 41 other messages not replayed' in playback.progress(1.0)


def test_time_that_goes_back_far_is_no_reason_to_wait(made) -> None:
    graph = FakeGraph(made)
    records = [made.sensed((100 + i) * MS, i * MS) for i in range(20)]
    records += [made.sensed(i * MS, (30 + i) * MS) for i in range(130)]
    playback = playback_of(made, graph, records)
    assert drive(playback, graph, random.Random(6)) < 20.0
    assert playback.finished
    assert not playback.fault
    assert playback.answered == 30
    assert playback.ignored == 119


def test_a_recording_without_the_beginning_of_a_lap_says_so(made) -> None:
    graph = FakeGraph(made)
    records = drive_of(made, 3)[1:]
    playback = playback_of(made, graph, [made.reward(0), *records], begins=lambda reward: False)
    playback.begin(0.0)
    assert playback.fault.startswith('nothing that was sensed has the stamp of a reward')


@pytest.mark.parametrize('learned', [False, True])
def test_it_tells_whether_the_last_observation_was_learned_from(made, learned: bool) -> None:
    graph = FakeGraph(made)
    playback = playback_of(made, graph, drive_of(made, 3))
    drive(playback, graph, random.Random(5))
    assert playback.learned  # nobody learns at all
    playback.learn(30 * MS if learned else 20 * MS)
    assert playback.learned is learned
