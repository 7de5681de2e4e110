"""How long it takes from an observation to the command that answers it. No ROS."""

import collections

import numpy as np

#: latencies that percentiles are taken of: the newest of a minute at 100 Hz
MEMORY = 6000
#: observations that still wait for an answer; what waits longer gets none
PENDING = 100


class Latencies:
    """The newest latencies, and how many of all missed the deadline.

    Parameters
    ----------
    deadline_s : what takes longer, or never comes, misses it

    Attributes
    ----------
    in_time, missed : observations with and without an answer in time, since the start
    """

    def __init__(self, deadline_s: float) -> None:
        self.deadline_s = deadline_s
        self.in_time = self.missed = 0
        self._newest_s: collections.deque[float] = collections.deque(maxlen=MEMORY)
        self._pending: collections.OrderedDict[int, float] = collections.OrderedDict()

    def ask(self, stamp_ns: int, now_s: float) -> None:
        """An observation was published; the same again keeps its first time."""
        self._pending.setdefault(stamp_ns, now_s)
        while len(self._pending) > PENDING:
            self._pending.popitem(last=False)
            self.missed += 1

    def answer(self, stamp_ns: int, now_s: float) -> None:
        """A command with this stamp came; only the first one counts."""
        asked_s = self._pending.pop(stamp_ns, None)
        if asked_s is not None:
            self.add(now_s - asked_s)

    def add(self, latency_s: float) -> None:
        """A latency that somebody else measured."""
        self._newest_s.append(latency_s)
        if latency_s > self.deadline_s:
            self.missed += 1
        else:
            self.in_time += 1

    def values(self) -> dict[str, str]:
        """For a diagnostic: percentiles of the newest in ms, and the counts."""
        counts = {'in_time': str(self.in_time), 'missed_deadlines': str(self.missed)}
        if not self._newest_s:
            return counts
        p50, p99 = np.percentile(self._newest_s, (50, 99))
        times = {'p50': p50, 'p99': p99, 'max': max(self._newest_s)}
        return {
            f'latency_{name}_ms': f'{1e3 * value:.2f}' for name, value in times.items()
        } | counts

    def __str__(self) -> str:
        """One line for people."""
        return ', '.join(f'{name} {value}' for name, value in self.values().items())
