"""Single keys of a terminal, without waiting for them."""

import os
import select
import sys
import termios
import tty
from types import TracebackType
from typing import Any, Self


class Keyboard:
    """While open, keys can be asked for as soon as they are pressed.

    Without a terminal no key is ever pressed.
    """

    def __init__(self) -> None:
        self._before: Any = None

    def __enter__(self) -> Self:
        # a job in the background would be stopped if it touched the terminal
        if sys.stdin.isatty() and os.getpgrp() == os.tcgetpgrp(sys.stdin.fileno()):
            self._before = termios.tcgetattr(sys.stdin.fileno())
            tty.setcbreak(sys.stdin.fileno())  # Ctrl-C still interrupts
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._before is not None:
            termios.tcsetattr(sys.stdin.fileno(), termios.TCSADRAIN, self._before)

    def pressed(self) -> str:
        """The keys that were pressed since it was asked last; '' for none."""
        if self._before is None or not select.select([sys.stdin], [], [], 0.0)[0]:
            return ''
        return os.read(sys.stdin.fileno(), 64).decode(errors='replace')
