"""The messages of a recording, put together again by stamp.

A recorder hears several topics and writes down what it heard first; a reward may come before or
after the events it belongs to. In lock-step the replayed graph must have what belongs to an
observation before the next one: so a recording is read a little ahead.
"""

import collections
import heapq
import itertools
from collections.abc import Callable, Iterable, Iterator

from ..reading import Record
from ..stamps import stamp_ns
from .destinations import EXECUTED, REWARD

#: how much later than its observation a message may have been recorded
LOOKAHEAD_NS = 1_000_000_000
#: of all others, what may wait for the next message of the sensor; beyond it the oldest are lost
HELD_BYTES = 128 << 20


class ReadAhead:
    """Three queues of one recording: messages of the sensor, their partners, and all others.

    Parameters
    ----------
    records : in the order of their log times
    sensor : topic of the sensor
    offset_ns : from the stamp of the sensor to that of the features
    begins : leave out what was sensed before the first observation with a reward that this is true
        of; None: leave nothing out
    held_bytes : of all others that may wait while nothing is sensed

    Attributes
    ----------
    left_out : messages of the sensor that were
    dropped : others that were, in a long time without a message of the sensor
    """

    def __init__(
        self, records: Iterable[Record], sensor: str, offset_ns: int = 0,
        begins: Callable[[Record], bool] | None = None, held_bytes: int = HELD_BYTES,
    ) -> None:  # fmt: skip
        self._records: Iterator[Record] = iter(records)
        self._sensor, self._offset_ns, self._begins = sensor, offset_ns, begins
        self._sensed: collections.deque[Record] = collections.deque()
        self._others: collections.deque[Record] = collections.deque()
        self._others_bytes, self._held_bytes = 0, held_bytes
        self._partners: list[tuple[int, int, Record]] = []  # a heap: stamp, number, message
        self._numbers = itertools.count()
        self._beginnings: set[int] = set()
        self._read_ns = 0  # log time up to which everything was read
        self.left_out = self.dropped = 0

    def peek(self) -> Record | None:
        """The next message of the sensor; None: there are no more."""
        self._read()
        while self._sensed and self._begins is not None:
            if self.stamp(self._sensed[0]) in self._beginnings:
                self._begins = None
                self._drop_before(self._sensed[0])
            else:
                # as it goes: a car may have stood there for a long time
                self.others(self._sensed.popleft().log_ns)
                self.left_out += 1
                self._read()
        return self._sensed[0] if self._sensed else None

    def take(self) -> Record | None:
        """The same, and go on to the one after it."""
        record = self.peek()
        return None if record is None else self._sensed.popleft()

    def stamp(self, sensed: Record) -> int:
        """The stamp of the features that are made of it."""
        return stamp_ns(sensed.data) + self._offset_ns

    def partners(self, until_ns: int | None = None) -> list[Record]:
        """Rewards and executed commands up to a stamp (None: all) that were not taken before."""
        taken = []
        while self._partners and (until_ns is None or self._partners[0][0] <= until_ns):
            taken.append(heapq.heappop(self._partners)[2])
        return taken

    def others(self, until_ns: int | None = None) -> list[Record]:
        """What else was recorded up to a log time (None: all) and was not taken before."""
        taken = []
        while self._others and (until_ns is None or self._others[0].log_ns <= until_ns):
            taken.append(self._take_other())
        return taken

    def _take_other(self) -> Record:
        record = self._others.popleft()
        self._others_bytes -= len(record.data)
        return record

    def _read(self) -> None:
        """Have at hand what was recorded up to a while after the next message of the sensor."""
        while not self._sensed or self._read_ns < self._sensed[0].log_ns + LOOKAHEAD_NS:
            record = next(self._records, None)
            if record is None:
                return
            self._read_ns = max(self._read_ns, record.log_ns)
            self._sort_in(record)
            while not self._sensed and self._others_bytes > self._held_bytes:
                self._take_other()
                self.dropped += 1

    def _sort_in(self, record: Record) -> None:
        if record.topic == self._sensor:
            self._sensed.append(record)
        elif record.topic in (REWARD, EXECUTED):
            stamp = stamp_ns(record.data)
            heapq.heappush(self._partners, (stamp, next(self._numbers), record))
            begins = self._begins
            if begins is not None and record.topic == REWARD and begins(record):
                self._beginnings.add(stamp)
        else:
            self._others.append(record)
            self._others_bytes += len(record.data)

    def _drop_before(self, first: Record) -> None:
        """Forget what belongs to observations that are left out."""
        self.partners(self.stamp(first) - 1)
        self.others(first.log_ns)
