"""Events from NumPy arrays, in memory or in an .npz file."""

import dataclasses
import zipfile
from pathlib import Path

import numpy as np

from ...errors import UserError
from .contract import EventBatch, EventSource, SourceCounters

_ARRAYS = ('t_us', 'x', 'y', 'polarity')
_SIZE = ('width', 'height')


class ArraySource(EventSource):
    """Hands out the events of one large batch, or of a file that `save_events` wrote, bit by bit.

    Parameters
    ----------
    events : the batch, or the path of the file
    events_per_batch : how many events to hand out at once
    """

    def __init__(self, events: EventBatch | Path | str, events_per_batch: int = 10_000) -> None:
        if events_per_batch < 1:
            raise UserError(f'events_per_batch = {events_per_batch}: must be at least 1')
        self._given = events
        self._step = events_per_batch
        self._events: EventBatch | None = None

    def open(self) -> None:
        given = self._given
        self._events = given if isinstance(given, EventBatch) else load_events(Path(given))
        self._check(self._events)
        self.width, self.height = self._events.width, self._events.height
        self.counters = SourceCounters()
        self._next, self._done = 0, False

    @staticmethod
    def _check(events: EventBatch) -> None:
        if not len(events):
            return
        if np.any(events.t_us[1:] < events.t_us[:-1]):
            first = int(np.argmax(events.t_us[1:] < events.t_us[:-1])) + 1
            raise UserError(f'event {first} is earlier than the one before it: sort them by time')
        if events.x.max() >= events.width or events.y.max() >= events.height:
            raise UserError(f'an event lies outside the {events.width} x {events.height} sensor')

    def next_batch(self, timeout_s: float = 0.0) -> EventBatch | None:
        if self._events is None:
            raise RuntimeError('the source is not open')
        if self._done:
            return None
        start, self._next = self._next, self._next + self._step
        batch = self._events.slice(start, self._next)
        self.counters.events += len(batch)
        self._done = self._next >= len(self._events)
        if self._done:
            batch = dataclasses.replace(batch, until_us=self._events.until_us)
        return batch

    def close(self) -> None:
        self._events = None


def save_events(path: Path, events: EventBatch) -> None:
    """Write the events as .npz, compressed."""
    values = {name: np.asarray(getattr(events, name)) for name in _ARRAYS + _SIZE}
    np.savez_compressed(path, allow_pickle=False, **values)


def load_events(path: Path) -> EventBatch:
    """Read what `save_events` wrote, or anyone else under the same names.

    Arrays of other integers are converted. Raises UserError naming the file and what is wrong.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            found = {name: file[name] for name in file.files}
    except FileNotFoundError:
        raise UserError(f'{path}: no such file') from None
    except (OSError, ValueError, zipfile.BadZipFile):
        raise UserError(f'{path} is no .npz file of arrays') from None
    missing = [name for name in _ARRAYS + _SIZE if name not in found]
    if missing:
        raise UserError(f'{path} holds no {", ".join(missing)}; it needs {_ARRAYS + _SIZE}')
    try:
        return EventBatch(
            found['t_us'].astype(np.int64), found['x'].astype(np.uint16),
            found['y'].astype(np.uint16), found['polarity'].astype(np.bool_),
            int(found['width']), int(found['height']),
        )  # fmt: skip
    except (TypeError, ValueError) as error:
        raise UserError(f'{path}: {error}') from None
