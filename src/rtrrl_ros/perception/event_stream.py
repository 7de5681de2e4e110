"""From packets of a topic to features, and in one line what is wrong with the stream.

Threading: none. Times `now_s` are readings of one steady clock, `stamp_ns` the packets' headers.
"""

import dataclasses
from typing import Any

import numpy as np

from .events.codecs import EventPacket
from .events.packets import PacketSource
from .pipeline import EventPipeline


class EventStream:
    """A `PacketSource` and the pipeline that it feeds.

    Where sensor time begins anew (a driver that restarts, a simulated car put on the start line)
    the pipeline does too.

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
        self.source = PacketSource(width, height)
        self.source.open()
        self._silence_s = silence_s
        self._begun_s = self._asked_s = now_s
        self._heard_s: float | None = None
        self._counted = 0  # events until the rate was asked for
        self._newest: tuple[int, np.ndarray] | None = None

    def feed(self, packet: EventPacket, stamp_ns: int, now_s: float) -> np.ndarray | None:
        """Features (latent,) float32 of the window that this packet completes, if it does.

        Of several windows the newest counts. A world that repeats what it sent, with the same
        stamp, gets the same features again.
        """
        self._heard_s = now_s
        batch = self.source.feed(packet)
        if batch is None:
            return None
        if batch.restart:
            self.pipeline.reset()
            batch = dataclasses.replace(batch, restart=False)
        if self.pipeline.push(batch):
            self._newest = stamp_ns, self.pipeline.encode()
        elif self._newest is None or self._newest[0] != stamp_ns:
            return None
        return self._newest[1]

    def fault(self, now_s: float) -> str:
        """Why there are no features, one line; '' while usable packets come."""
        if self._heard_s is None:
            late = now_s - self._begun_s > self._silence_s
            return 'no event packet yet: is the camera driver running?' if late else ''
        silent_s = now_s - self._heard_s
        if silent_s > self._silence_s:
            return 'event packets have stopped: camera unplugged, or its driver down?'
        return self.source.fault

    def values(self, now_s: float) -> dict[str, Any]:
        """Counters, and the rate of events since it was asked for last."""
        counters = self.source.counters
        rate = (counters.events - self._counted) / max(now_s - self._asked_s, 1e-9)
        self._asked_s, self._counted = now_s, counters.events
        late = self.pipeline.windows.counters.late_events
        return {
            'events_per_s': f'{rate:.0f}', **dataclasses.asdict(counters), 'late_events': late
        }  # fmt: skip
