"""The recorder's thread: nobody waits for the disk, no loss is silent, kill -9 is cheap."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from rtrrl_ros.bags.reading import open_bag
from rtrrl_ros.bags.recording.progress import RecordingProgress
from rtrrl_ros.bags.recording.recorder import Arrival, Recorder
from rtrrl_ros.bags.writing import BagWriter
from rtrrl_ros.errors import UserError

TEXT = 'std_msgs/msg/String'


def arrivals(count: int, size: int = 100) -> list[Arrival]:
    return [Arrival('/text', i + 1, i, bytes([0, 1, 0, 0]) + bytes(size)) for i in range(count)]


class SlowBag(BagWriter):
    """Its disk takes nothing before `go` is set."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, least_free_bytes=0)
        self.go = threading.Event()

    def write(self, *arguments) -> None:
        assert self.go.wait(30.0)
        super().write(*arguments)


def test_everything_is_in_the_bag_after_closing(tmp_path: Path) -> None:
    recorder = Recorder(BagWriter(tmp_path / 'bag', least_free_bytes=0))
    recorder.add_topic('/text', TEXT, [])
    for start in range(0, 1000, 100):
        recorder.add([a._replace(log_ns=a.log_ns + start) for a in arrivals(100)])
    recorder.close()
    recorder.close()
    assert recorder.count == 1000 and not recorder.lost and not recorder.failure
    with open_bag(tmp_path / 'bag') as bag:
        assert [record.log_ns for record in bag.records()] == list(range(1, 1001))
        assert bag.incomplete == ''


def test_a_slow_disk_is_not_waited_for_and_what_it_costs_is_counted(tmp_path: Path) -> None:
    bag = SlowBag(tmp_path / 'bag')
    recorder = Recorder(bag, buffer_bytes=50 * 104)
    recorder.add_topic('/text', TEXT, [])
    for arrival in arrivals(80):
        recorder.add([arrival])
    assert recorder.lost == 30
    bag.go.set()
    recorder.close()
    with open_bag(tmp_path / 'bag') as written:
        assert [record.log_ns for record in written.records()] == list(range(1, 51))


def test_a_failure_is_told_and_ends_it(tmp_path: Path) -> None:
    recorder = Recorder(BagWriter(tmp_path / 'bag', least_free_bytes=1 << 60))
    recorder.add_topic('/text', TEXT, [])
    recorder.add(arrivals(5))
    deadline_s = time.monotonic() + 30.0
    while not recorder.failure and time.monotonic() < deadline_s:
        time.sleep(0.01)
    assert 'the disk is full; stopped' in recorder.failure
    recorder.add(arrivals(7))
    recorder.close()
    assert recorder.lost >= 7
    with open_bag(tmp_path / 'bag') as bag:
        assert not list(bag.records()) and bag.incomplete == ''


def test_a_bug_does_not_end_it_in_silence(tmp_path: Path) -> None:
    recorder = Recorder(BagWriter(tmp_path / 'bag', least_free_bytes=0))
    recorder.add([Arrival('/never_added', 1, 1, b'')])
    recorder.close()
    assert 'recording failed' in recorder.failure and recorder.lost == 1


WRITER = """
import sys, time
from rtrrl_ros.bags.recording.recorder import Arrival, Recorder
from rtrrl_ros.bags.writing import BagWriter

recorder = Recorder(
    BagWriter(sys.argv[1], compression=sys.argv[2], split_bytes=1_000_000, least_free_bytes=0)
)
recorder.add_topic('/text', 'std_msgs/msg/String', [])
number = 0
while True:
    batch = []
    for _ in range(20):
        number += 1
        data = bytes([0, 1, 0, 0]) + number.to_bytes(4, 'little') + bytes(2000)
        batch.append(Arrival('/text', time.time_ns(), 0, data))
    recorder.add(batch)
    print(number, batch[-1].log_ns, flush=True)
    time.sleep(0.02)
"""


@pytest.mark.parametrize('compression', ['none', 'zstd'])
def test_kill_9_costs_a_second_at_most(tmp_path: Path, compression: str) -> None:
    randomness = random.Random(compression)
    for attempt in range(3):
        folder = tmp_path / str(attempt)
        command = [sys.executable, '-c', WRITER, str(folder), compression]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            lines = [process.stdout.readline()]
            end_s = time.monotonic() + randomness.uniform(0.5, 2.0)
            while time.monotonic() < end_s:
                lines.append(process.stdout.readline())
            os.kill(process.pid, signal.SIGKILL)
            lines += process.stdout.readlines()
        number, last_ns = map(int, lines[-1 if lines[-1].endswith(b'\n') else -2].split())
        with open_bag(folder) as bag:
            got = [int.from_bytes(record.data[4:8], 'little') for record in bag.records()]
            assert 'did not end in order' in bag.incomplete
            assert got == list(range(1, len(got) + 1)) and len(got) <= number + 20
            assert (last_ns - bag.end_ns) * 1e-9 <= 1.0


def test_a_bag_that_cannot_be_made_makes_no_recorder(tmp_path: Path) -> None:
    with pytest.raises(UserError):
        Recorder(BagWriter(tmp_path / 'no' / 'bag'))


def test_progress_is_told_in_rates_since_the_last_line() -> None:
    progress = RecordingProgress(100.0)
    assert progress.line(102.0, 20, 4_000_000, 0) == '2 s  4.0 MB  10 messages/s  2.00 MB/s'
    assert progress.line(103.0, 25, 5_500_000, 7) == '3 s  5.5 MB  5 messages/s  1.50 MB/s  7 lost'
