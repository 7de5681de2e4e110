"""A batch of events as packets: what a driver, simulated or real, sends."""

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np

from .codecs import EventPacket, encode_evt3
from .contract import UNKNOWN_US, EventBatch

#: events in one packet at most: at 8 bytes each at worst, the megabyte that drivers keep to
EVENTS_PER_PACKET = 131_072
_NS_PER_US = 1000


def event_packets(
    batch: EventBatch, seq: int, ends_us: Sequence[int] = ()
) -> Iterator[EventPacket]:
    """A batch as packets of encoding evt3, at least one, numbered from `seq`.

    Each tells how far the batch is complete with it.

    ends_us : further ends of packets, increasing sensor times before the end of the batch
    """
    for part in _parts(batch, ends_us):
        first_us = int(part.t_us[0]) if len(part) else part.until_us
        yield EventPacket(
            encoding='evt3',
            width=part.width,
            height=part.height,
            seq=seq,
            time_base_ns=0 if first_us == UNKNOWN_US else first_us * _NS_PER_US,
            is_bigendian=False,
            events=encode_evt3(part),
        )
        seq += 1


def _parts(batch: EventBatch, ends_us: Sequence[int]) -> Iterator[EventBatch]:
    start = 0
    stops = [*np.searchsorted(batch.t_us, ends_us).tolist(), len(batch)]
    for stop, until_us in zip(stops, [*ends_us, batch.until_us], strict=True):
        while stop - start > EVENTS_PER_PACKET:
            yield batch.slice(start, start + EVENTS_PER_PACKET)
            start += EVENTS_PER_PACKET
        yield dataclasses.replace(batch.slice(start, stop), until_us=until_us)
        start = stop
