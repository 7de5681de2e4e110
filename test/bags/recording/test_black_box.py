"""The last seconds before a fault, and what counts as one."""

from pathlib import Path

import pytest

from rtrrl_ros.bags.contract import Qos
from rtrrl_ros.bags.message_types import MessageTypes
from rtrrl_ros.bags.reading import open_bag
from rtrrl_ros.bags.recording.black_box import BlackBox
from rtrrl_ros.bags.recording.dumps import FaultDumps
from rtrrl_ros.bags.recording.faults import DIAGNOSTICS, EXECUTED, FaultWatch
from rtrrl_ros.bags.recording.recorder import Arrival

TEXT = 'std_msgs/msg/String'
S_NS = 1_000_000_000
PASSED, TAKEOVER, STOPPED = 0, 2, 3
OK, WARN, ERROR = 0, 1, 2


def arrival(second: float, topic: str = '/text', size: int = 10) -> Arrival:
    return Arrival(topic, round(second * S_NS), 0, bytes([0, 1, 0, 0]) + bytes(size))


def filled(seconds: float = 30.0, **options) -> BlackBox:
    box = BlackBox(seconds, **options)
    box.add_topic('/text', TEXT, [])
    return box


def test_it_reaches_back_so_many_seconds() -> None:
    box = filled(30.0)
    for second in range(100):
        box.add([arrival(second)])
    assert [a.log_ns // S_NS for a in box.contents()] == list(range(69, 100))


def test_it_takes_no_more_memory_than_it_may() -> None:
    box = filled(30.0, buffer_bytes=1000)
    for tenth in range(100):
        box.add([arrival(tenth / 10, size=96)])
    assert [a.log_ns for a in box.contents()] == [round(t / 10 * S_NS) for t in range(90, 100)]
    box.add([arrival(11.0, size=5000)])
    assert box.contents() == []  # one that is larger than all of it


def test_what_was_latched_long_ago_still_holds() -> None:
    box = filled(30.0)
    box.add_topic('/run', TEXT, [Qos('reliable', 'transient_local')])
    box.add([arrival(0, '/run', 1), arrival(1, '/run', 2), arrival(2)])
    assert [a.topic for a in box.contents()] == ['/run', '/run', '/text']
    box.add([arrival(100)])
    assert [(a.topic, a.log_ns // S_NS, len(a.data)) for a in box.contents()] == [
        ('/run', 100, 6), ('/text', 100, 14),
    ]  # fmt: skip


def test_an_empty_one() -> None:
    assert filled().contents() == []


class Faults:
    """Messages in which faults show."""

    def __init__(self) -> None:
        self._types = MessageTypes()
        self.watch = FaultWatch('/bag_recorder_node')

    def executed(self, mode: int, reason: str = '') -> str:
        make = self._types.make
        time = make('builtin_interfaces/msg/Time', sec=0, nanosec=0)
        drive = make(
            'ackermann_msgs/msg/AckermannDrive', steering_angle=0.0, steering_angle_velocity=0.0,
            speed=0.0, acceleration=0.0, jerk=0.0,
        )  # fmt: skip
        header = make('std_msgs/msg/Header', stamp=time, frame_id='')
        message = make(EXECUTED, header=header, drive=drive, mode=mode, reason=reason)
        return self.watch.observe(EXECUTED, self._types.serialize(message, EXECUTED))

    def diagnostics(self, level: int, name: str = '/encoder_node') -> str:
        make = self._types.make
        time = make('builtin_interfaces/msg/Time', sec=0, nanosec=0)
        status = make(
            'diagnostic_msgs/msg/DiagnosticStatus', level=level, name=name, message='no events',
            hardware_id='', values=[],
        )  # fmt: skip
        header = make('std_msgs/msg/Header', stamp=time, frame_id='')
        message = make(DIAGNOSTICS, header=header, status=[status])
        return self.watch.observe(DIAGNOSTICS, self._types.serialize(message, DIAGNOSTICS))


@pytest.fixture
def faults() -> Faults:
    return Faults()


def test_a_stop_after_driving_is_a_fault_once(faults: Faults) -> None:
    assert faults.executed(STOPPED, 'no proposals') == ''  # was not driving yet
    assert faults.executed(PASSED) == ''
    assert faults.executed(STOPPED, 'stale') == 'stopped: stale'
    assert faults.executed(STOPPED, 'stale') == ''
    assert faults.executed(TAKEOVER, 'takeover') == ''
    assert faults.executed(STOPPED, 'the person let go') == 'stopped: the person let go'


def test_the_end_of_the_gate_is_none(faults: Faults) -> None:
    faults.executed(PASSED)
    assert faults.executed(STOPPED, 'deactivated') == ''


def test_an_error_is_a_fault_when_it_begins(faults: Faults) -> None:
    assert faults.diagnostics(OK) == faults.diagnostics(WARN) == ''
    assert faults.diagnostics(ERROR) == '/encoder_node: no events'
    assert faults.diagnostics(ERROR) == ''
    assert faults.diagnostics(ERROR, '/agent_node') == '/agent_node: no events'
    assert faults.diagnostics(OK) == ''
    assert faults.diagnostics(ERROR) == '/encoder_node: no events'


def test_the_recorder_does_not_watch_itself(faults: Faults) -> None:
    assert faults.diagnostics(ERROR, '/bag_recorder_node') == ''


def test_other_messages_and_broken_ones_are_none(faults: Faults) -> None:
    assert faults.watch.observe(TEXT, b'') == ''
    assert faults.watch.observe(EXECUTED, b'\0\1\0\0') == ''


class Dumps:
    """`FaultDumps` of a box that gets a message per second."""

    def __init__(self, folder: Path, most: int = 5) -> None:
        self.box = filled(30.0)
        self.lines: list[str] = []
        self.folder = folder
        self.dumps = FaultDumps(self.box, folder, 2.0, most, self.lines.append)

    def drive(self, start: int, end: int) -> None:
        for second in range(start, end):
            self.box.add([arrival(second)])
            self.dumps.poll(second)

    def bags(self) -> list[tuple[str, list[int]]]:
        found = []
        for folder in sorted(self.folder.glob('*')):
            with open_bag(folder) as bag:
                seconds = [record.log_ns // S_NS for record in bag.records()]
                found.append((bag.custom['fault'], seconds))
        return found


def test_a_fault_gives_a_bag_with_what_came_before_and_shortly_after(tmp_path: Path) -> None:
    dumps = Dumps(tmp_path / 'boxes')
    dumps.drive(0, 100)
    dumps.dumps.fault('stopped: stale', 99)
    dumps.dumps.fault('encoder: no events', 100)  # the same fault, seen by somebody else
    dumps.drive(100, 110)
    dumps.dumps.close()
    assert dumps.bags() == [('stopped: stale; encoder: no events', list(range(71, 102)))]
    assert 'black box of 31 messages in' in dumps.lines[0]
    assert next((tmp_path / 'boxes').glob('*')).name.endswith('-stopped-stale-encoder-no-events')


def test_no_fault_no_bag(tmp_path: Path) -> None:
    dumps = Dumps(tmp_path / 'boxes')
    dumps.drive(0, 10)
    dumps.dumps.close()
    assert not (tmp_path / 'boxes').exists()


def test_a_fault_just_before_the_end(tmp_path: Path) -> None:
    dumps = Dumps(tmp_path / 'boxes')
    dumps.drive(0, 10)
    dumps.dumps.fault('stopped', 9)
    dumps.dumps.close()
    assert dumps.bags() == [('stopped', list(range(10)))]


def test_they_do_not_fill_the_disk(tmp_path: Path) -> None:
    dumps = Dumps(tmp_path / 'boxes', most=2)
    for start in range(0, 400, 100):
        dumps.drive(start, start + 50)
        dumps.dumps.fault(f'fault {start}', start + 49)
        dumps.drive(start + 50, start + 100)
    dumps.dumps.close()
    assert [fault for fault, _ in dumps.bags()] == ['fault 0', 'fault 100']
    assert sum('no more black boxes' in line for line in dumps.lines) == 2


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / 'file').write_text('')
    dumps = Dumps(tmp_path / 'file' / 'boxes')
    dumps.drive(0, 5)
    dumps.dumps.fault('stopped', 4)
    dumps.dumps.close()
    assert 'the black box could not be written' in dumps.lines[0]
