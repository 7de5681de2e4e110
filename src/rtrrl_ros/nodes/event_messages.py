"""Between event_camera_msgs/EventPacket and batches of events."""

import array
import dataclasses
from collections.abc import Iterator

from event_camera_msgs.msg import EventPacket as EventPacketMessage

from ..perception.events.codecs import EventPacket, encode_evt3
from ..perception.events.contract import UNKNOWN_US, EventBatch
from .messages import make_header

#: events in one packet at most: at 8 bytes each at worst, the megabyte that drivers keep to
EVENTS_PER_PACKET = 131_072
_NS_PER_US = 1000


def event_packet(message: EventPacketMessage) -> EventPacket:
    """The packet in a message; its payload is not copied."""
    return EventPacket(
        message.encoding, message.width, message.height, message.seq, message.time_base,
        message.is_bigendian, message.events,
    )  # fmt: skip


def event_packet_messages(
    batch: EventBatch, stamp_ns: int, seq: int
) -> Iterator[EventPacketMessage]:
    """A batch as messages of encoding evt3, at least one, numbered from `seq`, of one stamp.

    The last one tells how far the batch is complete.
    """
    for start in range(0, max(len(batch), 1), EVENTS_PER_PACKET):
        stop = start + EVENTS_PER_PACKET
        part = batch.slice(start, stop)
        if stop >= len(batch):
            part = dataclasses.replace(part, until_us=batch.until_us)
        yield _message(part, stamp_ns, seq)
        seq += 1


def _message(batch: EventBatch, stamp_ns: int, seq: int) -> EventPacketMessage:
    events = array.array('B')  # NumPy would be copied element by element
    events.frombytes(encode_evt3(batch))
    first_us = int(batch.t_us[0]) if len(batch) else batch.until_us
    return EventPacketMessage(
        header=make_header(stamp_ns, 'event_camera'),
        width=batch.width,
        height=batch.height,
        seq=seq,
        time_base=0 if first_us == UNKNOWN_US else first_us * _NS_PER_US,
        encoding='evt3',
        is_bigendian=False,
        events=events,
    )
