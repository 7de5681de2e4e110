"""What `rtrrl inspect` knows about a bag after one pass."""

import io
import json
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from rtrrl_ros.bags.inspection.picture import plot
from rtrrl_ros.bags.inspection.summary import Summary, summarise
from rtrrl_ros.bags.inspection.text import show
from rtrrl_ros.bags.reading import Record, Topic, open_bag
from rtrrl_ros.errors import UserError
from rtrrl_ros.perception.events.codecs import EventPacket, encode_mono
from rtrrl_ros.perception.events.contract import EventBatch

MS = 1_000_000
START_NS = 1_790_000_000 * 10**9


def summary_of(recording: Any, folder: Path) -> Summary:
    with open_bag(recording.write(folder / 'bag')) as bag:
        return summarise(bag)


def text_of(summary: Summary) -> str:
    console = Console(width=120, file=io.StringIO())
    show(summary, console)
    return console.file.getvalue()  # type: ignore[attr-defined]


def topic(summary: Summary, name: str) -> dict[str, Any]:
    return next(t for t in summary.to_json()['topics'] if t['name'] == name)


def test_a_whole_drive(make_drive: Callable, tmp_path: Path) -> None:
    summary = summary_of(make_drive(), tmp_path)
    document = summary.to_json()
    json.dumps(document, allow_nan=False)
    assert [use.missing for use in summary.uses] == [[], [], []]
    events = document['events']
    assert (events['count'], events['on'], events['off']) == (600 * 20, 600 * 12, 600 * 8)
    assert (events['width'], events['height'], events['encoding']) == (64, 48, 'evt3')
    assert events['lost_packets'] == 0 and events['restarts'] == 0
    assert events['duration_s'] == pytest.approx(6.0, abs=0.01)
    assert events['rate_hz'] == pytest.approx(2000.0, rel=2e-3)
    for name in ('/event_camera/events', '/features', '/teleop', '/reward'):
        entry = topic(summary, name)
        assert (entry['count'], entry['gaps']) == (600, 0)
        assert entry['rate_hz'] == pytest.approx(100.0)
    laps = document['laps']
    assert [lap['steps'] for lap in laps] == [299, 299]
    assert laps[0]['mean_abs_lateral_error_m'] == pytest.approx(0.02)
    steering = document['commands']['/teleop']
    assert steering['std_rad'] == pytest.approx(0.2 / np.sqrt(2), rel=0.02)
    assert sum(steering['histogram']['counts']) == 600
    assert document['commands']['/executed']['modes'] == {'TAKEOVER': 600}
    assert document['odometry']['driven_m'] == pytest.approx(4 * np.pi * 3, rel=0.01)
    text = text_of(summary)
    assert 'cloning (rtrrl pretrain line --data): nothing is missing' in text
    assert 'evt3' in text and 'lap 2: 299 steps' in text


@pytest.mark.parametrize(
    ('without', 'lacking'),
    [
        (('/event_camera/events',), {'cloning'}),
        (('/event_camera/events', '/features'), {'cloning', 'exact replay', 'what-if'}),
        (('/teleop',), set()),
        (('/teleop', '/executed'), {'cloning', 'exact replay', 'what-if'}),
        (('/executed',), {'exact replay', 'what-if'}),
        (('/reward',), {'exact replay', 'what-if'}),
        (('/learner_run',), {'exact replay'}),
        (('/odom', '/features'), set()),
    ],
)
def test_what_is_missing_is_named(
    make_drive: Callable, tmp_path: Path, without: tuple[str, ...], lacking: set[str]
) -> None:
    summary = summary_of(make_drive(1.0, without), tmp_path)
    assert {use.name for use in summary.uses if use.missing} == lacking
    words = ' '.join(line for use in summary.uses for line in use.missing)
    if '/reward' in without:
        assert '/reward (rtrrl_msgs/msg/Reward)' in words
    if without[0] == '/event_camera/events':
        assert '/event_camera/events' in words


def test_a_drive_of_the_policy_is_nothing_to_clone(make_drive: Callable, tmp_path: Path) -> None:
    summary = summary_of(make_drive(1.0, takeover=False), tmp_path)
    assert 'the policy drove all the time' in summary.uses[0].missing[0]


