"""Event packets, as they come from a topic, to events: what is lost, wrong or begun anew is seen.

One thread: `push` what arrives, take batches with `next_batch`, or call `feed` for both.
"""

import collections
import dataclasses
from collections.abc import Iterable

from ...errors import UserError
from .codecs import EventPacket, PacketDecoder, make_decoder
from .contract import EventBatch, EventSource, SourceCounters

#: packets that wait for `next_batch` at most; the depth of the topic's queue
QUEUE_DEPTH = 1000
#: A sequence number that falls back by no more than this is a packet out of order, unless the
#: next one follows it; else the driver began anew.
_OUT_OF_ORDER = 8
_NONE = -1
_LIKELY_ENCODING = 'evt3'
#: pixels along one side, and a time base in nanoseconds, that no sensor exceeds
_LARGEST_SIDE = 4096
_LARGEST_TIME_BASE_NS = 1 << 62


class PacketSource(EventSource):
    """Decodes packets; recovers by itself from losses, from a driver that restarts and bad ones.

    Parameters
    ----------
    width, height : the sensor that is expected; 0: whatever the first packet says
    encoding : the encoding that is expected; '': whatever comes, changing if need be
    packets : all there will be, the source ends with them; to open it again, give a list. None: a
        live source

    Attributes
    ----------
    fault : why the newest packet could not be used, one line for a diagnostic; '' if it could

    Raises UserError for an encoding that can never be decoded here.
    """

    def __init__(
        self,
        width: int = 0,
        height: int = 0,
        encoding: str = '',
        packets: Iterable[EventPacket] | None = None,
    ) -> None:
        self._given_size = (width, height) if width and height else None
        self._encoding = encoding
        self._packets = packets
        # fails early, and compiles before it matters
        make_decoder(encoding or _LIKELY_ENCODING, width or 1, height or 1)
        self._is_open = False

    def open(self) -> None:
        self.counters = SourceCounters()
        self.fault = ''
        self._size = self._given_size
        self._decoder: PacketDecoder | None = None
        self._last_seq = self._late_seq = _NONE
        self._restart = False
        self._queue: collections.deque[EventPacket] = collections.deque()
        self._coming = None if self._packets is None else iter(self._packets)
        if self._coming is not None and self._size is None:
            first = next(self._coming, None)
            if first is None:
                raise UserError('there is not a single event packet to tell the size of the sensor')
            self._queue.append(first)
            self._size = first.width, first.height
        self.width, self.height = self._size or (0, 0)
        self._is_open = True

    def close(self) -> None:
        self._is_open = False

    def push(self, packet: EventPacket) -> None:
        """Put a packet that has just arrived into the queue; a full queue loses its oldest."""
        if len(self._queue) >= QUEUE_DEPTH:
            self._queue.popleft()  # its sequence number will be missed
        self._queue.append(packet)

    def next_batch(self, timeout_s: float = 0.0) -> EventBatch | None:
        """The events of the next packet; it does not wait, since packets are pushed."""
        if not self._is_open:
            raise RuntimeError('the source is not open')
        while True:
            if self._queue:
                packet = self._queue.popleft()
            elif self._coming is None:
                return EventBatch.empty(self.width, self.height)
            else:
                following = next(self._coming, None)
                if following is None:
                    return None
                packet = following
            batch = self.feed(packet)
            if batch is not None:
                return batch

    def feed(self, packet: EventPacket) -> EventBatch | None:
        """The events of this packet, or None where it cannot be used; then `fault` says why."""
        try:
            self._follow(packet)
            self._check(packet)
            decoder = self._decoder_for(packet)
        except UserError as error:
            self.fault = str(error)
            self.counters.rejected_packets += 1
            if self._decoder is not None:
                self._decoder.lost()
            return None
        self.fault = ''
        batch = decoder.decode(packet)
        restart, self._restart = self._restart, False
        self.counters.packets += 1
        self.counters.events += len(batch)
        self.counters.restarts += restart
        return dataclasses.replace(batch, restart=True) if restart else batch

    def _follow(self, packet: EventPacket) -> None:
        """Compare the sequence number with the last one: a loss, a restart or out of order."""
        last, seq = self._last_seq, packet.seq
        if 0 < seq <= last <= seq + _OUT_OF_ORDER and seq != self._late_seq + 1:
            self._late_seq = seq
            raise UserError(f'event packet {seq} came after packet {last}')
        if last >= 0 and seq <= last:
            self._restart, self._decoder = True, None
        elif last >= 0 and seq > last + 1:
            self.counters.lost_packets += seq - last - 1
            if self._decoder is not None:
                self._decoder.lost()
        self._last_seq, self._late_seq = seq, _NONE

    def _check(self, packet: EventPacket) -> None:
        """Raise UserError where this packet is not what is expected."""
        if self._encoding and packet.encoding != self._encoding:
            raise UserError(
                f'event packets have encoding {packet.encoding!r}, not {self._encoding!r}: '
                'set the driver or the parameter'
            )
        size = packet.width, packet.height
        if not 0 < min(size) <= max(size) <= _LARGEST_SIDE:
            raise UserError(f'an event packet claims a sensor of {size[0]} x {size[1]} pixels')
        if not 0 <= packet.time_base_ns < _LARGEST_TIME_BASE_NS:
            raise UserError(f'an event packet claims a time base of {packet.time_base_ns} ns')
        if self._size is not None and size != self._size:
            raise UserError(
                f'event packets are of a sensor of {size[0]} x {size[1]} pixels, '
                f'not {self._size[0]} x {self._size[1]}: set the driver or the parameter'
            )

    def _decoder_for(self, packet: EventPacket) -> PacketDecoder:
        """The decoder for this packet; another one where the encoding changes."""
        if self._decoder is None or self._decoder.encoding != packet.encoding:
            decoder = make_decoder(packet.encoding, packet.width, packet.height, self.counters)
            self._restart = self._restart or self._decoder is not None
            self._decoder = decoder
            self._size = self.width, self.height = packet.width, packet.height
        return self._decoder
