"""Replay as fast as a graph answers: the next observation once the last one has been answered.

Threading: none. Times `now_s` are readings of one steady clock. It publishes nothing by itself: it
calls `publish`.
"""

from collections.abc import Callable, Iterator

from .observations import Observation, Observations
from .reading import Record
from .stamps import stamp_ns

_NS = 1e-9


class LockstepPlayback:
    """Publishes observations, each with everything that belongs to it, and waits for answers.

    An answer bears the stamp of its observation. One that does not come is asked for again; in the
    end playback gives up. What was recorded twice is published twice and awaited once. An
    observation with a stamp before that of the newest would never be answered: it is left out.

    Parameters
    ----------
    observations : what to publish
    publish : called with each message
    retry_s : without an answer for so long, the observation is published again
    timeout_s, first_timeout_s : how long to wait for an answer, and for the very first one

    Attributes
    ----------
    finished : everything has been published and answered
    fault : why it gave up, one line; '' as a rule
    answered, repeated, backwards : observations with an answer; published again; left out
    learned : nobody is known to be still learning from the newest observation
    asked_ns : stamp of the observation that was asked about last
    """

    def __init__(
        self, observations: Observations, publish: Callable[[Record], None], *,
        retry_s: float, timeout_s: float, first_timeout_s: float,
    ) -> None:  # fmt: skip
        self._observations = observations
        self._coming: Iterator[Observation] = iter(observations)
        self._publish = publish
        self._retry_s, self._timeout_s = retry_s, timeout_s
        self._first_timeout_s = first_timeout_s
        self._waiting: Observation | None = None
        self._asked_s = self._published_s = 0.0
        self._paused = self._due = False
        self.finished = False
        self.fault = ''
        self.answered = self.repeated = self.backwards = 0
        self.first_ns: int | None = None
        self.asked_ns: int | None = None
        self._learned_ns: int | None = None

    @property
    def paused(self) -> bool:
        return self._paused

    @property
    def played_s(self) -> float:
        """Recorded time from the first observation to the newest."""
        if self.first_ns is None or self.asked_ns is None:
            return 0.0
        return (self.asked_ns - self.first_ns) * _NS

    def begin(self, now_s: float) -> None:
        """Publish the first observation."""
        self._advance(now_s)

    def pause(self, now_s: float) -> None:
        """Publish no further observation until `resume`."""
        self._paused = True

    def resume(self, now_s: float) -> None:
        """Go on; nobody is blamed for not answering meanwhile."""
        self._paused = False
        self._asked_s = self._published_s = now_s
        if self._due:
            self._due = False
            self._advance(now_s)

    def answer(self, stamp: int, now_s: float) -> None:
        """The graph answered an observation; answers to others count for nothing."""
        if self._waiting is None or stamp != self._waiting.stamp_ns:
            return
        self._waiting = None
        self.answered += 1
        if self._paused:
            self._due = True
        else:
            self._advance(now_s)

    def learn(self, stamp: int) -> None:
        """The graph has learned from an observation."""
        self._learned_ns = stamp

    @property
    def learned(self) -> bool:
        return self._learned_ns in (None, self.asked_ns)

    def clock_ns(self, now_s: float) -> int:
        """The time that is being played: the stamp of the newest observation."""
        return self.asked_ns or 0

    def progress(self, seconds: float) -> str:
        """How far it is after so many seconds, in one line."""
        speed = self.played_s / seconds if seconds > 0.0 else 0.0
        counts = {'observations': self.answered, 'repeated': self.repeated}
        counts |= {'before the first lap left out': self._observations.left_out}
        counts |= {'with stamps that go back left out': self.backwards}
        told = ', '.join(f'{n} {what}' for what, n in counts.items() if n)
        state = ', paused' if self.paused else ''
        return f'{self.played_s:.2f} s replayed at {speed:.1f}x real time, {told}{state}'

    def tick(self, now_s: float) -> None:
        """Ask again, or give up."""
        if self._waiting is None or self._paused:
            return
        timeout_s = self._timeout_s if self.answered else self._first_timeout_s
        if now_s - self._asked_s > timeout_s:
            self.fault = (
                f'no answer to the observation at {self._waiting.stamp_ns * _NS:.2f} s within '
                f'{timeout_s:g} s; does the bag lack a reward or an executed command before it?'
            )
            self._waiting = None
        elif now_s - self._published_s > self._retry_s:
            self.repeated += 1
            self._ask_again(self._waiting, now_s)

    def _advance(self, now_s: float) -> None:
        for observation in self._coming:
            if self.asked_ns is not None and observation.stamp_ns < self.asked_ns:
                self.backwards += 1
                continue
            for record in (*observation.partners, *observation.others, *observation.sensed):
                self._publish(record)
            if observation.stamp_ns != self.asked_ns:
                if self.first_ns is None:
                    self.first_ns = observation.stamp_ns
                self.asked_ns = observation.stamp_ns
                self._waiting = observation
                self._asked_s = self._published_s = now_s
                return
        for record in self._observations.rest:
            self._publish(record)
        self.finished = True

    def _ask_again(self, observation: Observation, now_s: float) -> None:
        """Publish again what repeats itself without harm: partners, and what has its stamp."""
        self._published_s = now_s
        newest = stamp_ns(observation.sensed[-1].data)
        for record in observation.partners:
            self._publish(record)
        for record in observation.sensed:
            if stamp_ns(record.data) == newest:
                self._publish(record)
