"""Events to windows of sensor time: [k T, (k+1) T), one after the other, empty ones included."""

import dataclasses
import functools
import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from ...parameters import Checked, parameter
from .contract import UNKNOWN_US, EventBatch

_US_PER_MS = 1000


@dataclasses.dataclass(frozen=True)
class WindowConfig(Checked):
    """How events are binned."""

    window_ms: float = parameter(
        10.0, 'length of a window of sensor time; whole microseconds', unit='ms', low=0.1,
        high=1000.0, source='arXiv 2602.02236: 100 event frames per second',
    )  # fmt: skip
    max_gap_ms: float = parameter(
        1000.0, 'a jump of sensor time beyond this, either way, is not filled with empty windows',
        unit='ms', low=10.0, high=60000.0,
    )  # fmt: skip
    max_events: int = parameter(
        500_000, 'events kept in one window; a burst beyond them is dropped and counted',
        low=1, high=100_000_000,
    )  # fmt: skip

    @property
    def window_us(self) -> int:
        return round(self.window_ms * _US_PER_MS)


@dataclasses.dataclass(frozen=True, eq=False)
class EventWindow:
    """The events of [start_us, end_us).

    Attributes
    ----------
    parts : at least one; each in order of time, and one after the other unless the source errs
    restart : it is not the one after the last
    """

    start_us: int
    end_us: int
    parts: Sequence[EventBatch]
    restart: bool = False

    @functools.cached_property
    def events(self) -> EventBatch:
        """All of them in order of time."""
        size = self.parts[0].width, self.parts[0].height
        parts = [part for part in self.parts if len(part)]
        joined = EventBatch.join(parts, *size, until_us=self.end_us)
        if np.any(joined.t_us[1:] < joined.t_us[:-1]):
            return joined.take(np.argsort(joined.t_us, kind='stable'))
        return joined


@dataclasses.dataclass
class WindowCounters:
    """What happened since the start.

    Attributes
    ----------
    windows, empty_windows : handed out; how many of these without any event
    late_events : dropped, since their window had been handed out before they came
    dropped_events : dropped, since their window was full or was never completed
    restarts : times that windows began anew, because the source said so or time jumped
    """

    windows: int = 0
    empty_windows: int = 0
    late_events: int = 0
    dropped_events: int = 0
    restarts: int = 0


class EventWindows:
    """Cuts a stream of batches into windows. One thread.

    A window is handed out as soon as the stream is known to have passed its end: by an event, by
    the time that the source says it is complete to, or by `advance`. Nothing ever waits for the
    next event. Windows begin at multiples of their length; the first holds the first event.
    """

    def __init__(self, config: WindowConfig, width: int, height: int) -> None:
        self._length_us = config.window_us
        self._max_gap_us = round(config.max_gap_ms * _US_PER_MS)
        self._max_events = config.max_events
        self._size = width, height
        self._nothing = EventBatch.empty(width, height)
        self.counters = WindowCounters()
        self._latest_us = 0
        self._restart = False
        self._start_us: int | None = None  # of the window to be filled
        self._parts: list[EventBatch] = []
        self._count = 0

    @property
    def filling(self) -> EventWindow | None:
        """The window that is not complete yet, with what it holds so far; None: nothing is known.

        Only parts are added to it until it is handed out; or nobody ever sees it again, and the
        next one that is handed out is a restart.
        """
        if self._start_us is None:
            return None
        return self._window(self._start_us)

    def push(self, batch: EventBatch) -> list[EventWindow]:
        """The windows that these events complete, in order; usually none or one."""
        if (batch.width, batch.height) != self._size:
            width, height = self._size
            raise ValueError(
                f'events of {batch.width} x {batch.height} pixels in windows of {width} x {height}'
            )
        if batch.restart:
            self._begin_anew()
        done: list[EventWindow] = []
        for part in self._without_jumps(batch):
            done += self.advance(int(part.t_us[0]))
            done += self._fill(part)
        return done + self.advance(batch.until_us)

    def advance(self, until_us: int) -> list[EventWindow]:
        """The windows that end by this time; an event before it that comes later may be late."""
        if until_us == UNKNOWN_US:
            return []
        if self._start_us is not None and abs(until_us - self._latest_us) > self._max_gap_us:
            # forward: nothing more can come for the current window; backward: it makes no sense
            forward = until_us > self._latest_us
            done = self._complete(self._start_us + self._length_us) if forward else []
            self._begin_anew()
            return done + self.advance(until_us)
        if self._start_us is None:
            self._start_us = until_us // self._length_us * self._length_us
            self._latest_us = until_us
        self._latest_us = max(self._latest_us, until_us)
        return self._complete(until_us)

    def _without_jumps(self, batch: EventBatch) -> Iterator[EventBatch]:
        """The batch cut where time jumps, each part in order of time; small slips are sorted out.

        Parts are not empty.
        """
        t_us = batch.t_us
        if not len(batch):
            return
        in_order = bool(np.all(t_us[1:] >= t_us[:-1]))
        if in_order and t_us[-1] - t_us[0] <= self._max_gap_us:
            yield batch
            return
        jumps = np.flatnonzero(np.abs(np.diff(t_us)) > self._max_gap_us) + 1
        for start, stop in itertools.pairwise([0, *jumps.tolist(), len(batch)]):
            part = batch.slice(start, stop)
            yield part if in_order else part.take(np.argsort(part.t_us, kind='stable'))

    def _fill(self, part: EventBatch) -> list[EventWindow]:
        """Sort events, in order of time and without jumps, into windows; return the full ones."""
        assert self._start_us is not None
        done: list[EventWindow] = []
        first = int(np.searchsorted(part.t_us, self._start_us))
        self.counters.late_events += first
        while first < len(part):
            done += self._complete(int(part.t_us[first]))
            stop = int(np.searchsorted(part.t_us, self._start_us + self._length_us))
            whole = first == 0 and stop == len(part)
            self._keep(part if whole else part.slice(first, stop))
            first = stop
        self._latest_us = max(self._latest_us, int(part.t_us[-1]))
        return done

    def _keep(self, events: EventBatch) -> None:
        """Add events to the current window, as far as there is room."""
        room = self._max_events - self._count
        if len(events) > room:
            self.counters.dropped_events += len(events) - room
            events = events.slice(0, room)
        if len(events):
            self._parts.append(events)
            self._count += len(events)

    def _complete(self, until_us: int) -> list[EventWindow]:
        """Hand out the windows that end by this time."""
        assert self._start_us is not None
        done = []
        while self._start_us + self._length_us <= until_us:
            done.append(self._window(self._start_us))
            self.counters.windows += 1
            self.counters.empty_windows += not self._count
            self._restart = False
            self._clear(done[-1].end_us)
        return done

    def _window(self, start_us: int) -> EventWindow:
        parts = (self._nothing, *self._parts)
        return EventWindow(start_us, start_us + self._length_us, parts, self._restart)

    def _begin_anew(self) -> None:
        """Forget the window being filled, and when it was."""
        if self._start_us is not None:
            self.counters.restarts += 1
            self.counters.dropped_events += self._count
            self._restart = True
        self._clear(None)

    def _clear(self, start_us: int | None) -> None:
        self._start_us, self._parts, self._count = start_us, [], 0
