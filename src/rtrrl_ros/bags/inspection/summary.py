"""Everything about a bag in one pass over it, in memory that does not grow with its length."""

import dataclasses
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from ...errors import UserError
from ..reading import Bag, Record
from . import kinds
from .accumulators import S_NS, TimeBins
from .driving import CommandSummary
from .events import EventSummary
from .laps import Path, RewardLaps
from .readiness import Use, remarks, uses
from .stamps import StampReader
from .timing import TopicTiming

#: messages between two reports of progress
_PROGRESS = 2000
#: what takes a message, its record and its stamp in ns, if it has one
Handler = Callable[[Any, Record, int | None], None]


class Listener(Protocol):
    """Somebody else who wants messages of the same pass."""

    #: names of the topics to hear
    topics: Sequence[str]

    def add(self, message: Any, record: Record, stamp_ns: int | None) -> None:
        """Take a message of one of these topics."""


@dataclasses.dataclass
class Summary:
    """What `summarise` found.

    Attributes
    ----------
    path : of the bag
    incomplete : '' or why it is not whole
    bins : of log time, which all series in the parts refer to
    topics : in order of name
    events : None where no topic holds event packets
    commands : by topic
    laps, path_driven : None where nothing tells
    """

    path: str
    incomplete: str
    start_ns: int
    end_ns: int
    bins: TimeBins
    topics: list[TopicTiming]
    events: EventSummary | None
    commands: dict[str, CommandSummary]
    laps: RewardLaps | None
    path_driven: Path | None
    uses: list[Use]
    remarks: list[str]

    @property
    def duration_s(self) -> float:
        return (self.end_ns - self.start_ns) / S_NS

    def to_json(self) -> dict[str, Any]:
        """The document of `rtrrl inspect --json`: numbers, no NaN."""
        document: dict[str, Any] = {
            'bag': self.path, 'incomplete': self.incomplete,
            'start_ns': self.start_ns, 'duration_s': self.duration_s,
            'topics': [timing.to_json() for timing in self.topics],
        }  # fmt: skip
        if self.events is not None:
            document['events'] = self.events.to_json()
        document['commands'] = {name: c.to_json() for name, c in self.commands.items()}
        if self.laps is not None:
            document['laps'] = self.laps.to_json()
        if self.path_driven is not None:
            document['odometry'] = {
                'driven_m': self.path_driven.driven_m, 'laps_s': self.path_driven.laps_s
            }  # fmt: skip
        document['uses'] = {use.name: {'missing': use.missing} for use in self.uses}
        document['remarks'] = self.remarks
        return _finite(document)


