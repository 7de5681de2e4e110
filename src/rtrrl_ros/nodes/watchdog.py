"""Ends a node that hangs, whatever it waits for. No ROS.

Nothing written in Python could, where a callback waits while it holds the interpreter's lock: for a
lock of the middleware, say, that a killed process has taken along. `faulthandler` has a thread of
its own that needs no lock, says where every thread is, and ends the process with status 1.
"""

import faulthandler
import time

#: a callback that takes this long hangs
HANG_S = 20.0
#: to be fed costs a reading of the clock; to be set anew, a thread, so that is done this often
PERIOD_S = 1.0


class Watchdog:
    """Bites when it has not been fed for `HANG_S`; it sleeps until it is fed first."""

    def __init__(self) -> None:
        self._set_s = -float('inf')

    def feed(self) -> None:
        """All is well now."""
        now_s = time.monotonic()
        if now_s - self._set_s > PERIOD_S:
            self._set_s = now_s
            faulthandler.dump_traceback_later(HANG_S, exit=True)

    def rest(self) -> None:
        """Sleep until fed again: loading and ending may take longer."""
        self._set_s = -float('inf')
        faulthandler.cancel_dump_traceback_later()
