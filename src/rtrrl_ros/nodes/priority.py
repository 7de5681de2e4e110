"""Who goes ahead of whom on the processors, as far as the system permits. No ROS.

A kernel that shares time out fairly lets a process wait for milliseconds although it has done next
to nothing all day. What lies between sensor and motor computes for 3 of 10 ms, and its 10 ms are
over by then. While it drives it is therefore scheduled as real-time work, ahead of everything that
is not; Linux keeps a twentieth of each processor for the rest, also from a process that hangs.
"""

import contextlib
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec('P')
T = TypeVar('T')

#: niceness of what lies between sensor and motor, and of a simulated world, which stands for
#: hardware: ahead of what watches
DRIVING = -10
SIMULATING = -5
WATCHING = 5
#: below the threads of the kernel (50) and of who else knows what to do, above all ordinary work
REAL_TIME_PRIORITY = 10


def set_niceness(niceness: int) -> None:
    """Of this process; below 0 only where the system permits that."""
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, niceness)


def go_ahead() -> bool:
    """Schedule every thread of this process as real-time work; False where that is not permitted.

    Permitted is it to root, and to whom /etc/security/limits.conf gives `rtprio`.
    """
    return _schedule(os.SCHED_FIFO, REAL_TIME_PRIORITY)


@contextlib.contextmanager
def giving_way() -> Iterator[None]:
    """Let this thread share the processors meanwhile, where it goes ahead otherwise."""
    if not hasattr(os, 'sched_getscheduler') or os.sched_getscheduler(0) == os.SCHED_OTHER:
        yield
        return
    policy, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    try:
        yield
    finally:
        os.sched_setscheduler(0, policy, parameters)


class OrdinaryThreads(ThreadPoolExecutor):
    """Threads that share the processors while they work, also in a process that goes ahead."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        def work() -> T:
            with giving_way():
                return fn(*args, **kwargs)

        return super().submit(work)


def fall_back() -> None:
    """Share the processors again: loading and warming up must not hold others up."""
    _schedule(os.SCHED_OTHER, 0)


def _schedule(policy: int, priority: int) -> bool:
    try:
        # the policy belongs to a thread, and those of the middleware are there already
        for thread in os.listdir('/proc/self/task'):
            with contextlib.suppress(ProcessLookupError):  # it has just ended
                os.sched_setscheduler(int(thread), policy, os.sched_param(priority))
    except (PermissionError, AttributeError, FileNotFoundError):
        return False
    return True
