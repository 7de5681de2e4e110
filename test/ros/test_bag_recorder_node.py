"""The recorder in a real graph: what is published is in the bag, byte for byte."""

import itertools
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from rtrrl_ros.bags.reading import Bag, open_bag
from rtrrl_ros.nodes.topic_intake import in_order

#: rclpy's publisher says, through a call that it deprecates, that at first it is asked for too much
pytestmark = pytest.mark.filterwarnings('ignore:Deprecated in favor of:DeprecationWarning')


def data_of(folder: Path, topic: str) -> list[bytes]:
    with open_bag(folder) as bag:
        return [record.data for record in bag.records([topic])]


def publish(graph: Any, kind: type, topic: str, qos: Any, messages: list[Any]) -> None:
    """Publish once the recorder listens, no faster than its queue takes."""
    publisher = graph.publisher(kind, topic, qos)
    graph.until(lambda: publisher.get_subscription_count() > 0, f'the recorder hears {topic}')
    graph.for_seconds(0.5)  # the other side may discover this a little later
    for message in messages:
        publisher.publish(message)
        graph.for_seconds(0.002)


def record(graph: Any, *arguments: str, **parameters: Any) -> subprocess.Popen:
    """Start the recorder, and wait until it is up."""
    process = graph.start('bag_recorder_node', *arguments, **parameters)
    graph.until(lambda: graph.output(process).strip(), 'the recorder')
    return process


def stop(graph: Any, process: subprocess.Popen) -> int:
    process.send_signal(signal.SIGINT)
    return graph.exit_status(process)


def executed(mode: int, reason: str = '') -> Any:
    from rtrrl_msgs.msg import Executed

    return Executed(mode=mode, reason=reason)


@pytest.fixture
def bag(tmp_path: Path) -> Path:
    return tmp_path / 'bag'


def test_messages_are_recorded_as_they_were_serialised(graph, bag: Path) -> None:
    from rclpy.serialization import serialize_message
    from rtrrl_msgs.msg import Executed, Features
    from std_msgs.msg import Header

    from rtrrl_ros.nodes.qos import RECORD

    process = record(graph, out=str(bag), topics='features executed')
    header = Header(frame_id='abc')  # no padding follows it: its bytes would be whatever was there
    features = [Features(header=header, seq=i, data=[0.5 * i] * (i % 7)) for i in range(200)]
    publish(graph, Features, 'features', RECORD, features)
    commands = [executed(i % 4, f'reason {i}') for i in range(50)]
    publish(graph, Executed, 'executed', RECORD, commands)
    graph.for_seconds(0.2)
    assert stop(graph, process) == 0
    assert data_of(bag, '/features') == [bytes(serialize_message(m)) for m in features]
    with open_bag(bag) as recording:
        assert recording.incomplete == ''
        assert recording.topics['/executed'].qos[0].durability == 'transient_local'
        messages = [recording.message(record) for record in recording.records(['/executed'])]
        assert [m.reason for m in messages] == [m.reason for m in commands]
        ages_s = [time.time() - record.log_ns * 1e-9 for record in recording.records()]
        assert 0.0 < min(ages_s) and max(ages_s) < 300.0
    assert '250 messages' in graph.output(process)


def test_what_is_known_is_listened_to_before_anybody_speaks(graph, bag: Path) -> None:
    """A volatile topic keeps nothing for a recorder that joins when it has seen the publisher."""
    graph.start('bag_recorder_node', out=str(bag))
    for topic in ('/features', '/event_camera/events', '/drive_proposal'):
        graph.until(lambda topic=topic: graph.peer.count_subscribers(topic) > 0, topic)


def test_what_was_said_before_it_came_up_is_not_recorded_behind_what_follows(graph, bag) -> None:
    """The middleware sends what it has kept later than the newest, but hands it out before it."""
    from rtrrl_msgs.msg import Features

    from rtrrl_ros.nodes.qos import LEDGER

    publisher = graph.publisher(Features, 'features', LEDGER)
    sent = itertools.count()

    def publish_next() -> bool:
        publisher.publish(Features(seq=next(sent)))
        return publisher.get_subscription_count() > 0

    for _ in range(300):
        publish_next()
    process = graph.start('bag_recorder_node', out=str(bag), topics='features')
    graph.until(publish_next, 'the recorder hears features')
    for _ in range(300):
        publish_next()
        graph.for_seconds(0.001)
    graph.for_seconds(0.5)
    assert stop(graph, process) == 0
    with open_bag(bag) as recording:
        numbers = [recording.message(record).seq for record in recording.records()]
    assert numbers == list(range(next(sent)))


