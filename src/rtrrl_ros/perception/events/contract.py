"""What an event source is: it hands out batches of events in the order of sensor time."""

import abc
import dataclasses
from collections.abc import Sequence
from typing import Self

import numpy as np

#: `EventBatch.until_us` of a batch that says nothing about time
UNKNOWN_US = int(np.iinfo(np.int64).min)

_DTYPES = {
    't_us': np.dtype(np.int64),
    'x': np.dtype(np.uint16),
    'y': np.dtype(np.uint16),
    'polarity': np.dtype(np.bool_),
}


@dataclasses.dataclass(frozen=True, eq=False)
class EventBatch:
    """Events as a structure of arrays; N may be 0. Never written to after construction.

    Attributes
    ----------
    t_us : (N,) int64, sensor time in microseconds, unwrapped; non-decreasing unless the sensor errs
    x, y : (N,) uint16, column and row of the pixel, from the upper left; inside the sensor
    polarity : (N,) bool, True where it became brighter (ON)
    width, height : size of the sensor in pixels
    until_us : every event before this sensor time has now been delivered; at least the time of
        the last event, which is what it is unless the source knows better (a sensor tells the
        time where nothing happens; a simulation has finished its step)
    restart : sensor time starts anew with this batch; nothing before it can be compared with it
    """

    t_us: np.ndarray
    x: np.ndarray
    y: np.ndarray
    polarity: np.ndarray
    width: int
    height: int
    until_us: int = UNKNOWN_US
    restart: bool = False

    def __post_init__(self) -> None:
        shape = (self.t_us.size,)
        for name, dtype in _DTYPES.items():
            array = getattr(self, name)
            if array.dtype != dtype or array.shape != shape:
                raise ValueError(f'{name} is {array.dtype} {array.shape}; must be {dtype} {shape}')
        if shape[0] and self.until_us < self.t_us[-1]:
            object.__setattr__(self, 'until_us', int(self.t_us[-1]))

    def __len__(self) -> int:
        return int(self.t_us.size)

    @classmethod
    def empty(
        cls, width: int, height: int, until_us: int = UNKNOWN_US, restart: bool = False
    ) -> 'EventBatch':
        """A batch without events, such as what a sensor sees when nothing moves."""
        none = np.empty(0, dtype=np.uint16)
        return cls(
            none.astype(np.int64), none, none, none.astype(np.bool_),
            width, height, until_us, restart,
        )  # fmt: skip

    def slice(self, start: int, stop: int) -> 'EventBatch':
        """Events start ... stop - 1 as views; complete only up to the last of them."""
        part = np.s_[start:stop]
        return EventBatch(
            self.t_us[part], self.x[part], self.y[part], self.polarity[part],
            self.width, self.height, restart=self.restart and start == 0,
        )  # fmt: skip

    def take(self, indices: np.ndarray) -> 'EventBatch':
        """The events with these indices, in this order."""
        return EventBatch(
            self.t_us[indices], self.x[indices], self.y[indices], self.polarity[indices],
            self.width, self.height, self.until_us, self.restart,
        )  # fmt: skip

    @classmethod
    def join(
        cls, batches: Sequence['EventBatch'], width: int, height: int, until_us: int = UNKNOWN_US
    ) -> 'EventBatch':
        """The events of several batches, perhaps none, of one sensor, one after the other."""
        if not batches:
            return cls.empty(width, height, until_us)
        if len(batches) == 1:
            return dataclasses.replace(batches[0], until_us=until_us, restart=False)
        return cls(
            np.concatenate([batch.t_us for batch in batches]),
            np.concatenate([batch.x for batch in batches]),
            np.concatenate([batch.y for batch in batches]),
            np.concatenate([batch.polarity for batch in batches]),
            width, height, until_us,
        )  # fmt: skip


@dataclasses.dataclass
class SourceCounters:
    """What a source has seen since `open`. What was lost is counted, never guessed.

    Attributes
    ----------
    events : delivered
    packets : delivered; 0 where a source has no packets
    lost_packets : missing between two that arrived
    restarts : times that sensor time began anew
    rejected_packets : could not be used: other resolution or encoding, duplicates
    rejected_events : outside the sensor, or of no known time
    damaged_packets : used in part: they ended within a word or an event
    """

    events: int = 0
    packets: int = 0
    lost_packets: int = 0
    restarts: int = 0
    rejected_packets: int = 0
    rejected_events: int = 0
    damaged_packets: int = 0


def batch_inside(
    t_us: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    polarity: np.ndarray,
    width: int,
    height: int,
    counters: SourceCounters,
) -> EventBatch:
    """The events that lie on the sensor as a batch, the others counted as rejected.

    `t_us` is (N,) int64, `x` and `y` (N,) of any integers, `polarity` (N,) bool.
    """
    keep = (x >= 0) & (y >= 0) & (x < width) & (y < height)
    if not keep.all():
        counters.rejected_events += int(keep.size - np.count_nonzero(keep))
        t_us, x, y, polarity = t_us[keep], x[keep], y[keep], polarity[keep]
    x, y = x.astype(np.uint16, copy=False), y.astype(np.uint16, copy=False)
    return EventBatch(t_us, x, y, polarity, width, height)


class EventSource(abc.ABC):
    """Where events come from: a camera, a file, packets of a topic, arrays.

    `open`, then `next_batch` until it returns None, then `close`; or a `with` block. One thread.

    Attributes
    ----------
    width, height : size of the sensor in pixels; known after `open`
    counters : since `open`
    """

    width: int
    height: int
    counters: SourceCounters

    @abc.abstractmethod
    def open(self) -> None:
        """Start from the beginning; raises `UserError` where there is no such device or file."""

    @abc.abstractmethod
    def next_batch(self, timeout_s: float = 0.0) -> EventBatch | None:
        """The next events in order.

        Waits at most `timeout_s` for a live source. A batch without events means nothing new yet;
        None means that there will be nothing more. Raises RuntimeError where it is not open.
        """

    @abc.abstractmethod
    def close(self) -> None:
        """Release what the source holds; a second call does nothing."""

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
