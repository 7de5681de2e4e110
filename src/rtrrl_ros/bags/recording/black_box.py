"""The last seconds of everything, in memory, for the moment when something has gone wrong."""

from collections import deque
from collections.abc import Iterable, Sequence

from ..contract import Qos
from .recorder import Arrival

BUFFER_BYTES = 512 << 20
_S_NS = 1_000_000_000


class BlackBox:
    """A ring of messages.

    Parameters
    ----------
    seconds : how far back it reaches
    buffer_bytes : and how much it takes at most; then it reaches back less far
    """

    def __init__(self, seconds: float, buffer_bytes: int = BUFFER_BYTES) -> None:
        self._length_ns = round(seconds * _S_NS)
        self._buffer_bytes = buffer_bytes
        self._ring: deque[Arrival] = deque()
        self._bytes = 0
        self._topics: dict[str, tuple[str, tuple[Qos, ...]]] = {}
        self._latched: dict[str, Arrival] = {}

    def add_topic(self, name: str, type_name: str, qos: Sequence[Qos]) -> None:
        """Declare a topic before its first message.

        Of one whose publishers keep a message for those who come late, the last one that fell out
        of the ring is remembered: it still holds.
        """
        self._topics[name] = (type_name, tuple(qos))

    def add(self, arrivals: Iterable[Arrival]) -> None:
        """Take messages in, and let go of those that are too old."""
        ring = self._ring
        for arrival in arrivals:
            ring.append(arrival)
            self._bytes += len(arrival.data)
        if not ring:
            return
        oldest_ns = ring[-1].log_ns - self._length_ns
        while ring[0].log_ns < oldest_ns or self._bytes > self._buffer_bytes:
            gone = ring.popleft()
            self._bytes -= len(gone.data)
            if any(qos.durability == 'transient_local' for qos in self._topics[gone.topic][1]):
                self._latched[gone.topic] = gone
            if not ring:
                break

    def contents(self) -> list[Arrival]:
        """What is in it, oldest first; what still held at the beginning is logged there."""
        ring = list(self._ring)
        if not ring:
            return []
        start_ns = ring[0].log_ns
        return [gone._replace(log_ns=start_ns) for gone in self._latched.values()] + ring

    @property
    def topics(self) -> dict[str, tuple[str, tuple[Qos, ...]]]:
        """Type and qualities of service by topic."""
        return dict(self._topics)
