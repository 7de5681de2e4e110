"""A recording once, or over and over with time that goes on."""

import dataclasses
from collections.abc import Callable, Collection, Iterator

from ...errors import UserError
from ..reading import Bag, Record
from ..stamps import moved, stamp_ns
from .destinations import CLOCK_TYPE

#: time between the last message of a round and the first of the next
PAUSE_NS = 10_000_000


class Rounds:
    """The messages of a bag, round by round.

    In each round after the first, log times and stamps are later by so much that time never jumps
    back and no stamp comes twice: whoever hears it takes it for a longer recording. The same goes
    for a recorded /clock, whose time lies where a header has its stamp.

    Parameters
    ----------
    bag : to be read; it stays open as long as messages are taken
    topics : only these
    start_ns : log time from which on each round is played
    loop : begin again at the end, for ever
    has_stamp : whether messages of this topic begin with a header
    leads : whether the stamps of this topic tell how much later the next round must be; those of
        the recorded graph do, while others may be of another clock
    """

    def __init__(
        self, bag: Bag, topics: Collection[str], start_ns: int, loop: bool,
        has_stamp: Callable[[str], bool], leads: Callable[[str], bool],
    ) -> None:  # fmt: skip
        self._bag, self._topics = bag, topics
        self._start_ns, self._loop = start_ns, loop
        self._has_stamp, self._leads = has_stamp, leads

    def __iter__(self) -> Iterator[Record]:
        first_log = last_log = None
        spans: dict[str, tuple[int, int]] = {}  # of the stamps that lead, and of each clock
        for record in self._bag.records(self._topics, self._start_ns):
            if first_log is None:
                first_log = record.log_ns
            last_log = record.log_ns
            if self._loop and (_is_clock(record) or self._leads(record.topic)):
                stamp = _stamp_or_none(record.data)
                if stamp is not None:
                    # apart: a clock may begin long before the stamps, or be another one
                    whose = record.topic if _is_clock(record) else ''
                    first, last = spans.get(whose, (stamp, stamp))
                    spans[whose] = min(first, stamp), max(last, stamp)
            yield record
        if not self._loop or first_log is None or last_log is None:
            return
        period_ns = last_log - first_log + PAUSE_NS
        stamps_ns = period_ns
        if spans:
            stamps_ns = max(last - first for first, last in spans.values()) + PAUSE_NS
        number = 0
        while True:
            number += 1
            for record in self._bag.records(self._topics, self._start_ns):
                yield self._later(record, number * period_ns, number * stamps_ns)

    def _later(self, record: Record, log_ns: int, stamps_ns: int) -> Record:
        data = record.data
        stamped = _is_clock(record) or self._has_stamp(record.topic)
        if stamped and _stamp_or_none(data) is not None:
            data = moved(data, stamps_ns)
        return dataclasses.replace(record, log_ns=record.log_ns + log_ns, data=data)


def _is_clock(record: Record) -> bool:
    return record.type == CLOCK_TYPE


def _stamp_or_none(data: bytes) -> int | None:
    try:
        return stamp_ns(data)
    except UserError:
        return None
