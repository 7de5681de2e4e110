"""Between event_camera_msgs/EventPacket and batches of events."""

import array
from collections.abc import Iterator, Sequence

from event_camera_msgs.msg import EventPacket as EventPacketMessage

from ..perception.events.codecs import EventPacket
from ..perception.events.contract import EventBatch
from ..perception.events.packing import event_packets
from .messages import make_header


def event_packet(message: EventPacketMessage) -> EventPacket:
    """The packet in a message; its payload is not copied."""
    return EventPacket(
        message.encoding, message.width, message.height, message.seq, message.time_base,
        message.is_bigendian, message.events,
    )  # fmt: skip


def event_packet_messages(
    batch: EventBatch, stamp_ns: int, seq: int, ends_us: Sequence[int] = ()
) -> Iterator[EventPacketMessage]:
    """A batch as messages of encoding evt3, at least one, numbered from `seq`, of one stamp.

    Each tells how far the batch is complete with it; `ends_us`: see `event_packets`.
    """
    for packet in event_packets(batch, seq, ends_us):
        events = array.array('B')  # NumPy would be copied element by element
        events.frombytes(packet.events)
        yield EventPacketMessage(
            header=make_header(stamp_ns, 'event_camera'),
            width=packet.width,
            height=packet.height,
            seq=packet.seq,
            time_base=packet.time_base_ns,
            encoding=packet.encoding,
            is_bigendian=packet.is_bigendian,
            events=events,
        )
