"""Encodings of the iniVation driver: `libcaer` decoded here, `libcaer_cmp` by event_camera_py.

`libcaer`, always little-endian: 32 bits of data (31-17: x; 16-2: y; 1: polarity; 0: valid), then
31 bits of microseconds after the packet's `time_base_ns`. When they roll over within a packet,
2^31 us are added; from one packet to the next the driver adds them to the time base.

Source: libcaer, events/polarity.h; event_camera_codecs, https://github.com/ros-event-camera
"""

from typing import Any

import numpy as np

from ..contract import EventBatch, SourceCounters, batch_inside
from ..optional import optional_module
from .contract import EventPacket, PacketDecoder, as_words

_NS_PER_US = 1000
_ROLL_OVER_US = 1 << 31
_INT32_VALUES = 1 << 32


class LibcaerDecoder(PacketDecoder):
    """Packets of encoding `libcaer`; keeps nothing from one packet to the next."""

    encoding = 'libcaer'

    def decode(self, packet: EventPacket) -> EventBatch:
        words, damaged = as_words(packet, 'u8', order='<')
        self.counters.damaged_packets += damaged
        low_us = (words >> 32 & 0x7FFFFFFF).astype(np.int64)
        roll_overs = np.zeros(low_us.size, dtype=np.int64)
        np.cumsum(low_us[1:] < low_us[:-1], out=roll_overs[1:])
        t_us = packet.time_base_ns // _NS_PER_US + low_us + roll_overs * _ROLL_OVER_US
        x = (words >> 17 & 0x7FFF).astype(np.uint16)
        y = (words >> 2 & 0x7FFF).astype(np.uint16)
        on = words >> 1 & 1 == 1
        return batch_inside(t_us, x, y, on, self.width, self.height, self.counters)


class LibcaerCmpDecoder(PacketDecoder):
    """Packets of encoding `libcaer_cmp`, through the decoder of ROS's package event_camera_py.

    That decoder gives times as 32 bits of microseconds after the first event it ever saw; they are
    unwrapped by the packet's time base.
    """

    encoding = 'libcaer_cmp'

    def __init__(self, width: int, height: int, counters: SourceCounters | None = None) -> None:
        super().__init__(width, height, counters)
        module = optional_module(
            'event_camera_py',
            'encoding libcaer_cmp of event packets',
            'install ros-$ROS_DISTRO-event-camera-py, or set the driver to encoding libcaer',
        )
        self._decoder: Any = module.Decoder()

    def decode(self, packet: EventPacket) -> EventBatch:
        data = bytes(packet.events)
        self.counters.damaged_packets += len(data) % 2
        data = data[: len(data) - len(data) % 2]
        self._decoder.decode_bytes(
            'libcaer_cmp', self.width, self.height, packet.time_base_ns, data
        )
        found = self._decoder.get_cd_events()
        if not found.size:
            return EventBatch.empty(self.width, self.height)
        start_us = self._decoder.get_start_time()
        base_us = packet.time_base_ns // _NS_PER_US
        after_base = (found['t'].astype(np.int64) - (base_us - start_us)) % _INT32_VALUES
        x, y = found['x'].astype(np.uint16), found['y'].astype(np.uint16)
        t_us, on = base_us + after_base, found['p'] != 0
        return batch_inside(t_us, x, y, on, self.width, self.height, self.counters)
