"""iniVation cameras, their recordings and network streams, through dv-processing (extra `dv`).

dv-processing unwraps the camera's time itself: microseconds since the epoch, as its clock says.
"""

import abc
import dataclasses
import datetime
import time
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import UserError
from .contract import EventBatch, EventSource, SourceCounters, batch_inside
from .optional import dv_processing

#: pause between two looks at a live stream; events come in packets of a millisecond or more
_POLL_S = 0.0005
#: how often a camera hands events over; its library's own 10 ms would be a whole window late
_BATCH_MS = 1


def _reason(error: RuntimeError) -> str:
    """The line that says what happened: after the place in the source, before a stack trace."""
    lines = str(error).partition('Stacktrace:')[0].strip().splitlines()
    return lines[-1] if lines else 'reading failed'


class DvSource(EventSource):
    """What the sources below have in common; they differ in the reader that they open.

    Parameters
    ----------
    noise_filter_us : drop an event without another one next to it within this time before it (the
        background-activity filter of dv-processing); 0: keep everything
    """

    def __init__(self, noise_filter_us: int = 0) -> None:
        if noise_filter_us < 0:
            raise UserError(f'noise_filter_us = {noise_filter_us}: must be 0 (off) or more us')
        self._noise_filter_us = noise_filter_us
        self._reader: Any = None

    @abc.abstractmethod
    def open_reader(self, dv: Any) -> Any:
        """A reader of dv-processing; raises UserError where there is nothing to read."""

    def open(self) -> None:
        self.close()
        dv = dv_processing(f'a source of type {type(self).__name__}')
        reader = self.open_reader(dv)
        resolution = reader.getEventResolution() if reader.isEventStreamAvailable() else None
        if resolution is None:
            raise UserError(f'{reader.getCameraName()} offers no events')
        self._reader = reader
        self.width, self.height = (int(value) for value in resolution)
        self.counters = SourceCounters()
        self._filter: Any = None
        if self._noise_filter_us:
            duration = datetime.timedelta(microseconds=self._noise_filter_us)
            self._filter = dv.noise.BackgroundActivityNoiseFilter(resolution, duration)

    def next_batch(self, timeout_s: float = 0.0) -> EventBatch | None:
        if self._reader is None:
            raise RuntimeError('the source is not open')
        deadline_s = time.monotonic() + timeout_s
        while True:
            try:
                store = self._reader.getNextEventBatch()
            except RuntimeError as error:
                raise UserError(f'{self._reader.getCameraName()}: {_reason(error)}') from None
            if store is not None:
                return self._batch(store)
            if not self._reader.isRunning():
                return None
            if time.monotonic() >= deadline_s:
                return EventBatch.empty(self.width, self.height)
            time.sleep(_POLL_S)

    def _batch(self, store: Any) -> EventBatch:
        if store.isEmpty():
            return EventBatch.empty(self.width, self.height)
        until = int(store.getHighestTime())
        if self._filter is not None:
            self._filter.accept(store)
            store = self._filter.generateEvents()
        if store.isEmpty():
            return EventBatch.empty(self.width, self.height, until_us=until)
        found = store.numpy()
        t_us = np.ascontiguousarray(found['timestamp'])
        columns = found['x'], found['y'], found['polarity'] != 0
        batch = batch_inside(t_us, *columns, self.width, self.height, self.counters)
        self.counters.events += len(batch)
        return dataclasses.replace(batch, until_us=until)

    def close(self) -> None:
        self._reader = None


class Aedat4Source(DvSource):
    """The events of an .aedat4 recording.

    A recording that was cut off is refused when opened. One that is damaged inside is not noticed:
    dv-processing 2.0.4 may then read without end.
    """

    def __init__(self, path: Path | str, noise_filter_us: int = 0) -> None:
        super().__init__(noise_filter_us)
        self._path = Path(path)

    def open_reader(self, dv: Any) -> Any:
        if not self._path.is_file():
            raise UserError(f'{self._path}: no such file')
        try:
            return dv.io.MonoCameraRecording(str(self._path))
        except RuntimeError:
            raise UserError(f'{self._path} is no .aedat4 recording, or was cut off') from None


class CameraSource(DvSource):
    """A camera on this machine's USB.

    Parameters
    ----------
    serial : its serial number; '': the first one found
    """

    def __init__(self, serial: str = '', noise_filter_us: int = 0) -> None:
        super().__init__(noise_filter_us)
        self._serial = serial

    def open_reader(self, dv: Any) -> Any:
        try:
            camera = dv.io.camera.open(self._serial) if self._serial else dv.io.camera.open()
            if hasattr(camera, 'setTimeInterval'):
                camera.setTimeInterval(datetime.timedelta(milliseconds=_BATCH_MS))
            return camera
        except (RuntimeError, IndexError):
            which = f' {self._serial}' if self._serial else ''
            raise UserError(
                f'no iniVation camera{which} could be opened: check cable, udev rules and that '
                'no other program has it open'
            ) from None


class NetworkSource(DvSource):
    """Events that another program, such as DV, sends over TCP.

    `open` waits without end for a program that accepts connections but is no sender of events.
    """

    def __init__(self, address: str, port: int, noise_filter_us: int = 0) -> None:
        super().__init__(noise_filter_us)
        self._address, self._port = address, port

    def open_reader(self, dv: Any) -> Any:
        try:
            return dv.io.NetworkReader(self._address, self._port)
        except RuntimeError:
            raise UserError(
                f'nobody sends events at {self._address} port {self._port}: start the sender first'
            ) from None
