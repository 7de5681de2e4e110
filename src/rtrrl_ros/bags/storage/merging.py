"""Records of many sources in the order of their log times, with few sources open at a time."""

import heapq
from collections.abc import Iterable, Iterator

from ..contract import Record, Source


def merged(sources: Iterable[Source]) -> Iterator[Record]:
    """All records in the order of log time; of one time, in the order of the sources.

    A source is asked for its records only once its time has come, so that what overlaps in time
    is in memory together and nothing else: where a clock went back, both stretches of it.
    """
    waiting = sorted(enumerate(sources), key=lambda item: item[1].start_ns, reverse=True)
    # (log time, place of the source, record, the rest); the place is unique, so that nothing
    # behind it is ever compared
    heap: list[tuple[int, int, Record, Iterator[Record]]] = []
    while heap or waiting:
        while waiting and (not heap or waiting[-1][1].start_ns <= heap[0][0]):
            place, source = waiting.pop()
            records = source.records()
            for record in records:
                heapq.heappush(heap, (record.log_ns, place, record, records))
                break
        if not heap:
            continue
        _, place, record, records = heap[0]
        yield record
        for record in records:
            heapq.heapreplace(heap, (record.log_ns, place, record, records))
            break
        else:
            heapq.heappop(heap)
