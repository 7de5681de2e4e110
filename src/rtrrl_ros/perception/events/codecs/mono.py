"""Encoding `mono`: one 64-bit word per event, as bags of older drivers hold.

Bit 63: polarity; 62-48: y; 47-32: x; 31-0: nanoseconds after the packet's `time_base_ns`.

Source: event_camera_msgs, "Description of the encodings",
https://github.com/ros-event-camera/event_camera_msgs
"""

import numpy as np

from ..contract import EventBatch, batch_inside
from .contract import EventPacket, PacketDecoder, as_words

_NS_PER_US = 1000


class MonoDecoder(PacketDecoder):
    """Packets of encoding `mono`; keeps nothing from one packet to the next."""

    encoding = 'mono'

    def decode(self, packet: EventPacket) -> EventBatch:
        words, damaged = as_words(packet, 'u8')
        self.counters.damaged_packets += damaged
        t_us = (packet.time_base_ns + (words & 0xFFFFFFFF).astype(np.int64)) // _NS_PER_US
        x = (words >> 32 & 0xFFFF).astype(np.uint16)
        y = (words >> 48 & 0x7FFF).astype(np.uint16)
        polarity = words >> 63 != 0
        return batch_inside(t_us, x, y, polarity, self.width, self.height, self.counters)


def encode_mono(batch: EventBatch, time_base_ns: int) -> bytes:
    """The payload of one packet of encoding `mono`, little-endian.

    Raises ValueError where an event is outside of what 32 bits of nanoseconds reach.
    """
    dt = batch.t_us * _NS_PER_US - time_base_ns
    if dt.size and (dt.min() < 0 or dt.max() > 0xFFFFFFFF):
        raise ValueError('an event is earlier than time_base_ns or more than 4.29 s later')
    words = batch.polarity.astype(np.uint64) << 63
    words |= batch.y.astype(np.uint64) << 48 | batch.x.astype(np.uint64) << 32
    return (words | dt.astype(np.uint64)).astype('<u8', copy=False).tobytes()
