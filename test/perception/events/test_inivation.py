"""iniVation's recordings, network streams and cameras through dv-processing."""

import socket
import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rtrrl_ros.errors import UserError
from rtrrl_ros.perception.events import EventBatch, EventSource
from rtrrl_ros.perception.events.conformance import (
    HEIGHT,
    WIDTH,
    EventSourceConformance,
    random_events,
)
from rtrrl_ros.perception.events.inivation import Aedat4Source, CameraSource, NetworkSource


def store_of(dv: Any, events: EventBatch) -> Any:
    store = dv.EventStore()
    columns = events.t_us, events.x, events.y, events.polarity
    for t, x, y, on in zip(*(column.tolist() for column in columns), strict=True):
        store.push_back(t, x, y, on)
    return store


def write_recording(path: Path, events: EventBatch, parts: int = 3) -> None:
    """An .aedat4 file by dv-processing's own writer."""
    dv = pytest.importorskip('dv_processing')
    config = dv.io.MonoCameraWriter.EventOnlyConfig('camera', (WIDTH, HEIGHT))
    writer = dv.io.MonoCameraWriter(str(path), config)
    step = len(events) // parts + 1
    for start in range(0, len(events), step):
        writer.writeEvents(store_of(dv, events.slice(start, start + step)))
    del writer  # finishes the file


class TestRecording(EventSourceConformance):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    def make_source(self, events: EventBatch) -> EventSource:
        path = self.folder / 'events.aedat4'
        write_recording(path, events)
        return Aedat4Source(path)


#: A program of its own, as in life. In one process the library's threads and the interpreter wait
#: for each other now and then: what ends a writer holds the lock that its thread needs to end.
SENDER = """
import sys, threading, time
import dv_processing as dv, numpy as np
stream = dv.io.Stream.EventStream(0, 'events', 'camera', tuple(map(int, sys.argv[1:])))

def send(writer, file):
    events, store = np.load(file), dv.EventStore()
    for t, x, y, on in zip(*(events[name].tolist() for name in ('t_us', 'x', 'y', 'on'))):
        store.push_back(t, x, y, on)
    while not writer.getClientCount():
        time.sleep(0.001)
    writer.writeEvents(store)
    threading.Event().wait()  # a writer must not end before its reader

for line in sys.stdin:
    port, file = line.rstrip().split(' ', 1)
    writer = dv.io.NetworkWriter('127.0.0.1', int(port), stream)
    threading.Thread(target=send, args=(writer, file), daemon=True).start()
    print('ready', flush=True)
"""


@pytest.fixture(scope='module')
def sender() -> Iterator[subprocess.Popen[str]]:
    """Sends the events of each file that it is told of to the first who asks at a port."""
    pytest.importorskip('dv_processing')
    command = [sys.executable, '-c', SENDER, str(WIDTH), str(HEIGHT)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        yield process
        process.kill()


class TestNetwork(EventSourceConformance):
    ENDS = False

    @pytest.fixture(autouse=True)
    def _sender(self, sender: subprocess.Popen[str], tmp_path: Path) -> None:
        self.sender, self.file = sender, tmp_path / 'events.npz'

    def make_source(self, events: EventBatch) -> EventSource:
        columns = {'t_us': events.t_us, 'x': events.x, 'y': events.y, 'on': events.polarity}
        np.savez(self.file, **columns)
        with socket.socket() as probe:
            probe.bind(('127.0.0.1', 0))
            port = probe.getsockname()[1]
        assert self.sender.stdin is not None and self.sender.stdout is not None
        self.sender.stdin.write(f'{port} {self.file}\n')
        self.sender.stdin.flush()
        assert self.sender.stdout.readline() == 'ready\n'
        return NetworkSource('127.0.0.1', port)


def test_the_noise_filter_drops_lonely_events_and_keeps_time(tmp_path: Path) -> None:
    events = random_events(400, span_us=4_000_000)  # 100 events/s all over the sensor
    write_recording(tmp_path / 'noise.aedat4', events, parts=1)
    with Aedat4Source(tmp_path / 'noise.aedat4', noise_filter_us=2000) as source:
        batch = source.next_batch()
        assert batch is not None
        assert len(batch) < 20
        assert source.counters.events == len(batch)
        assert len(batch) or batch.until_us == events.t_us[-1]
    with pytest.raises(UserError, match='noise_filter_us = -1'):
        Aedat4Source(tmp_path / 'noise.aedat4', noise_filter_us=-1)


def test_what_cannot_be_opened_is_one_clear_line(tmp_path: Path) -> None:
    pytest.importorskip('dv_processing')
    text = tmp_path / 'text.aedat4'
    text.write_text('hello')
    with pytest.raises(UserError, match=r'none.aedat4: no such file'):
        Aedat4Source(tmp_path / 'none.aedat4').open()
    with pytest.raises(UserError, match=r'text.aedat4 is no .aedat4 recording'):
        Aedat4Source(text).open()
    write_recording(tmp_path / 'whole.aedat4', random_events(100))
    text.write_bytes((tmp_path / 'whole.aedat4').read_bytes()[:-10])
    with pytest.raises(UserError, match='or was cut off'):
        Aedat4Source(text).open()
    with pytest.raises(UserError, match='no iniVation camera X123 could be opened'):
        CameraSource('X123').open()
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        port = probe.getsockname()[1]
    with pytest.raises(UserError, match=f'nobody sends events at 127.0.0.1 port {port}'):
        NetworkSource('127.0.0.1', port).open()


class Reader:
    """Stands in for a camera: answers in turn; then it is unplugged."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)

    def isEventStreamAvailable(self) -> bool:  # noqa: N802 (as dv-processing calls it)
        return True

    def getEventResolution(self) -> tuple[int, int]:  # noqa: N802
        return WIDTH, HEIGHT

    def getCameraName(self) -> str:  # noqa: N802
        return 'DVXplorer_1'

    def isRunning(self) -> bool:  # noqa: N802
        return bool(self.answers)

    def getNextEventBatch(self) -> None:  # noqa: N802
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, Exception):
            raise answer


def stand_in(monkeypatch: pytest.MonkeyPatch, *answers: Any) -> EventSource:
    camera = types.SimpleNamespace(open=lambda: Reader(*answers))
    library = types.SimpleNamespace(io=types.SimpleNamespace(camera=camera))
    monkeypatch.setitem(sys.modules, 'dv_processing', library)
    return CameraSource()


def test_a_silent_camera_gives_empty_batches_and_an_unplugged_one_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with stand_in(monkeypatch, None, None, None) as source:
        batch = source.next_batch(timeout_s=0.0)
        assert batch is not None and len(batch) == 0
        assert source.next_batch(timeout_s=10.0) is None


def test_a_failing_read_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    with stand_in(monkeypatch, RuntimeError('file.hpp(3): here\nUSB transfer failed')) as source:
        with pytest.raises(UserError) as caught:
            source.next_batch()
        assert str(caught.value) == 'DVXplorer_1: USB transfer failed'


@pytest.mark.parametrize(
    'source', [Aedat4Source('a.aedat4'), CameraSource(), NetworkSource('127.0.0.1', 1)]
)
def test_without_dv_processing_the_extra_is_named(
    source: EventSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, 'dv_processing', None)
    with pytest.raises(UserError, match=r"needs dv_processing.*pip install 'rtrrl_ros\[dv\]'"):
        source.open()
