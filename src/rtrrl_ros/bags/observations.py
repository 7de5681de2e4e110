"""What of a recording belongs to one observation, in the order that lock-step needs.

A recorder hears several topics and writes down what it heard first; a reward may come before or
after the events it belongs to. In lock-step the replayed graph must have everything about an
observation before the next one: here it is put together again, by stamp.
"""

import collections
import dataclasses
from collections.abc import Callable, Iterable, Iterator

from .destinations import EXECUTED, REWARD
from .reading import Record
from .stamps import stamp_ns

#: how long before or after its observation a message may have been recorded
LOOKAHEAD_NS = 1_000_000_000


@dataclasses.dataclass(frozen=True)
class Observation:
    """One observation of the recorded graph.

    Attributes
    ----------
    stamp_ns : the stamp of the features that a graph makes of it, and of its answer
    partners : rewards and executed commands of this stamp and earlier ones; to be published first
    sensed : messages of the sensor; the last one completes the observation
    others : everything else that was recorded meanwhile
    """

    stamp_ns: int
    partners: list[Record]
    sensed: list[Record]
    others: list[Record]


class Observations:
    """The observations of a recording, one after the other.

    Parameters
    ----------
    records : in the order of their log times
    sensor : topic of the sensor
    completes : whether a graph answers once it has this message of the sensor; called once for
        each, in order
    offset_ns : from the stamp of the sensor to that of the features
    from_first : leave out what comes before the beginning of a lap; called with a reward, tells
        whether it is the first one of a lap. None: leave nothing out

    Attributes
    ----------
    left_out : messages of the sensor before the first lap began
    rest : what was recorded after the last complete observation, once that has been taken
    """

    def __init__(
        self, records: Iterable[Record], sensor: str, completes: Callable[[Record], bool],
        offset_ns: int = 0, from_first: Callable[[Record], bool] | None = None,
    ) -> None:  # fmt: skip
        self._records = iter(records)
        self._sensor, self._completes = sensor, completes
        self._offset_ns, self._from_first = offset_ns, from_first
        self._sensed: collections.deque[Record] = collections.deque()
        self._partners: collections.deque[tuple[int, Record]] = collections.deque()
        self._others: collections.deque[Record] = collections.deque()
        self._firsts: set[int] = set()
        self._read_ns: int | None = None  # log time up to which everything was read
        self.left_out = 0
        self.rest: list[Record] = []

    def __iter__(self) -> Iterator[Observation]:
        if self._from_first is not None and not self._skip_to_first():
            return
        sensed: list[Record] = []
        while True:
            self._read_ahead()
            if not self._sensed:
                break
            record = self._sensed.popleft()
            sensed.append(record)
            if self._completes(record):
                stamp = stamp_ns(record.data) + self._offset_ns
                partners = self._partners_until(stamp)
                yield Observation(stamp, partners, sensed, self._others_until(record.log_ns))
                sensed = []
        self.rest = [*(record for _, record in self._partners), *sensed, *self._others]

    def _skip_to_first(self) -> bool:
        """Leave out everything before the first observation that begins a lap."""
        while True:
            self._read_ahead()
            if not self._sensed:
                return False
            stamp = stamp_ns(self._sensed[0].data) + self._offset_ns
            if stamp in self._firsts:
                kept = [item for item in self._partners if item[0] >= stamp]
                self._partners = collections.deque(kept)
                self._others_until(self._sensed[0].log_ns)
                return True
            self._sensed.popleft()
            self.left_out += 1

    def _read_ahead(self) -> None:
        """Have at hand what was recorded up to a while after the next message of the sensor."""
        while not self._sensed or (
            self._read_ns is not None and self._read_ns < self._sensed[0].log_ns + LOOKAHEAD_NS
        ):
            record = next(self._records, None)
            if record is None:
                return
            self._read_ns = max(record.log_ns, self._read_ns or record.log_ns)
            self._sort_in(record)

    def _sort_in(self, record: Record) -> None:
        if record.topic == self._sensor:
            self._sensed.append(record)
        elif record.topic in (REWARD, EXECUTED):
            stamp = stamp_ns(record.data)
            self._partners.append((stamp, record))
            if self._from_first is None or record.topic != REWARD:
                return
            if self._from_first(record):
                self._firsts.add(stamp)
        else:
            self._others.append(record)

    def _partners_until(self, stamp: int) -> list[Record]:
        """The partners up to a stamp; those of later observations stay."""
        taken: list[tuple[int, Record]] = []
        kept: list[tuple[int, Record]] = []
        for item in self._partners:
            (taken if item[0] <= stamp else kept).append(item)
        self._partners = collections.deque(kept)
        return [record for _, record in taken]

    def _others_until(self, log_ns: int) -> list[Record]:
        taken = []
        while self._others and self._others[0].log_ns <= log_ns:
            taken.append(self._others.popleft())
        return taken
