"""When each recorded message is due: at the times of the recording, faster, slower, or paused.

Threading: none. Times `now_s` are readings of one steady clock, `log_ns` log times of the bag. It
publishes nothing by itself: it calls `publish`.
"""

import math
from collections.abc import Callable, Iterable, Iterator

from ..reading import Record

_NS = 1e-9
#: messages published in one go at most, so that whoever plays also hears that it should stop
BURST = 500
#: a delay that is worth mentioning
LATE_S = 0.1


class Playback:
    """Publishes the messages of a recording when they are due.

    Parameters
    ----------
    records : in the order of their log times; one that is earlier than the one before it is due at
        once
    publish : called with each message when it is due
    rate : recorded seconds per second
    max_gap_s : a longer silence of the recording is shortened to this

    Attributes
    ----------
    finished : everything has been published
    published : messages so far
    played_s : recorded time that has been played, silences as shortened
    lag_s : the longest that a message was published after it was due
    fault, learned : as of `LockstepPlayback`: nothing here waits for anybody
    """

    fault = ''
    learned = True

    def __init__(
        self, records: Iterable[Record], publish: Callable[[Record], None],
        rate: float = 1.0, max_gap_s: float = math.inf,
    ) -> None:  # fmt: skip
        self._records: Iterator[Record] = iter(records)
        self._publish = publish
        self._rate, self._max_gap_s = rate, max_gap_s
        self._next: Record | None = None
        self._next_s = 0.0  # its place on the time line: recorded seconds, silences shortened
        self._log_ns = 0  # log time of the newest message
        self._begun_s: float | None = None  # when the time line was at 0, pauses left out
        self._paused_s: float | None = None
        self.finished = False
        self.published = 0
        self.played_s = self.lag_s = 0.0

    @property
    def paused(self) -> bool:
        return self._paused_s is not None

    def begin(self, now_s: float) -> None:
        """The first message is due now."""
        self._begun_s = now_s
        self._take()
        self._log_ns = self._next.log_ns if self._next is not None else 0

    def pause(self, now_s: float) -> None:
        """Nothing is due until `resume`."""
        if self._paused_s is None:
            self._paused_s = now_s

    def resume(self, now_s: float) -> None:
        """Go on where it was paused."""
        if self._paused_s is not None:
            if self._begun_s is not None:
                self._begun_s += now_s - max(self._paused_s, self._begun_s)
            self._paused_s = None

    def tick(self, now_s: float) -> None:
        """Publish what is due."""
        if self._begun_s is None or self.paused:
            return
        line_s = (now_s - self._begun_s) * self._rate
        for _ in range(BURST):
            if self._next is None or self._next_s > line_s:
                break
            record, self.played_s = self._next, self._next_s
            self.lag_s = max(self.lag_s, (line_s - self._next_s) / self._rate)
            self._log_ns = record.log_ns
            self._publish(record)
            self.published += 1
            self._take()

    def encoded(self, data: bytes, now_s: float) -> None:
        """Features go to the agent by themselves."""

    def answer(self, stamp: int, now_s: float) -> None:
        """Answers are not waited for."""

    def learn(self, stamp: int) -> None:
        """Nor is anybody's learning."""

    def progress(self, seconds: float) -> str:
        """How far it is after so many seconds, in one line."""
        state = ', paused' if self.paused else ''
        late = f', up to {self.lag_s:.2f} s late' if self.lag_s > LATE_S else ''
        return f'{self.played_s:.1f} s played, {self.published} messages{late}{state}'

    def clock_ns(self, now_s: float) -> int:
        """Log time that is being played; it never goes back, and stands still while paused."""
        if self._begun_s is None or self._next is None:
            return self._log_ns
        at_s = now_s if self._paused_s is None else self._paused_s
        line_s = (at_s - self._begun_s) * self._rate
        since_ns = round(max(0.0, line_s - self.played_s) / _NS)
        return min(self._log_ns + since_ns, max(self._log_ns, self._next.log_ns))

    def _take(self) -> None:
        """Read one message ahead."""
        before, self._next = self._next, next(self._records, None)
        if self._next is None:
            self.finished = True
        elif before is not None:
            gap_s = (self._next.log_ns - before.log_ns) * _NS
            self._next_s += min(max(gap_s, 0.0), self._max_gap_s)