def test_commands_of_another_clock_are_seen(make_drive: Callable, tmp_path: Path) -> None:
    recording = make_drive(1.0, ('/teleop', '/executed'))
    for step in range(100):
        recording.command('/teleop', 10 * MS * step, 10 * MS * step - 10**12, 0.1 * step % 0.3)
    (line,) = summary_of(recording, tmp_path).uses[0].missing
    assert 'commands that belong to what was seen' in line and '994 s' in line


def test_losses_and_gaps_are_counted(recording: Any, make_events: Callable, tmp_path: Path) -> None:
    for step in range(300):
        if step not in (50, 51, 120):
            recording.events(10 * MS * step, 10 * MS * step, make_events(10_000 * step), step)
    for step in range(300):
        seq = step if step < 200 else step - 200  # the encoder began anew
        if step not in (80, 260):
            recording.features(10 * MS * step + MS, 10 * MS * step, seq, np.zeros(2))
    summary = summary_of(recording, tmp_path)
    assert summary.to_json()['events']['lost_packets'] == 3
    assert topic(summary, '/event_camera/events')['gaps'] == 2
    assert topic(summary, '/features')['lost'] == 2
    assert any('3 of 300 packets were lost' in remark for remark in summary.remarks)


def test_an_unknown_encoding_is_said_and_counted_as_unknown(recording: Any, tmp_path: Path) -> None:
    for step in range(5):
        packet = EventPacket('evt9', 64, 48, step, 0, False, b'\x01\x02')
        recording.packet(10 * MS * step, 10 * MS * step, packet)
    summary = summary_of(recording, tmp_path)
    events = summary.to_json()['events']
    assert events['count'] is None and events['encoding'] == 'evt9'
    assert (events['width'], events['height'], events['rejected_packets']) == (64, 48, 5)
    assert "unknown encoding 'evt9'" in summary.uses[0].missing[0]
    assert 'cannot be decoded' in text_of(summary)


def test_another_encoding_and_a_restart_of_the_sensor(
    recording: Any, make_events: Callable, tmp_path: Path
) -> None:
    for step in range(40):
        batch: EventBatch = make_events(10_000 * (step % 20))
        base = 10_000_000 * (step % 20)
        packet = EventPacket('mono', 64, 48, step % 20, base, False, encode_mono(batch, base))
        recording.packet(10 * MS * step, 10 * MS * step, packet)
    events = summary_of(recording, tmp_path).to_json()['events']
    assert events['count'] == 800 and events['restarts'] == 1
    # mono packets tell no time beyond their last event
    assert events['duration_s'] == pytest.approx(0.4, abs=0.01)


def test_topics_of_the_wrong_type_are_ignored_aloud(recording: Any, tmp_path: Path) -> None:
    for step in range(5):
        recording.text('/features', step * MS, 'not features')
        recording.text('/event_camera/events', step * MS, 'no events')
    recording.silent['/reward'] = 'rtrrl_msgs/msg/Reward'
    summary = summary_of(recording, tmp_path)
    assert summary.events is None and 'events' not in summary.to_json()
    remarks = '\n'.join(summary.remarks)
    assert '/features holds std_msgs/msg/String, not rtrrl_msgs/msg/Features' in remarks
    assert '/event_camera/events holds std_msgs/msg/String' in remarks
    assert '/reward is empty' in remarks


def test_numbers_that_are_none_are_null_in_the_document(recording: Any, tmp_path: Path) -> None:
    for step in range(5):
        kind = (0, 1, 1, 1, 2)[step]
        recording.reward(step * MS, step * MS, 0, kind, float('nan') if step == 2 else 0.1)
        recording.command('/teleop', step * MS, step * MS, float('inf') if step == 3 else 0.2)
    summary = summary_of(recording, tmp_path)
    document = json.loads(json.dumps(summary.to_json(), allow_nan=False))
    assert document['laps'][0]['mean_abs_lateral_error_m'] is None
    assert document['laps'][0]['steps'] == 4
    assert document['commands']['/teleop']['count'] == 4
    assert '/teleop: 1 commands are not finite' in summary.remarks


