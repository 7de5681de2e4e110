"""What a recording consists of, whatever file it lies in."""

import dataclasses
from collections.abc import Callable, Collection, Iterator
from typing import Protocol


@dataclasses.dataclass(frozen=True)
class Qos:
    """Quality of service that a publisher offered when it was recorded."""

    reliability: str  # 'reliable', 'best_effort' or 'unknown'
    durability: str  # 'volatile', 'transient_local' or 'unknown'
    depth: int = 10


@dataclasses.dataclass(frozen=True)
class Topic:
    """One topic of a bag.

    type : 'package/msg/Name'; of a topic that had several: all, with ' and ' between them
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


@dataclasses.dataclass(frozen=True)
class Channel:
    """One topic with one type in one file.

    encoding : of its messages; 'cdr' is what ROS 2 writes
    """

    topic: str
    type: str
    encoding: str = 'cdr'
    qos: tuple[Qos, ...] = ()


@dataclasses.dataclass(frozen=True)
class Source:
    """Records in the order of their log times, none before `start_ns`, read when asked for."""

    start_ns: int
    records: Callable[[], Iterator[Record]]


class StorageFile(Protocol):
    """One open file of a bag.

    Attributes
    ----------
    channels : in it, by a number that means nothing outside
    counts : messages by the same number; a channel without any may be left out
    start_ns, end_ns : log time of the first and of the last message; both 0 where there is none
    definitions : {type: (encoding, text)} of the messages, see `MessageTypes`
    incomplete : '' or why it is not whole
    """

    channels: dict[int, Channel]
    counts: dict[int, int]
    start_ns: int
    end_ns: int
    definitions: dict[str, tuple[str, str]]
    incomplete: str

    def sources(
        self, topics: Collection[str] | None, start_ns: int, end_ns: int
    ) -> Iterator[Source]:
        """Messages of these topics (None: all) with log times in [start_ns, end_ns]."""
        ...

    def close(self) -> None:
        """Let the file go."""
        ...


class DamagedFileError(Exception):
    """A file, or a part of it, that cannot be read; the text says why, without the path."""
