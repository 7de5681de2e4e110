"""A packet of encoded events, as plain fields, and what turns it into events."""

import abc
import dataclasses
from typing import Any

import numpy as np

from ..contract import EventBatch, SourceCounters


@dataclasses.dataclass(frozen=True)
class EventPacket:
    """The fields of event_camera_msgs/EventPacket, without its header.

    Attributes
    ----------
    encoding : format of the payload: evt3, mono, libcaer, libcaer_cmp
    width, height : size of the sensor in pixels
    seq : counts packets from the start of the driver; a gap means that packets were lost
    time_base_ns : sensor time that the payload refers to; not used by evt3
    is_bigendian : byte order of the payload
    events : the payload; bytes, or anything else with a buffer of bytes
    """

    encoding: str
    width: int
    height: int
    seq: int
    time_base_ns: int
    is_bigendian: bool
    events: Any


class PacketDecoder(abc.ABC):
    """Turns packets of one encoding and one sensor into events; keeps state from one to the next.

    Raises UserError when constructed where it cannot work. Everything slow, such as compiling,
    happens then as well.
    """

    #: the encoding it decodes
    encoding: str

    def __init__(self, width: int, height: int, counters: SourceCounters | None = None) -> None:
        self.width = width
        self.height = height
        self.counters = counters or SourceCounters()

    @abc.abstractmethod
    def decode(self, packet: EventPacket) -> EventBatch:
        """The events of one packet, times unwrapped.

        Counts `rejected_events` (outside the sensor, or without a known time or row) and
        `damaged_packets` (the end of the payload cut off) in `counters`; raises nothing for any
        payload.
        """

    def lost(self) -> None:
        """Packets before the next one were lost: forget what depends on them."""


def as_words(packet: EventPacket, dtype: str, order: str = '') -> tuple[np.ndarray, bool]:
    """The payload as whole words in native byte order, a copy; and whether bytes were left over.

    `dtype` is an unsigned type without byte order, such as 'u2'; `order` is '<' or '>' where the
    encoding has one of its own, whatever the packet says.
    """
    size = np.dtype(dtype).itemsize
    count, left_over = divmod(memoryview(packet.events).nbytes, size)
    if not count:
        return np.empty(0, dtype=dtype), left_over > 0
    order = order or ('>' if packet.is_bigendian else '<')
    words = np.frombuffer(packet.events, dtype=order + dtype, count=count)
    return words.astype(np.dtype(dtype)), left_over > 0
