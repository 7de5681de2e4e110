"""Reading a recording: `open_bag` takes whatever it is given and says what is wrong in one line.

    with open_bag('drive') as bag:
        require(bag, {'/features': 'rtrrl_msgs/msg/Features'})
        for record in bag.records(topics=['/features']):
            features = bag.message(record).data

A folder with metadata.yaml is read, and one without, and a single file: mcap or sqlite3, split,
compressed, cut off by a crash. Messages are streamed: a bag may be larger than the memory.
"""

import contextlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ..errors import UserError
from .contract import DamagedFileError, Qos, Record, Source, StorageFile, Topic
from .message_types import MessageTypes
from .storage.files import open_storage, storage_paths
from .storage.merging import merged
from .storage.metadata import parse_qos

__all__ = ['Bag', 'Qos', 'Record', 'Topic', 'open_bag', 'require']

#: longer than any recording
_ALWAYS = (0, (1 << 64) - 1)


class Bag:
    """An open recording; made by `open_bag`.

    Parameters
    ----------
    path : what was opened
    files : its storage files by name, in their order
    metadata : the contents of metadata.yaml; {} where there is none
    faults : what is already known to be wrong with it

    Attributes
    ----------
    incomplete : '' or one line that says why the bag is not whole: cut off, a split missing, ...
    topics : by name
    start_ns, end_ns : log time of the first and of the last message; both 0 in an empty bag
    types : the message types, as the bag defines them
    custom : what the recorder noted about the recording, {name: text}
    """

    def __init__(
        self,
        path: Path,
        files: Sequence[tuple[str, StorageFile]],
        metadata: Mapping[str, Any],
        faults: Sequence[str],
    ) -> None:
        self.path = path
        self._files = files
        self.topics = _topics([file for _, file in files], metadata)
        filled = [file for _, file in files if any(file.counts.values())]
        self.start_ns = min((file.start_ns for file in filled), default=0)
        self.end_ns = max((file.end_ns for file in filled), default=0)
        definitions: dict[str, tuple[str, str]] = {}
        for _, file in files:
            definitions |= file.definitions
        self.types = MessageTypes(definitions)
        self.custom = {str(k): str(v) for k, v in (metadata.get('custom_data') or {}).items()}
        self._encodings = {
            channel.topic: channel.encoding
            for _, file in files
            for channel in file.channels.values()
            if channel.encoding != 'cdr'
        }
        count = sum(topic.count for topic in self.topics.values())
        promised = metadata.get('message_count', count)
        faults = [
            *faults,
            *(f'{name}: {file.incomplete}' for name, file in files if file.incomplete),
        ]
        if not faults and promised != count:
            faults.append(f'metadata.yaml speaks of {promised} messages, there are {count}')
        self.incomplete = '; '.join(faults)

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

        Raises
        ------
        UserError
            the bag turns out to be damaged in its midst
        """
        bounds = (
            _ALWAYS[0] if start_ns is None else start_ns,
            _ALWAYS[1] if end_ns is None else end_ns,
        )
        sources = (
            Source(source.start_ns, partial(self._named, name, source))
            for name, file in self._files
            for source in file.sources(topics, *bounds)
        )
        return merged(sources)

    def _named(self, name: str, source: Source) -> Iterator[Record]:
        """The records of a source; what is wrong with it is said with the name of its file."""
        try:
            yield from source.records()
        except DamagedFileError as error:
            raise UserError(f'{self.path}: {name}: {error}') from error

    def message(self, record: Record) -> Any:
        """The message of a record: attributes as in ROS, arrays of numbers as NumPy arrays.

        Raises
        ------
        UserError
            its type is known nowhere, or its bytes are not of its type
        """
        try:
            encoding = self._encodings.get(record.topic)
            if encoding is not None:
                raise UserError(f'messages are encoded as {encoding!r}; only cdr can be read')
            return self.types.deserialize(record.data, record.type)
        except UserError as error:
            raise UserError(f'{self.path}: {record.topic}: {error}') from error


def _topics(files: Sequence[StorageFile], metadata: Mapping[str, Any]) -> dict[str, Topic]:
    counts: dict[str, int] = {}
    types: dict[str, list[str]] = {}
    qos: dict[str, tuple[Qos, ...]] = {}
    for file in files:
        for number, channel in file.channels.items():
            name = channel.topic
            counts[name] = counts.get(name, 0) + file.counts.get(number, 0)
            if channel.type not in types.setdefault(name, []):
                types[name].append(channel.type)
            qos[name] = qos.get(name) or channel.qos
    for entry in metadata.get('topics_with_message_count') or ():
        with contextlib.suppress(KeyError, TypeError, AttributeError):
            about = entry['topic_metadata']
            if not qos.get(about['name']):
                qos[about['name']] = parse_qos(about['offered_qos_profiles'])
    return {
        name: Topic(name, ' and '.join(types[name]), counts[name], qos[name])
        for name in sorted(counts)
    }


@contextlib.contextmanager
def open_bag(path: Path | str) -> Iterator[Bag]:
    """Open a bag for reading.

    Parameters
    ----------
    path : folder of a bag, or one .mcap or .db3 file

    Raises
    ------
    UserError
        there is no bag there, or nothing of it can be read
    """
    path = Path(path)
    with contextlib.ExitStack() as stack:
        try:
            paths, metadata, faults = storage_paths(path)
        except OSError as error:
            raise UserError(f'{path}: {error.strerror}') from error
        files: list[tuple[str, StorageFile]] = []
        for file in paths:
            try:
                files.append((file.name, open_storage(file, stack)))
            except DamagedFileError as error:
                faults.append(str(error) if file == path else f'{file.name}: {error}')
        if not files:
            raise UserError(f'{path}: no bag that can be read: {"; ".join(faults)}')
        yield Bag(path, files, metadata, faults)


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
        has = ', '.join(bag.topics) or 'no topic at all'
        raise UserError(f'{bag.path}: {"; ".join(faults)}; the bag has {has}')
