"""Progress with time left: bars on a terminal, a line now and then in a log file."""

import time
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

#: seconds between two lines of one stage where there is no terminal
LOG_PERIOD_S = 10.0
#: seconds between two pictures of the bars where no thread draws them
DRAW_PERIOD_S = 0.5


class Stages:
    """A context manager that shows how far each named stage is.

    Parameters
    ----------
    thread : draw in a thread; without one bars move in `update` only, and a caller that times
        something else is not disturbed by them

    Attributes
    ----------
    console : prints above the bars, to stderr: stdout belongs to --json -
    """

    def __init__(self, thread: bool = True) -> None:
        self.console = Console(stderr=True, highlight=False)
        columns = (
            TextColumn('{task.description:20s}'), BarColumn(), MofNCompleteColumn(),
            TimeElapsedColumn(), TimeRemainingColumn(), TextColumn('{task.fields[note]}'),
        )  # fmt: skip
        self._bars = Progress(*columns, console=self.console, auto_refresh=thread)
        self._thread, self._drawn = thread, -DRAW_PERIOD_S
        self._tasks: dict[str, TaskID] = {}
        self._started: dict[str, tuple[float, int]] = {}  # when, and what was done already
        self._logged: dict[str, float] = {}

    def __enter__(self) -> 'Stages':
        if self.console.is_terminal:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:  # fmt: skip
        self._bars.stop() if self.console.is_terminal else None

    def update(self, stage: str, done: int, total: int, note: str = '') -> None:
        """Stage `stage` has done `done` of `total` parts."""
        now = time.monotonic()
        if stage not in self._started:
            self._started[stage] = (now, done)
            self._logged[stage] = -LOG_PERIOD_S
        if self.console.is_terminal:
            if stage not in self._tasks:
                self._tasks[stage] = self._bars.add_task(
                    stage, total=total, completed=done, note=''
                )
            self._bars.update(self._tasks[stage], completed=done, total=total, note=note)
            if not self._thread and (done >= total or now - self._drawn >= DRAW_PERIOD_S):
                self._bars.refresh()
                self._drawn = time.monotonic()
        elif done >= total or now - self._logged[stage] >= LOG_PERIOD_S:
            self._logged[stage] = now
            started, before = self._started[stage]
            elapsed, new = now - started, done - before
            left = f', {elapsed / new * (total - done):.0f} s left' if new and done < total else ''
            self.console.print(f'{stage}: {done}/{total}, {elapsed:.0f} s{left}  {note}'.rstrip())
