"""A bag from the black box for every fault, written beside what goes on.

Threads: each bag is written by a thread of its own, from a copy of the black box's list; the
messages themselves are shared and never change.
"""

import datetime
import re
import threading
from collections.abc import Callable
from pathlib import Path

from ...errors import UserError
from ..writing import BagWriter
from .black_box import BlackBox

#: a fault is part of the name of its bag, as far as this many characters
NAME_LENGTH = 40


class FaultDumps:
    """Writes the black box out after a fault.

    Parameters
    ----------
    box : the black box
    folder : where the bags come to lie; it is made when the first one does
    after_s : what comes so long after the fault still belongs to it, and so do further faults
    most : bags of this run; after that faults are only told
    tell : called with a line, from any thread

    Attributes
    ----------
    written : folders of the bags that are complete
    """

    def __init__(
        self,
        box: BlackBox,
        folder: Path,
        after_s: float,
        most: int,
        tell: Callable[[str], None],
    ) -> None:
        self._box, self._folder, self._after_s = box, folder, after_s
        self._left, self._tell = most, tell
        self._faults: list[str] = []
        self._due_s = 0.0
        self._threads: list[threading.Thread] = []
        self.written: list[Path] = []

    def fault(self, reason: str, now_s: float) -> None:
        """Something went wrong at the time `now_s`, of any clock that does not jump."""
        if not self._faults:
            self._due_s = now_s + self._after_s
        self._faults.append(reason)

    def poll(self, now_s: float) -> None:
        """Begin to write the bag of a fault, if its time has come."""
        if self._faults and now_s >= self._due_s:
            self._dump()

    def close(self) -> None:
        """Write the bag of a fault that is still waiting, and wait until all are written."""
        if self._faults:
            self._dump()
        for thread in self._threads:
            thread.join()

    def _dump(self) -> None:
        reason, self._faults = '; '.join(dict.fromkeys(self._faults)), []
        if self._left <= 0:
            self._tell(f'{reason}: no more black boxes are written in this run')
            return
        self._left -= 1
        now = datetime.datetime.now()
        words = re.sub(r'[^a-z0-9]+', '-', reason.lower())[:NAME_LENGTH].strip('-')
        folder = self._folder / f'{now:%Y%m%d-%H%M%S-%f}-{words}'
        contents, topics = self._box.contents(), self._box.topics
        thread = threading.Thread(
            target=self._write, args=(folder, reason, topics, contents), name='black box'
        )
        self._threads.append(thread)
        thread.start()

    def _write(self, folder: Path, reason: str, topics: dict, contents: list) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with BagWriter(folder, custom={'fault': reason}) as bag:
                for name, (type_name, qos) in topics.items():
                    bag.add_topic(name, type_name, qos)
                for topic, log_ns, publish_ns, data in contents:
                    bag.write(topic, log_ns, data, publish_ns)
        except (UserError, OSError) as error:
            self._tell(f'{reason}: the black box could not be written: {error}')
        else:
            self.written.append(folder)
            self._tell(f'{reason}: black box of {len(contents)} messages in {folder}')