def test_damaged_messages_are_counted_and_the_others_used(
    make_drive: Callable, tmp_path: Path
) -> None:
    recording = make_drive(1.0)
    for index in range(0, len(recording.messages), 5):
        name, kind, log_ns, data = recording.messages[index]
        recording.messages[index] = name, kind, log_ns, data[: len(data) // 3]
    summary = summary_of(recording, tmp_path)
    assert sum(timing.damaged for timing in summary.topics) > 50
    assert any('messages cannot be read' in remark for remark in summary.remarks)
    assert summary.to_json()['events']['count'] > 0


def test_a_message_type_that_nobody_knows(recording: Any, tmp_path: Path) -> None:
    recording.messages += [
        ('/strange', 'strange_msgs/msg/Thing', START_NS + k * 10 * MS, b'\0\1\0\0' + bytes(8))
        for k in range(50)
    ]
    entry = topic(summary_of(recording, tmp_path), '/strange')
    assert (entry['count'], entry['gaps'], entry['damaged']) == (50, 0, 0)
    assert 'stamps' not in entry


def test_an_empty_bag(recording: Any, tmp_path: Path) -> None:
    recording.silent['/event_camera/events'] = 'event_camera_msgs/msg/EventPacket'
    summary = summary_of(recording, tmp_path)
    json.dumps(summary.to_json(), allow_nan=False)
    assert summary.duration_s == 0.0
    assert not any(use.ready for use in summary.uses)
    assert 'there is no packet' in summary.uses[0].missing[0]
    assert '0 messages' in text_of(summary)


class _CutOff:
    """A bag whose second half turns out to be damaged while it is read."""

    def __init__(self, bag: Any) -> None:
        self._bag = bag

    def __getattr__(self, name: str) -> Any:
        return getattr(self._bag, name)

    def records(self) -> Iterator[Record]:
        for index, record in enumerate(self._bag.records()):
            if index == 300:
                raise UserError('bag: a chunk is damaged')
            yield record


def test_a_bag_that_is_damaged_in_its_midst_is_told_up_to_there(
    make_drive: Callable, tmp_path: Path
) -> None:
    with open_bag(make_drive(1.0).write(tmp_path / 'bag')) as bag:
        summary = summarise(_CutOff(bag))  # type: ignore[arg-type]
    assert summary.incomplete == 'bag: a chunk is damaged'
    assert sum(timing.count for timing in summary.topics) == 300
    assert summary.remarks[0] == summary.incomplete


class _Endless:
    """So many commands that lie in no memory."""

    path, incomplete = Path('long'), ''
    start_ns = START_NS

    def __init__(self, bag: Any, count: int) -> None:
        self._bag, self.end_ns = bag, START_NS + count * 10 * MS
        self._record = next(iter(bag.records()))
        self.topics = {'/teleop': Topic('/teleop', self._record.type, count)}

    def records(self) -> Iterator[Record]:
        first = self._record
        for index in range(self.topics['/teleop'].count):
            yield Record(first.topic, first.type, START_NS + index * 10 * MS, first.data)

    def message(self, record: Record) -> Any:
        return self._bag.message(record)


def test_memory_does_not_grow_with_the_length_of_a_bag(recording: Any, tmp_path: Path) -> None:
    recording.command('/teleop', 0, None, 0.1)
    peaks = []
    with open_bag(recording.write(tmp_path / 'bag')) as bag:
        summarise(_Endless(bag, 100))  # type: ignore[arg-type]
        for count in (500, 5_000):
            tracemalloc.start()
            assert summarise(_Endless(bag, count)).topics[0].count == count  # type: ignore[arg-type]
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    assert peaks[1] < peaks[0] + 50_000


@pytest.mark.parametrize(
    'without',
    [
        (),
        ('/event_camera/events', '/odom', '/teleop', '/executed'),
        ('/reward',),
        ('/features', '/teleop', '/executed', '/reward', '/odom', '/event_camera/events'),
    ],
)
def test_a_picture_of_any_bag(
    make_drive: Callable, tmp_path: Path, without: tuple[str, ...]
) -> None:
    file = tmp_path / 'picture.png'
    plot(summary_of(make_drive(8.0 if not without else 1.0, without), tmp_path), file)
    assert file.read_bytes()[:4] == b'\x89PNG'


def test_a_picture_of_an_empty_bag(recording: Any, tmp_path: Path) -> None:
    plot(summary_of(recording, tmp_path), tmp_path / 'picture.png')
    assert (tmp_path / 'picture.png').stat().st_size > 1000
