"""iniVation's recordings, network streams and cameras through dv-processing."""

import socket
import sys
import types
from pathlib import Path
from typing import Any

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


class TestNetwork(EventSourceConformance):
    ENDS = False

    def make_source(self, events: EventBatch) -> EventSource:
        dv = pytest.importorskip('dv_processing')
        with socket.socket() as probe:
            probe.bind(('127.0.0.1', 0))
            port = probe.getsockname()[1]
        stream = dv.io.Stream.EventStream(0, 'events', 'camera', (WIDTH, HEIGHT))
        writer = dv.io.NetworkWriter('127.0.0.1', port, stream)
        store = store_of(dv, events)

        class Sent(NetworkSource):
            """Sends once it listens; holds the writer, which must not end before the reader."""

            keep = writer

            def open(self) -> None:
                super().open()
                while not writer.getClientCount():
                    self.next_batch(0.01)
                writer.writeEvents(store)

        return Sent('127.0.0.1', port)


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
