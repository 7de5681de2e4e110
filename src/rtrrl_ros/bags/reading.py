"""Reading a recording: `open_bag` takes whatever it is given and says what is wrong in one line.

    with open_bag('drive') as bag:
        require(bag, {'/features': 'rtrrl_msgs/msg/Features'})
        for record in bag.records(topics=['/features']):
            features = bag.message(record).data

A folder with metadata.yaml is read, and a single .mcap or .db3 file. Messages are streamed: a bag
may be larger than the memory.
"""

import contextlib
import dataclasses
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from ..errors import UserError
from .message_types import MessageTypes


@dataclasses.dataclass(frozen=True)
class Qos:
    """Quality of service that a publisher offered when it was recorded."""

    reliability: str  # 'reliable', 'best_effort' or 'unknown'
    durability: str  # 'volatile', 'transient_local' or 'unknown'
    depth: int = 10


@dataclasses.dataclass(frozen=True)
class Topic:
    """One topic of a bag.

    type : 'package/msg/Name'
    count : messages that can be read
    qos : what its publishers offered; empty where the bag does not say
    """

    name: str
    type: str
    count: int
    qos: tuple[Qos, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Record:
    """One message as it was recorded.

    log_ns : when the recorder received it, ns since 1970 (or simulated time)
    data : CDR
    """

    topic: str
    type: str
    log_ns: int
    data: bytes


class Bag:
    """An open recording; made by `open_bag`.

    Attributes
    ----------
    path : what was opened
    incomplete : '' or one line that says why the bag is not whole: cut off, a split missing, ...
    topics : by name
    start_ns, end_ns : log time of the first and of the last message; both 0 in an empty bag
    types : the message types, as the bag defines them
    """

    def __init__(self, path: Path, reader: Any) -> None:
        self.path = path
        self.incomplete = ''
        self._reader = reader
        self.topics = {
            name: Topic(
                name, info.msgtype or 'several', info.msgcount,
                tuple(
                    Qos(q.reliability.name.lower(), q.durability.name.lower(), q.depth)
                    for connection in info.connections
                    for q in connection.ext.offered_qos_profiles
                ),
            )
            for name, info in reader.topics.items()
        }  # fmt: skip
        empty = not reader.message_count
        self.start_ns = 0 if empty else reader.start_time
        self.end_ns = 0 if empty else reader.end_time - 1
        self.types = MessageTypes(
            {
                c.msgtype: (
                    'ros2idl' if c.msgdef.format.name == 'IDL' else 'ros2msg',
                    c.msgdef.data,
                )
                for c in reader.connections
                if c.msgdef.format.name != 'NONE'
            }
        )

    def records(
        self,
        topics: Collection[str] | None = None,
        start_ns: int | None = None,
        end_ns: int | None = None,
    ) -> Iterator[Record]:
        """Messages in the order of their log times, those of one time as they were written.

        Parameters
        ----------
        topics : only these; None: all
        start_ns, end_ns : only log times in [start_ns, end_ns]; None: no bound
        """
        wanted = [c for c in self._reader.connections if topics is None or c.topic in topics]
        if not wanted:
            return
        stop = None if end_ns is None else end_ns + 1
        for connection, log_ns, data in self._reader.messages(wanted, start_ns, stop):
            yield Record(connection.topic, connection.msgtype, log_ns, bytes(data))

    def message(self, record: Record) -> Any:
        """The message of a record: attributes as in ROS, arrays of numbers as NumPy arrays."""
        return self.types.deserialize(record.data, record.type)


@contextlib.contextmanager
def open_bag(path: Path | str) -> Iterator[Bag]:
    """Open a bag for reading.

    Raises
    ------
    UserError
        there is no bag there, or nothing of it can be read
    """
    from rosbags.rosbag2 import Reader, ReaderError

    path = Path(path)
    if not path.exists():
        raise UserError(f'{path}: no such file or folder')
    try:
        reader = Reader(path)
        reader.open()
    except (ReaderError, OSError) as error:
        raise UserError(f'{path}: no bag that can be read ({error})') from error
    try:
        yield Bag(path, reader)
    finally:
        reader.close()


def require(bag: Bag, topics: Mapping[str, str]) -> None:
    """Raise `UserError` unless the bag has these topics with these types.

    Parameters
    ----------
    topics : {name: 'package/msg/Name'}
    """
    faults = []
    for name, type_name in topics.items():
        if name not in bag.topics:
            faults.append(f'no topic {name} ({type_name})')
        elif bag.topics[name].type != type_name:
            faults.append(f'{name} holds {bag.topics[name].type}, not {type_name}')
    if faults:
        has = ', '.join(sorted(bag.topics)) or 'nothing'
        raise UserError(f'{bag.path}: {"; ".join(faults)}; the bag has {has}')
