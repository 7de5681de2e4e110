"""From packets of a topic to features, and in one line what is wrong with the stream.

Threading: none. Times `now_s` are readings of one steady clock, `stamp_ns` the packets' headers.
"""

import dataclasses
from typing import Any, NamedTuple

import numpy as np

from .events.codecs import EventPacket
from .events.contract import UNKNOWN_US, EventBatch
from .events.packets import PacketSource
from .pipeline import EventPipeline


class _Window(NamedTuple):
    """The newest one: stamp and number of the packet that completed it."""

    stamp_ns: int
    seq: int
    features: np.ndarray


class EventStream:
    """A `PacketSource` and the pipeline that it feeds.

    Where sensor time begins anew (a driver that restarts, a simulated car put on the start line, a
    damaged packet) the pipeline does too. Its windows then end where the first packet does: decoded
    times are known up to a turn of the sensor's clock only, which is no multiple of a window.

    Parameters
    ----------
    pipeline : of a sensor of `width` x `height` pixels; packets of another one are refused
    silence_s : without any packet for longer, the stream counts as silent; infinite: never
    now_s : when it begins to listen
    """

    def __init__(
        self, pipeline: EventPipeline, width: int, height: int, silence_s: float, now_s: float
    ) -> None:
        self.pipeline = pipeline
        self.pipeline.reset()
        self._window_us = pipeline.window_us
        self.source = PacketSource(width, height)
        self.source.open()
        self._silence_s = silence_s
        self._begun_s = self._asked_s = now_s
        self._heard_s: float | None = None
        self._counted = 0  # events until the rate was asked for
        self._newest: _Window | None = None
        self._damage = ''
        self._shift_us: int | None = None  # from sensor time to the time of the windows

    def feed(self, packet: EventPacket, stamp_ns: int, now_s: float) -> np.ndarray | None:
        """Features (latent,) float32 of the window that this packet completes, if it does.

        Of several windows the newest counts. A world that repeats what it sent, with the same
        stamps and numbers, gets the same features again, and nothing is seen twice.
        """
        self._heard_s = now_s
        newest = self._newest
        if newest is not None and newest.stamp_ns == stamp_ns and packet.seq <= newest.seq:
            return newest.features if packet.seq == newest.seq else None
        batch = self._decode(packet)
        if batch is None:
            return None
        if self.pipeline.push(self._aligned(batch)):
            self._newest = _Window(stamp_ns, packet.seq, self.pipeline.encode())
            return self._newest.features
        return None

    def _decode(self, packet: EventPacket) -> EventBatch | None:
        """The events of a packet that can be used and tells the time."""
        counters = self.source.counters
        damaged, rejected = counters.damaged_packets, counters.rejected_events
        batch = self.source.feed(packet)
        self._damage = ''
        if batch is None:
            return None
        if counters.damaged_packets > damaged:
            self._damage = f'event packet {packet.seq} is damaged: it ends within a word'
        elif counters.rejected_events - rejected > len(batch):
            self._damage = f'event packet {packet.seq} is damaged: its events are not on the sensor'
        if self._damage or batch.restart:  # a damaged packet may have put the clock anywhere
            self.pipeline.reset()
            self._shift_us = None
        return None if self._damage or batch.until_us == UNKNOWN_US else batch

    def _aligned(self, batch: EventBatch) -> EventBatch:
        """The same events in the time of the windows."""
        if self._shift_us is None:
            self._shift_us = self._window_us - batch.until_us % self._window_us
        return dataclasses.replace(
            batch,
            t_us=batch.t_us + self._shift_us,
            until_us=batch.until_us + self._shift_us,
            restart=False,
        )

    def fault(self, now_s: float) -> str:
        """Why there are no features, one line; '' while usable packets come."""
        if self._heard_s is None:
            late = now_s - self._begun_s > self._silence_s
            return 'no event packet yet: is the camera driver running?' if late else ''
        silent_s = now_s - self._heard_s
        if silent_s > self._silence_s:
            return 'event packets have stopped: camera unplugged, or its driver down?'
        return self.source.fault or self._damage

    @property
    def unusable(self) -> int:
        """Packets so far that were lost, refused or damaged."""
        counters = self.source.counters
        return counters.lost_packets + counters.rejected_packets + counters.damaged_packets

    def values(self, now_s: float) -> dict[str, Any]:
        """Counters, and the rate of events since it was asked for last."""
        counters = self.source.counters
        rate = (counters.events - self._counted) / max(now_s - self._asked_s, 1e-9)
        self._asked_s, self._counted = now_s, counters.events
        late = self.pipeline.windows.counters.late_events
        return {
            'events_per_s': f'{rate:.0f}', **dataclasses.asdict(counters), 'late_events': late
        }  # fmt: skip
