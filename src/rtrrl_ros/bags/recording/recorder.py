"""Recording while messages come in: whoever hands them over never waits for the disk.

Threads: one writes, in the order of what it is given, and nothing else touches the bag. Another
asks the system every `SYNC_S` to bring what was written to the disk, for the case that the power
goes; that may take long on a memory card, and writing goes on meanwhile.
"""

import queue
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from ...errors import UserError
from ..contract import Qos
from ..writing import FLUSH_S, BagWriter

#: what may wait for the disk; more is lost, and counted
BUFFER_BYTES = 256 << 20
SYNC_S = 2.0


class Arrival(NamedTuple):
    """A message as it came in.

    log_ns, publish_ns : when it was received and sent
    data : CDR
    """

    topic: str
    log_ns: int
    publish_ns: int
    data: bytes


class Recorder:
    """Writes what it is given to a bag, in a thread of its own.

    Parameters
    ----------
    bag : it belongs to the recorder from now on
    buffer_bytes : that may wait to be written

    Attributes
    ----------
    lost : messages that were not written, because the disk was too slow or writing has failed
    failure : why nothing is written any more, in one line; '' as long as all is well
    """

    def __init__(self, bag: BagWriter, buffer_bytes: int = BUFFER_BYTES) -> None:
        self._bag, self._buffer_bytes = bag, buffer_bytes
        self.lost = 0
        self.failure = ''
        self._waiting_bytes = 0
        self._lock = threading.Lock()
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._ended = threading.Event()
        self._writing = threading.Thread(target=self._run, name='bag', daemon=True)
        self._writing.start()
        threading.Thread(target=self._sync, name='bag sync', daemon=True).start()

    @property
    def count(self) -> int:
        """Messages in the bag's files."""
        return self._bag.count

    @property
    def size(self) -> int:
        """Bytes in the bag's files."""
        return self._bag.size

    def add_topic(self, name: str, type_name: str, qos: Sequence[Qos]) -> None:
        """Declare a topic before its first message."""
        self._work.put(partial(self._bag.add_topic, name, type_name, qos))

    def add(self, arrivals: Sequence[Arrival]) -> None:
        """Hand over messages; they are written soon, or counted as lost."""
        if not arrivals:
            return
        size = sum(len(arrival.data) for arrival in arrivals)
        with self._lock:
            if self.failure or self._waiting_bytes + size > self._buffer_bytes:
                self.lost += len(arrivals)
                return
            self._waiting_bytes += size
        self._work.put(partial(self._write, arrivals, size))

    def close(self) -> None:
        """Write what is waiting and end; a second call does nothing."""
        if not self._ended.is_set():
            self._ended.set()
            self._work.put(None)
            self._writing.join()

    def _write(self, arrivals: Sequence[Arrival], size: int) -> None:
        done = 0
        try:
            for topic, log_ns, publish_ns, data in arrivals:
                self._bag.write(topic, log_ns, data, publish_ns)
                done += 1
        finally:
            with self._lock:
                self._waiting_bytes -= size
                self.lost += len(arrivals) - done

    def _run(self) -> None:
        while True:
            try:
                work = self._work.get(timeout=FLUSH_S)
            except queue.Empty:
                work = self._bag.flush
            if work is None:
                break
            self._try(work)
        self._try(self._bag.close)

    def _try(self, work: Callable[[], None]) -> None:
        """Do it; the first failure is the one that is told."""
        try:
            work()
        except UserError as error:
            self.failure = self.failure or str(error)
        except Exception as error:  # whatever it is, recording must not end silently
            self.failure = self.failure or f'recording failed: {type(error).__name__}: {error}'

    def _sync(self) -> None:
        while not self._ended.wait(SYNC_S):
            self._bag.sync()