def _finite(value: Any) -> Any:
    """The same document with null for what a recording gave as NaN or infinite."""
    if isinstance(value, dict):
        return {name: _finite(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


class _Pass:
    """The state of one pass over a bag."""

    def __init__(self, bag: Bag, listeners: Sequence[Listener]) -> None:
        self.bag = bag
        self.bins = TimeBins(bag.start_ns, bag.end_ns)
        self.topics = {
            name: TopicTiming(name, topic.type, self.bins) for name, topic in bag.topics.items()
        }
        self._stamps = {name: StampReader() for name in bag.topics}
        self._sensed_ns: int | None = None
        self._seq: dict[str, int] = {}
        self.events: EventSummary | None = None
        self.laps: RewardLaps | None = None
        self.path: Path | None = None
        # of several topics of one type the fullest one: the others may be views of it
        events = kinds.of_type(bag.topics, kinds.EVENTS)[:1]
        images = kinds.of_type(bag.topics, kinds.IMAGE)
        rewards = kinds.of_type(bag.topics, kinds.REWARD) or kinds.of_type(bag.topics, kinds.STATE)
        odometry = kinds.of_type(bag.topics, kinds.ODOMETRY)[:1]
        self.commands = {
            name: CommandSummary(name)
            for kind in (kinds.COMMAND, kinds.EXECUTED)
            for name in sorted(kinds.of_type(bag.topics, kind))
        }
        self._sensors = {*events, *(images if not events else ())}
        self._handlers: dict[str, list[Handler]] = {}
        if events:
            self._hear_events(EventSummary(events[0], self.bins))
        for command in self.commands.values():
            self._hear_commands(command)
        for name in kinds.of_type(bag.topics, kinds.FEATURES):
            self._hear(name, self._on_features)
        if rewards:
            self.laps = RewardLaps()
            self._hear_timed(rewards[0], self.laps.add)
        if odometry:
            self.path = Path()
            self._hear_timed(odometry[0], self.path.add)
        for listener in listeners:
            for name in listener.topics:
                self._hear(name, listener.add)

    def _hear(self, topic: str, handler: Handler) -> None:
        self._handlers.setdefault(topic, []).append(handler)

    def _hear_events(self, events: EventSummary) -> None:
        self.events = events
        self._hear(events.topic, lambda m, record, stamp: events.add(m, record.log_ns, stamp))

    def _hear_commands(self, command: CommandSummary) -> None:
        self._hear(command.topic, lambda m, record, stamp: command.add(m, stamp, self._sensed_ns))

    def _hear_timed(self, topic: str, add: Callable[[Any, int], None]) -> None:
        """For whoever needs one time of each message: its stamp, or else when it was recorded."""
        self._hear(
            topic, lambda m, record, stamp: add(m, record.log_ns if stamp is None else stamp)
        )

    def _on_features(self, message: Any, record: Record, stamp_ns: int | None) -> None:
        """A gap of seq means that features were lost; 0 is a new encoder."""
        timing, seq = self.topics[record.topic], int(message.seq)
        before = self._seq.get(record.topic)
        if before is not None and seq > before + 1:
            timing.lost = (timing.lost or 0) + seq - before - 1
        timing.lost = timing.lost or 0
        self._seq[record.topic] = seq

    def take(self, record: Record) -> None:
        timing, reader = self.topics[record.topic], self._stamps[record.topic]
        handlers = self._handlers.get(record.topic, ())
        message = None
        if (handlers or reader.needs_message) and record.type == timing.kind:
            try:
                message = self.bag.message(record)
            except UserError:
                timing.damaged += bool(handlers)
                reader.fail()
            else:
                reader.learn(message)
        stamp_ns = reader.read(record.data)
        timing.add(record.log_ns, stamp_ns)
        if record.topic in self._sensors and stamp_ns is not None:
            self._sensed_ns = stamp_ns
        if message is not None:
            for handler in handlers:
                handler(message, record, stamp_ns)


def summarise(
    bag: Bag,
    listeners: Sequence[Listener] = (),
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Summary:
    """Read a bag once.

    Parameters
    ----------
    listeners : get the messages of their topics on the way
    on_progress : called with messages read and messages there are, now and then
    """
    state = _Pass(bag, listeners)
    total = sum(topic.count for topic in bag.topics.values())
    faults = [bag.incomplete] if bag.incomplete else []
    for done, record in enumerate(_readable(bag, faults), start=1):
        state.take(record)
        if done % _PROGRESS == 0:
            on_progress(done, max(done, total))
    topics = [state.topics[name] for name in sorted(state.topics)]
    if state.events is not None:
        state.topics[state.events.topic].lost = state.events.lost_packets
    laps = None
    if state.laps is not None:
        laps = len(state.laps.recorder.laps)
    elif state.path is not None:
        laps = len(state.path.laps_s)
    lines = faults + kinds.wrong_types(bag.topics)
    return Summary(
        str(bag.path), '; '.join(faults), bag.start_ns, bag.end_ns, state.bins, topics,
        state.events, state.commands, state.laps, state.path,
        uses(topics, state.events, state.commands),
        lines + remarks(topics, state.events, state.commands, laps),
    )  # fmt: skip


def _readable(bag: Bag, faults: list[str]) -> Iterator[Record]:
    """The records up to where the bag turns out to be damaged; then `faults` says why."""
    records = bag.records()
    while True:
        try:
            record = next(records, None)
        except UserError as error:
            faults.append(str(error))
            return
        if record is None:
            return
        yield record
