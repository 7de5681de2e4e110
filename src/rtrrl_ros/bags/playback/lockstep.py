"""Replay as fast as a graph answers: the next observation once the last one has been answered.

The player stands between encoder and agent. What the encoder makes of an observation does not
depend on the agent, so it may work ahead; its features are kept and passed to the agent one by one,
each after the rewards and executed commands up to its stamp and after the answer to the one before.
The agent's run is then a function of the recording alone, however the machine distributes its time.

Threading: none. Times `now_s` are readings of one steady clock. Nothing is published here: the
caller's `publish` and `relay` do.
"""

import collections
from collections.abc import Callable

from ..reading import Record
from ..stamps import stamp_ns
from .read_ahead import ReadAhead

_NS = 1e-9
#: features that wait for the agent at most
BACKLOG = 8
#: messages of the sensor that the encoder has at once, at most; it needs several to make features
MAX_AHEAD = 512
#: an encoder that is silent for so long may need more of them; at the end of the recording, it has
#: said everything
SILENT_S, DRAINED_S = 0.1, 1.0


class LockstepPlayback:
    """Publishes what was sensed, relays features, and waits for answers.

    An answer bears the stamp of its features. One that does not come is asked for again; in the end
    playback gives up. Features whose stamp is not after that of the newest are not relayed: they
    were recorded twice, or time went back and the agent would not answer.

    Parameters
    ----------
    recording : what to publish
    publish : called with each message of the recording
    relay : called with features (CDR) for the agent
    ahead : messages of the sensor that the encoder may have at once at most; the encoder of images
        keeps the newest one only
    encoder : whether there is one; otherwise the sensor's messages are features
    retry_s : without an answer for so long, it is asked again
    timeout_s, first_timeout_s : how long to wait for an answer, and for the very first one

    Attributes
    ----------
    finished : everything has been published and answered
    fault : why it gave up, one line; '' as a rule
    answered, repeated, ignored : features with an answer; relayed again; not relayed
    asked_ns : stamp of the newest features that were relayed
    """

    def __init__(
        self, recording: ReadAhead, publish: Callable[[Record], None],
        relay: Callable[[bytes], None], *, ahead: int = MAX_AHEAD, encoder: bool = True,
        retry_s: float = 0.5, timeout_s: float = 10.0, first_timeout_s: float = 90.0,
    ) -> None:  # fmt: skip
        self._recording, self._publish, self._relay = recording, publish, relay
        self._max_ahead, self._encoder = ahead, encoder
        self._retry_s, self._timeout_s = retry_s, timeout_s
        self._first_timeout_s = first_timeout_s
        self._ahead = 1
        self._sent: collections.deque[int] = collections.deque()  # stamps without features yet
        self._opening: list[Record] = []  # what was sent before the encoder was heard at all
        self._encoded: collections.deque[tuple[int, bytes]] = collections.deque()
        self._encoded_ns: int | None = None
        self._waiting: tuple[int, bytes] | None = None
        self._asked_s = self._relayed_s = self._heard_s = self._raised_s = 0.0
        self._begun = self.paused = self.finished = False
        self._learned_ns: int | None = None
        self.fault = ''
        self.answered = self.repeated = self.ignored = 0
        self.first_ns: int | None = None
        self.asked_ns: int | None = None

    @property
    def played_s(self) -> float:
        """Recorded time from the first observation to the newest."""
        if self.first_ns is None or self.asked_ns is None:
            return 0.0
        return (self.asked_ns - self.first_ns) * _NS

    @property
    def learned(self) -> bool:
        """Nobody is known to be still learning from the newest observation."""
        return self._learned_ns in (None, self.asked_ns)

    def begin(self, now_s: float) -> None:
        """Publish the first observation."""
        self._begun = True
        self._excuse(now_s)
        self._go_on(now_s)

    def pause(self, now_s: float) -> None:
        """Publish nothing further until `resume`."""
        self.paused = True

    def resume(self, now_s: float) -> None:
        """Go on; nobody is blamed for not answering meanwhile."""
        self.paused = False
        self._excuse(now_s)
        self._go_on(now_s)

    def encoded(self, data: bytes, now_s: float) -> None:
        """The encoder gave features (CDR)."""
        self._heard_s = self._raised_s = now_s
        stamp = stamp_ns(data)
        done = self._take_sent(stamp)
        # two windows of them: one that it works on, and the next
        self._ahead = min(max(2 * done, 2), self._max_ahead)
        self._opening.clear()
        self._keep(stamp, data)
        self._go_on(now_s)

    def answer(self, stamp: int, now_s: float) -> None:
        """The agent answered features; answers to others count for nothing."""
        if self._waiting is not None and stamp == self._waiting[0]:
            self._waiting = None
            self.answered += 1
            self._go_on(now_s)

    def learn(self, stamp: int) -> None:
        """The agent has learned from an observation."""
        self._learned_ns = stamp

    def tick(self, now_s: float) -> None:
        """Ask again, or give up; to be called a few times a second at least."""
        if self.paused or self.finished or not self._begun or self.fault:
            return
        if self._waiting is not None:
            self._insist(self._waiting, now_s)
        elif self._sent:
            self._urge(now_s)
        self._go_on(now_s)

    def clock_ns(self, now_s: float) -> int:
        """The time that is being played: the stamp of the newest observation."""
        return self.asked_ns or 0

    def progress(self, seconds: float) -> str:
        """How far it is after so many seconds, in one line."""
        speed = self.played_s / seconds if seconds > 0.0 else 0.0
        counts = {
            'observations': self.answered,
            'asked again': self.repeated,
            'with older stamps ignored': self.ignored,
            'messages before the first lap left out': self._recording.left_out,
            'other messages not replayed, too much between two observations': (
                self._recording.dropped
            ),
        }
        told = ', '.join(f'{n} {what}' for what, n in counts.items() if n)
        state = ', paused' if self.paused else ''
        return f'{self.played_s:.2f} s replayed at {speed:.1f}x real time, {told}{state}'

    def _excuse(self, now_s: float) -> None:
        """Nobody has been silent for long."""
        self._asked_s = self._relayed_s = self._heard_s = self._raised_s = now_s

    def _go_on(self, now_s: float) -> None:
        """Everything that can be done now; the agent first, since it is waited for."""
        if self.paused or self.finished or not self._begun:
            return
        self._ask(now_s)
        while len(self._sent) < self._ahead and len(self._encoded) < BACKLOG:
            record = self._recording.take()
            if record is None:
                break
            self._send(record, now_s)
        if self.asked_ns is not None:  # what was recorded late
            self._publish_all(self._recording.partners(self.asked_ns))
        self._ask(now_s)
        self._look_for_the_end(now_s)

    def _ask(self, now_s: float) -> None:
        """Pass the next features to the agent, if it has answered the last ones."""
        if self._waiting is not None or not self._encoded:
            return
        stamp, data = self._waiting = self._encoded.popleft()
        if self.first_ns is None:
            self.first_ns = stamp
        self.asked_ns = stamp
        self._asked_s = self._relayed_s = now_s
        self._publish_all(self._recording.partners(stamp))
        self._relay(data)

    def _send(self, record: Record, now_s: float) -> None:
        """Pass a message of the sensor on; features need no encoder."""
        self._publish_all(self._recording.others(record.log_ns))
        if not self._encoder:
            self._keep(self._recording.stamp(record), record.data)
            return
        if not self._sent:
            self._heard_s = self._raised_s = now_s
        self._sent.append(self._recording.stamp(record))
        if self._encoded_ns is None:
            self._opening.append(record)
        self._publish(record)

    def _take_sent(self, stamp: int) -> int:
        """Forget what features were made of; returns how many messages that were."""
        before = len(self._sent)
        if stamp in self._sent:  # also where time went back
            while self._sent.popleft() != stamp:
                pass
        while self._sent and self._sent[0] <= stamp:
            self._sent.popleft()
        return before - len(self._sent)

    def _keep(self, stamp: int, data: bytes) -> None:
        if self._encoded_ns is None or stamp > self._encoded_ns:
            self._encoded_ns = stamp
            self._encoded.append((stamp, data))
        else:
            self.ignored += stamp < self._encoded_ns

    def _insist(self, waiting: tuple[int, bytes], now_s: float) -> None:
        """Ask the agent again, or give up."""
        timeout_s = self._timeout_s if self.answered else self._first_timeout_s
        if now_s - self._asked_s > timeout_s:
            self._waiting = None
            self.fault = (
                f'no answer to the observation at {waiting[0] * _NS:.2f} s within {timeout_s:g} s: '
                'does the bag lack a reward or an executed command before it?'
            )
        elif now_s - self._relayed_s > self._retry_s:
            self._relayed_s = now_s
            self.repeated += 1
            self._relay(waiting[1])

    def _urge(self, now_s: float) -> None:
        """Give a silent encoder what it may need, or give up."""
        timeout_s = self._first_timeout_s if self._encoded_ns is None else self._timeout_s
        if now_s - self._heard_s > timeout_s:
            self.fault = (
                f'no features of what was sensed until {self._sent[-1] * _NS:.2f} s within '
                f'{timeout_s:g} s: is the recording of the sensor that the model was trained for?'
            )
        elif self._opening and now_s - self._raised_s > self._retry_s:
            self._raised_s = now_s
            for record in self._opening:
                self._publish(record)
        elif not self._opening and now_s - self._raised_s > SILENT_S:
            self._raised_s = now_s
            self._ahead = min(2 * self._ahead, self._max_ahead)

    def _look_for_the_end(self, now_s: float) -> None:
        busy = self._waiting is not None or self._encoded
        silent = not self._sent or now_s - self._heard_s > DRAINED_S
        if busy or not silent or self._recording.peek() is not None:
            return
        self._publish_all([*self._recording.partners(), *self._recording.others()])
        self.finished = True
        if not self.answered:
            self.fault = 'there is nothing in the recording that could be replayed in lock-step'
            if self._recording.left_out:
                self.fault = (
                    'nothing that was sensed has the stamp of a reward to begin with: replay it '
                    'without lock-step, or give the stamp offset of the recording'
                )

    def _publish_all(self, records: list[Record]) -> None:
        for record in records:
            self._publish(record)
