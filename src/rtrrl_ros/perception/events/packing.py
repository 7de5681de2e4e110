"""A batch of events as packets: what a driver, simulated or real, sends."""

import dataclasses
from collections.abc import Iterator

from .codecs import EventPacket, encode_evt3
from .contract import UNKNOWN_US, EventBatch

#: events in one packet at most: at 8 bytes each at worst, the megabyte that drivers keep to
EVENTS_PER_PACKET = 131_072
_NS_PER_US = 1000


def event_packets(batch: EventBatch, seq: int) -> Iterator[EventPacket]:
    """A batch as packets of encoding evt3, at least one, numbered from `seq`.

    The last one tells how far the batch is complete.
    """
    for start in range(0, max(len(batch), 1), EVENTS_PER_PACKET):
        stop = start + EVENTS_PER_PACKET
        part = batch.slice(start, stop)
        if stop >= len(batch):
            part = dataclasses.replace(part, until_us=batch.until_us)
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
