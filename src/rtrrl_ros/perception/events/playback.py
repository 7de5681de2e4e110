"""A recording at the pace at which it was made."""

from .contract import EventBatch, EventSource


class Playback:
    """Cuts the batches of a source into slices of sensor time, each due at its own moment.

    Threading: none; `due` is asked with readings of one steady clock.

    Parameters
    ----------
    source : open; a recording
    slice_us : length of a slice
    rate : sensor time per time of the clock
    """

    def __init__(self, source: EventSource, slice_us: int, rate: float) -> None:
        self._source, self._slice_us, self._rate = source, slice_us, rate
        self._rest: EventBatch | None = None
        self._at = 0  # of the rest, events handed out
        self._origin: tuple[float, int] | None = None  # clock and sensor time of the start
        self._next_us = 0
        self.ended = False

    def due(self, now_s: float) -> list[EventBatch]:
        """The slices whose end has passed; after the last one `ended` is True."""
        slices: list[EventBatch] = []
        while not self.ended:
            if self._rest is None and not self._read(now_s):
                break
            assert self._rest is not None and self._origin is not None
            begun_s, begun_us = self._origin
            if self._next_us > begun_us + (now_s - begun_s) * 1e6 * self._rate:
                break
            slices.append(self._cut())
        return slices

    def _read(self, now_s: float) -> bool:
        batch = self._source.next_batch()
        while batch is not None and not len(batch):
            batch = self._source.next_batch()
        if batch is None:
            self.ended = True
            return False
        self._rest, self._at = batch, 0
        first_us = int(batch.t_us[0])
        jump = abs(first_us - self._next_us) > 1_000_000 or batch.restart
        if self._origin is None or jump:  # what a pause cut out is not waited for
            self._origin = now_s, first_us
            self._next_us = first_us + self._slice_us
        return True

    def _cut(self) -> EventBatch:
        rest = self._rest
        assert rest is not None
        stop = int(rest.t_us.searchsorted(self._next_us))
        part = EventBatch(
            rest.t_us[self._at : stop], rest.x[self._at : stop], rest.y[self._at : stop],
            rest.polarity[self._at : stop], rest.width, rest.height,
            self._next_us if stop < len(rest) else rest.until_us,
        )  # fmt: skip
        self._at = stop
        if stop >= len(rest):
            self._rest = None
        else:
            self._next_us += self._slice_us
        return part
