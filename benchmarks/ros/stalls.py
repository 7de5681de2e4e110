"""Does the machine itself stand still now and then? On a virtual one nobody inside can help it.

A process on each core, ahead of everything else (SCHED_FIFO where that is permitted), sleeps two
milliseconds over and over and notes when it was woken much later: not more often, since it takes
time and caches from what is measured. The system itself knows how long processors that had
something to do waited for a host (steal time in proc(5)).

A virtual machine or a container may also have a quota: so much processor time in each period
(`cpu.max` of cgroups, 100 ms by default). A processor that finds it used up stands still until the
period is over. Such stalls end at the same point of a period, however long they are.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

SLEEP_S, STALL_S = 0.002, 0.004
Stall = tuple[float, float]  # start on the steady clock, length; both in s
#: of quotas: the period, how exactly its end shows, and a tick of a host, at which stalls end, too
QUOTA_PERIOD_S, EXACT_S, TICK_S = 0.1, 0.001, 0.01
#: as many must end together, and so many times as many as at the other ticks of the period
LEAST_STALLS, LEAST_RATIO = 8, 4.0


def watch(core: int) -> None:
    """Note stalls of this core until SIGTERM, then print them: [[monotonic s, length s], ...]."""
    stalls: list[Stall] = []

    def finish(*_: object) -> None:
        print(json.dumps(stalls), flush=True)
        os._exit(0)

    signal.signal(signal.SIGTERM, finish)
    os.sched_setaffinity(0, {core})
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(99))
    except PermissionError:
        print('stalls: no SCHED_FIFO here, so load counts as well', file=sys.stderr)
    last_s = time.monotonic()
    while True:
        time.sleep(SLEEP_S)
        now_s = time.monotonic()
        # it began anywhere in that sleep, and has just ended
        length_s = now_s - last_s - 0.5 * SLEEP_S
        if length_s > STALL_S:
            stalls.append((now_s - length_s, length_s))
        last_s = now_s


def stolen_so_far_s() -> float:
    """Of all processors together, since the machine was started."""
    total = Path('/proc/stat').read_text().splitlines()[0].split()
    return int(total[8]) / os.sysconf('SC_CLK_TCK')


def quota_stalls(stalls: Sequence[Stall]) -> list[Stall]:
    """Those that end where the period of a quota does; none where no point of it stands out."""

    def ending_at(point_s: float) -> list[Stall]:
        half_s = 0.5 * QUOTA_PERIOD_S
        return [
            (start_s, length_s)
            for start_s, length_s in stalls
            if abs((start_s + length_s - point_s + half_s) % QUOTA_PERIOD_S - half_s) <= EXACT_S
        ]

    ends_s = [start_s + length_s for start_s, length_s in stalls]
    if not ends_s:
        return []
    point_s = max(ends_s, key=lambda end_s: len(ending_at(end_s)))
    together = ending_at(point_s)
    ticks = round(QUOTA_PERIOD_S / TICK_S)
    elsewhere = sum(len(ending_at(point_s + tick * TICK_S)) for tick in range(1, ticks))
    enough = max(LEAST_STALLS, LEAST_RATIO * elsewhere / (ticks - 1))
    return together if len(together) >= enough else []


class StallWatch:
    """`with StallWatch() as watch: ...`, and what happened meanwhile.

    Attributes
    ----------
    stalls : (start s, length s) on any core
    stolen_s : time that a host gave to others although this machine had something to do, of all
        processors together; 0 on a physical machine
    stolen : the same as a fraction of the time that all processors have
    """

    def __init__(self) -> None:
        self.stalls: list[Stall] = []
        self.stolen_s = self.stolen = 0.0

    def __enter__(self) -> 'StallWatch':
        self._before_s, self._start_s = stolen_so_far_s(), time.monotonic()
        self._processes = [
            subprocess.Popen([sys.executable, __file__, str(core)], stdout=subprocess.PIPE)
            for core in sorted(os.sched_getaffinity(0))
        ]
        return self

    def __exit__(self, *_: object) -> None:
        self.stolen_s = stolen_so_far_s() - self._before_s
        elapsed_s = time.monotonic() - self._start_s
        self.stolen = self.stolen_s / (elapsed_s * (os.cpu_count() or 1))
        for process in self._processes:
            process.terminate()
            found = json.loads(process.communicate()[0] or '[]')
            self.stalls += [(start_s, length_s) for start_s, length_s in found]
        self.stalls.sort()


if __name__ == '__main__':
    watch(int(sys.argv[1]))
