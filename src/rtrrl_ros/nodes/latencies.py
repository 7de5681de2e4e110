"""How long it takes from an observation to the command that answers it. No ROS."""

import collections
import math

import numpy as np

#: latencies that percentiles are taken of: the newest of a minute at 100 Hz
MEMORY = 6000
#: observations that still wait for an answer; what waits longer gets none
PENDING = 100
#: missed deadlines whose time is remembered
NEWEST_MISSED = 16
#: keys of `Latencies.values`: counts, and what those of times begin with
ANSWERED, MISSED, LATENCY = 'in_time', 'missed_deadlines', 'latency_'
#: another: when the newest that were missed had been asked, in s, oldest first
MISSED_AT = 'missed_at_s'


class Latencies:
    """The newest latencies, and how many of all missed the deadline.

    Parameters
    ----------
    deadline_s : what takes longer, or never comes, misses it

    Attributes
    ----------
    in_time, missed : observations with and without an answer in time, since the start; one whose
        time is not up yet is neither
    """

    def __init__(self, deadline_s: float) -> None:
        self.deadline_s = deadline_s
        self.in_time = self.missed = 0
        self._newest_answered_s = -math.inf
        # an array: percentiles of a deque would take half a millisecond from whoever drives
        self._newest_s = np.empty(MEMORY)
        self._count = 0
        self._pending: collections.OrderedDict[int, float] = collections.OrderedDict()
        self._overdue: collections.OrderedDict[int, float] = collections.OrderedDict()
        self._missed_at_s: collections.deque[float] = collections.deque(maxlen=NEWEST_MISSED)

    def ask(self, stamp_ns: int, now_s: float) -> None:
        """An observation was published; the same again keeps its first time."""
        self.expire(now_s)
        if stamp_ns not in self._overdue:
            self._pending.setdefault(stamp_ns, now_s)
        if len(self._pending) > PENDING:
            self._give_up_oldest()

    def answer(self, stamp_ns: int, now_s: float) -> None:
        """A command with this stamp came; only the first one counts."""
        if stamp_ns in self._pending:
            asked_s = self._pending.pop(stamp_ns)
            missed = self.missed
            self.add(now_s - asked_s)
            if self.missed > missed:
                self._missed_at_s.append(asked_s)
        elif stamp_ns in self._overdue:  # missed already, but it tells how late an answer may be
            asked_s = self._overdue.pop(stamp_ns)
            self._keep(now_s - asked_s)
        else:
            return
        self._newest_answered_s = max(asked_s, self._newest_answered_s)

    def add(self, latency_s: float) -> None:
        """A latency that somebody else measured."""
        self._keep(latency_s)
        if latency_s > self.deadline_s:
            self.missed += 1
        else:
            self.in_time += 1

    def _keep(self, latency_s: float) -> None:
        self._newest_s[self._count % MEMORY] = latency_s
        self._count += 1

    def expire(self, now_s: float) -> None:
        """Count what should have been answered by now."""
        while self._pending:
            asked_s = next(iter(self._pending.values()))
            if now_s - asked_s <= self.deadline_s:
                return
            self._give_up_oldest()

    def _give_up_oldest(self) -> None:
        stamp_ns, asked_s = self._pending.popitem(last=False)
        self.missed += 1
        self._missed_at_s.append(asked_s)
        self._overdue[stamp_ns] = asked_s
        if len(self._overdue) > PENDING:
            self._overdue.popitem(last=False)

    @property
    def unanswered(self) -> int:
        """How many of the newest missed, at most `PENDING`, nobody answered, nor any asked since.

        Whoever drives has gone, or is about to: at the end of a run the others end first.
        """
        return sum(asked_s > self._newest_answered_s for asked_s in self._overdue.values())

    def values(self) -> dict[str, str]:
        """For a diagnostic: percentiles of the newest in ms, and the counts."""
        counts = {ANSWERED: str(self.in_time), MISSED: str(self.missed)}
        if self._missed_at_s:
            counts[MISSED_AT] = ' '.join(f'{at_s:.3f}' for at_s in self._missed_at_s)
        if not self._count:
            return counts
        newest_s = self._newest_s[: self._count]
        p50, p99 = np.percentile(newest_s, (50, 99))
        times = {'p50': p50, 'p99': p99, 'max': newest_s.max()}
        return {
            f'{LATENCY}{name}_ms': f'{1e3 * value:.2f}' for name, value in times.items()
        } | counts

    def __str__(self) -> str:
        """One line for people."""
        values = self.values()
        values.pop(MISSED_AT, None)
        line = ', '.join(f'{name} {value}' for name, value in values.items())
        return line + (f' ({self.unanswered} at the end, unanswered)' if self.unanswered else '')