@pytest.mark.parametrize(
    ('received_ms', 'logged_ms'),
    [
        ([10, 30, 20, 40], [10, 30, 30, 40]),  # the third was sent again
        ([10_000, 2_000, 2_010], [10_000, 2_000, 2_010]),  # the clock was set back
        ([10_000, 9_500, 10_001], [10_000, 10_000, 10_001]),
    ],
)
def test_log_times_keep_the_order_and_follow_the_clock(received_ms, logged_ms) -> None:
    logged, newest_ns = [], 0
    for received in received_ms:
        newest_ns = in_order(newest_ns, received * 1_000_000)
        logged.append(newest_ns // 1_000_000)
    assert logged == logged_ms


def test_nobody_takes_a_recorder_for_a_listener(graph, bag: Path) -> None:
    from rtrrl_msgs.msg import Features

    from rtrrl_ros.nodes.listeners import count_listeners
    from rtrrl_ros.nodes.qos import STREAM

    graph.start('bag_recorder_node', out=str(bag))
    graph.until(lambda: graph.peer.count_subscribers('/features') > 0, 'the recorder')
    graph.for_seconds(0.5)
    assert count_listeners(graph.peer, '/features') == 0
    graph.collect(Features, '/features', STREAM)
    graph.until(lambda: count_listeners(graph.peer, '/features') == 1, 'somebody who listens')


@pytest.mark.parametrize('reliable', [True, False])
def test_events_from_drivers_of_either_kind(graph, bag: Path, reliable: bool) -> None:
    from event_camera_msgs.msg import EventPacket

    from rtrrl_ros.nodes.qos import EVENTS, EVENTS_COMPLETE

    process = record(graph, out=str(bag), compression='zstd')
    topic, qos = '/event_camera/events', EVENTS_COMPLETE if reliable else EVENTS
    packets = [EventPacket(seq=i, events=bytes(500)) for i in range(100)]
    publish(graph, EventPacket, topic, qos, packets)
    graph.for_seconds(0.2)
    stop(graph, process)
    with open_bag(bag) as recording:
        seqs = [recording.message(record).seq for record in recording.records([topic])]
    assert seqs == list(range(100))


def test_a_publisher_that_offers_less_comes_up_later(graph, bag: Path) -> None:
    from std_msgs.msg import String

    from rtrrl_ros.nodes.qos import DEVICE, STREAM

    process = record(graph, out=str(bag), topics='speech')
    publish(graph, String, 'speech', STREAM, [String(data='reliable')])
    graph.for_seconds(0.2)
    publish(graph, String, 'speech', DEVICE, [String(data='best effort')])
    graph.for_seconds(0.2)
    stop(graph, process)
    with open_bag(bag) as recording:
        got = [recording.message(record).data for record in recording.records()]
    assert got == ['reliable', 'best effort']


def test_all_topics(graph, bag: Path) -> None:
    from std_msgs.msg import String

    from rtrrl_ros.nodes.qos import STREAM

    process = record(graph, out=str(bag), topics='all')
    publish(graph, String, '/elsewhere', STREAM, [String(data='x')])
    graph.until(lambda: '/elsewhere ' in graph.output(process), 'the topic')
    stop(graph, process)
    with open_bag(bag) as recording:
        assert {'/elsewhere', '/diagnostics'} <= set(recording.topics)
        assert '/rosout' not in recording.topics


def test_names_in_a_namespace_and_remapped(graph, bag: Path) -> None:
    from std_msgs.msg import String

    from rtrrl_ros.nodes.qos import STREAM

    process = record(graph, '-r', '__ns:=/car', '-r', 'b:=c', out=str(bag), topics='a b')
    for topic in ('/car/a', '/car/c'):
        graph.publisher(String, topic, STREAM)
        graph.until(lambda topic=topic: f'{topic} ' in graph.output(process), topic)
    stop(graph, process)
    with open_bag(bag) as recording:
        assert set(recording.topics) == {'/car/a', '/car/c'}


def test_bad_parameters_are_one_line(graph, bag: Path) -> None:
    bag.mkdir()
    for parameters, line in (
        ({}, 'out or black_box: name a folder'),
        ({'out': str(bag)}, 'exists already; name a new folder'),
        ({'out': str(bag / 'new'), 'compression': 'lz4'}, 'must be one of none, zstd'),
        ({'out': str(bag / 'no' / 'folder')}, 'cannot be written'),
        (
            {'out': str(bag / 'new'), 'topics': 'camera/image-raw'},
            "topics: 'camera/image-raw' is no name of a topic",
        ),
        ({'out': str(bag / 'new'), 'also': 'a{b}'}, "topics: 'a{b}' is no name of a topic"),
    ):
        process = graph.start('bag_recorder_node', **parameters)
        assert graph.exit_status(process) == 2
        assert line in graph.output(process)
        assert 'Traceback' not in graph.output(process)
        assert not list(bag.iterdir())  # nothing is left behind


#: a disk that takes five times as long for a chunk as other nodes have for ending
SLOW_DISK = """
import os, time
from rtrrl_ros.bags.storage import mcap_writing
from rtrrl_ros.nodes import bag_recorder_node, process

class SlowDisk:
    def __getattr__(self, name):
        return getattr(os, name)

    def writev(self, descriptor, views):
        time.sleep(0.5)
        return os.writev(descriptor, views)

mcap_writing.os = SlowDisk()
process.run_node.__defaults__ = (0, 0.1)
bag_recorder_node.main()
"""


def test_what_waits_for_a_slow_disk_is_written_in_the_end(graph, bag: Path) -> None:
    from std_msgs.msg import String

    from rtrrl_ros.nodes.qos import STREAM

    process = graph.run(
        [
            sys.executable, '-c', SLOW_DISK, '--ros-args', '-p', f'out:={bag}', '-p',
            'topics:=speech',
        ]
    )  # fmt: skip
    publish(graph, String, 'speech', STREAM, [String(data='x' * 250_000)] * 20)
    graph.for_seconds(0.2)
    assert stop(graph, process) == 0
    with open_bag(bag) as recording:
        assert recording.incomplete == ''
        assert len(list(recording.records(['/speech']))) == 20


def test_the_launch_file_is_no_less_patient_than_the_node() -> None:
    from rtrrl_ros.launching.description import describe
    from rtrrl_ros.nodes.bag_recorder_node import PATIENCE_S
    from rtrrl_ros.resources import find_resource

    (node,) = describe(find_resource('launch', 'record.launch.xml'), {}, {})
    assert node.patience_s[signal.SIGINT] > PATIENCE_S


def test_a_full_disk_ends_the_recording_in_order(graph, bag: Path) -> None:
    from std_msgs.msg import String

    from rtrrl_ros.nodes.qos import STREAM

    process = graph.start(
        'bag_recorder_node', out=str(bag), topics='speech', least_free_megabytes=1_000_000
    )
    publish(graph, String, 'speech', STREAM, [String(data='x')] * 10)
    assert graph.exit_status(process) == 1
    assert 'the disk is full; stopped' in graph.output(process)
    with open_bag(bag) as recording:
        assert recording.incomplete == ''


def bags_in(folder: Path) -> list[Path]:
    return sorted(path.parent for path in folder.glob('*/metadata.yaml'))


def fault_of(folder: Path) -> str:
    with open_bag(folder) as recording:
        return recording.custom['fault']


def test_the_black_box_is_written_on_a_fault_and_when_asked(graph, tmp_path: Path) -> None:
    from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
    from rtrrl_msgs.msg import Executed
    from std_srvs.srv import Trigger

    from rtrrl_ros.nodes.qos import RECORD, STREAM

    boxes = tmp_path / 'boxes'
    process = graph.start('bag_recorder_node', black_box=str(boxes), black_box_after_s=0.2)
    publisher = graph.publisher(Executed, 'executed', RECORD)
    graph.until(lambda: publisher.get_subscription_count() > 0, 'the recorder')
    for mode in (3, 0, 0, 1):
        publisher.publish(executed(mode))
    graph.for_seconds(1.0)
    assert not bags_in(boxes)
    publisher.publish(executed(3, 'no proposals'))
    graph.until(lambda: len(bags_in(boxes)) == 1, 'the black box after a stop')
    assert fault_of(bags_in(boxes)[0]) == 'stopped: no proposals'
    with open_bag(bags_in(boxes)[0]) as recording:
        modes = [recording.message(r).mode for r in recording.records(['/executed'])]
    assert modes == [3, 0, 0, 1, 3]

    status = DiagnosticStatus(level=b'\2', name='/camera', message='unplugged')
    publish(
        graph, DiagnosticArray, '/diagnostics', STREAM, [DiagnosticArray(status=[status])]
    )  # fmt: skip
    graph.until(lambda: len(bags_in(boxes)) == 2, 'the black box after an error')
    assert fault_of(bags_in(boxes)[1]) == '/camera: unplugged'

    answer = graph.call(Trigger, '/bag_recorder_node/dump', Trigger.Request())
    assert answer.success
    graph.until(lambda: len(bags_in(boxes)) >= 3, 'the black box when asked')
    assert fault_of(bags_in(boxes)[2]) == 'asked for'
    assert stop(graph, process) == 0


def test_the_black_box_outlives_a_full_disk(graph, bag: Path, tmp_path: Path) -> None:
    from rtrrl_msgs.msg import Executed

    from rtrrl_ros.nodes.qos import RECORD

    process = graph.start(
        'bag_recorder_node', out=str(bag), black_box=str(tmp_path / 'boxes'),
        least_free_megabytes=1_000_000, black_box_after_s=0.0,
    )  # fmt: skip
    publish(graph, Executed, 'executed', RECORD, [executed(0), executed(0)])
    graph.until(lambda: 'the disk is full' in graph.output(process), 'the line')
    publish(graph, Executed, 'executed', RECORD, [executed(0), executed(3, 'stale')])
    graph.until(lambda: bags_in(tmp_path / 'boxes'), 'the black box')
    assert stop(graph, process) == 1  # since it did not record everything


def test_rtrrl_record(graph, bag: Path) -> None:
    from rtrrl_msgs.msg import Features

    from rtrrl_ros.nodes.qos import RECORD

    process = graph.run(
        [sys.executable, '-m', 'rtrrl_ros.cli.main', 'record', str(bag), '--also', 'speech']
    )
    publish(graph, Features, 'features', RECORD, [Features(seq=i) for i in range(20)])
    graph.until(lambda: '/features' in graph.output(process), 'the topic')
    graph.for_seconds(0.2)
    assert stop(graph, process) == 0
    assert '20  /features  rtrrl_msgs/msg/Features' in graph.output(process)
    assert len(data_of(bag, '/features')) == 20
    again = graph.run([sys.executable, '-m', 'rtrrl_ros.cli.main', 'record', str(bag)])
    assert graph.exit_status(again) == 2
    assert graph.output(again).splitlines() == [
        f'rtrrl record: {bag}: exists already; name a new folder'
    ]


def check_readable(recording: Bag) -> None:
    assert 'did not end in order' in recording.incomplete
    count = 0
    for record in recording.records():
        recording.message(record)
        count += 1
    assert count == sum(topic.count for topic in recording.topics.values())


@pytest.mark.slow
@pytest.mark.parametrize('attempt', range(20))
def test_the_recorder_of_a_drive_is_killed_at_a_random_moment(graph, tmp_path, attempt) -> None:
    """The bag opens, every message in it can be read, and at most a second is lost.

    A graph of its own each time: Fast DDS may block for good where a process was killed while it
    held a lock in shared memory, see docs/bags.md.
    """
    from rtrrl_msgs.msg import WorldState

    from rtrrl_ros.nodes.qos import RECORD
    from rtrrl_ros.resources import find_resource

    randomness = random.Random(attempt)
    bag, compression = tmp_path / 'bag', randomness.choice(['none', 'zstd'])
    recorder = graph.start(
        'bag_recorder_node', out=str(bag), compression=compression, split_megabytes=5
    )
    newest: list[int] = []
    graph._hear(WorldState, 'world_state', lambda message: newest.append(time.time_ns()), RECORD)
    graph.until(lambda: bag.is_dir(), 'the recorder', 300.0)
    model = find_resource('models', 'line-lrcssm')
    drive = graph.run(
        [
            sys.executable, '-m', 'rtrrl_ros.cli.main', 'launch', 'line.launch.xml', 'laps:=1000',
            f'model:={model}', 'learn:=true', 'steering_offset:=0.1',
        ]
    )  # fmt: skip
    graph.until(lambda: newest, 'the first observation', 300.0)
    graph.for_seconds(randomness.uniform(0.5, 10.0))
    assert drive.poll() is None, graph.output(drive)
    os.kill(recorder.pid, signal.SIGKILL)
    heard_ns = newest[-1]
    graph.exit_status(recorder)
    with open_bag(bag) as recording:
        check_readable(recording)
        lost_s = (heard_ns - recording.end_ns) * 1e-9
    print(f'{len(newest)} observations, lost {lost_s:.2f} s')
    assert lost_s <= 1.0
