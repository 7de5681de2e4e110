"""Writing a recording: messages as the middleware delivered them, into a folder of .mcap files.

    with BagWriter('drive') as bag:
        bag.add_topic('/features', 'rtrrl_msgs/msg/Features')
        bag.write('/features', log_ns, cdr)

The folder is what `ros2 bag` writes and reads. A process that is killed loses what came after the
last `flush`; `write` flushes when `CHUNK_BYTES` have come together, and after `FLUSH_S`.
"""

import contextlib
import dataclasses
import errno
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from ..errors import UserError
from .contract import Qos
from .message_types import MessageTypes
from .storage.mcap_writing import COMPRESSIONS, McapWriter
from .storage.metadata import WrittenFile, qos_text, write_metadata

#: messages are written once so many bytes have come together, or so much time has passed
CHUNK_BYTES = 1 << 20
FLUSH_S = 0.4
#: a recording stops before it takes the last of the disk, which others need too
LEAST_FREE_BYTES = 100 << 20

_FULL = {errno.ENOSPC: 'the disk is full', errno.EDQUOT: 'the disk quota is used up'}


@dataclasses.dataclass(frozen=True)
class _Topic:
    """What is known of a topic."""

    type: str
    qos: tuple[Qos, ...]
    definition: str
    hash: str


class BagWriter:
    """A new bag.

    Parameters
    ----------
    folder : is made; must not exist
    split_bytes : begin a new file when one has about this size; 0: never
    compression : 'none' or 'zstd'; chunk by chunk, so that the bag is readable at any moment
    custom : what is noted about the recording in metadata.yaml, {name: text}
    least_free_bytes : stop when the disk has less left

    Attributes
    ----------
    count, size : messages and bytes that are in files
    closed : nothing more can be written

    Raises
    ------
    UserError
        by any method: the bag cannot be written, or not any more. It is then closed, and what was
        flushed is whole
    """

    def __init__(
        self,
        folder: Path | str,
        *,
        split_bytes: int = 0,
        compression: str = 'none',
        custom: Mapping[str, str] | None = None,
        least_free_bytes: int = LEAST_FREE_BYTES,
    ) -> None:
        if compression not in COMPRESSIONS:
            raise UserError(f'compression {compression!r}: one of {", ".join(COMPRESSIONS)}')
        self.folder = Path(folder)
        self._split_bytes, self._compression = split_bytes, compression
        self._custom = dict(custom or {})
        self._least_free_bytes = least_free_bytes
        self._types = MessageTypes()
        self._topics: dict[str, _Topic] = {}
        self._files: list[McapWriter] = []  # the last one is being written
        self.closed = False
        self._flushed_s = time.monotonic()
        try:
            self.folder.mkdir()
            self._begin_file()
        except FileExistsError:
            raise UserError(f'{folder}: exists already; name a new folder') from None
        except OSError as error:
            raise UserError(f'{folder}: cannot be written ({error.strerror})') from error

    @property
    def count(self) -> int:
        return sum(sum(file.counts.values()) for file in self._files)

    @property
    def size(self) -> int:
        return sum(file.size for file in self._files)

    def prepare(self, type_name: str) -> None:
        """Look a type up before it is needed, which takes a moment; one that is unknown may be."""
        with contextlib.suppress(UserError):
            self._types.definition(type_name)

    def add_topic(
        self, name: str, type_name: str, qos: Sequence[Qos] = (), need_definition: bool = False
    ) -> None:
        """Declare a topic; doing it again with the same type changes nothing.

        Parameters
        ----------
        qos : what its publishers offer
        need_definition : `UserError` where the definition of the type is not known; else the
            topic is recorded without, and read where the type is known
        """
        known = self._topics.get(name)
        if known is not None:
            if known.type != type_name:
                raise UserError(f'{name} is {known.type}, and cannot be {type_name} as well')
            return
        definition, digest = '', ''
        try:
            definition, digest = self._types.definition(type_name)
        except UserError:
            if need_definition:
                raise
        self._topics[name] = _Topic(type_name, tuple(qos), definition, digest)
        self._declare(name)

    def _declare(self, name: str) -> None:
        """Make a topic known in the present file, where it then stands even if it is silent."""
        topic = self._topics[name]
        metadata = {'topic_type_hash': topic.hash, 'offered_qos_profiles': qos_text(topic.qos)}
        self._files[-1].add_channel(name, topic.type, topic.definition, metadata)

    def write(self, topic: str, log_ns: int, data: bytes, publish_ns: int | None = None) -> None:
        """Add a message.

        Parameters
        ----------
        topic : one that was added
        log_ns : when it was received; not negative
        data : CDR
        publish_ns : when it was sent; None: the same
        """
        if self.closed:
            raise UserError(f'{self.folder}: is closed')
        file = self._files[-1]
        sent_ns = log_ns if publish_ns is None else publish_ns
        file.add(file.channels[topic], log_ns, sent_ns, data)
        if file.pending >= CHUNK_BYTES or time.monotonic() - self._flushed_s >= FLUSH_S:
            self.flush()

    def flush(self) -> None:
        """Write what was added, after which the end of the process cannot take it back."""
        self._flushed_s = time.monotonic()
        file = self._files[-1]
        if self.closed or not file.pending:
            return
        try:
            left = os.statvfs(self.folder)
            if left.f_bavail * left.f_frsize < self._least_free_bytes + file.pending:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            file.flush()
            if self._split_bytes and file.size >= self._split_bytes:
                file.close()
                self._begin_file()
        except OSError as error:
            self._close()
            why = _FULL.get(error.errno or 0, f'cannot be written ({error.strerror})')
            raise UserError(
                f'{self.folder}: {why}; stopped, its {self.count} messages are whole'
            ) from error

    def sync(self) -> None:
        """Wait until what was flushed would survive the loss of power; from any thread."""
        if not self.closed:
            self._files[-1].sync()

    def close(self) -> None:
        """Write what is left, and what readers look at first; a second call does nothing."""
        if not self.closed:
            self.flush()
            self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _count(self, topic: str) -> int:
        return sum(file.counts.get(file.channels.get(topic, 0), 0) for file in self._files)

    def _begin_file(self) -> None:
        name = f'{self.folder.resolve().name}_{len(self._files)}.mcap'
        self._files.append(McapWriter(self.folder / name, self._compression))
        for topic in self._topics:
            self._declare(topic)

    def _close(self) -> None:
        """Finish the files as well as the disk allows; they can be read in any case."""
        self.closed = True
        with contextlib.suppress(OSError):
            self._files[-1].close()
        written = [
            WrittenFile(file.name, file.start_ns, file.end_ns, sum(file.counts.values()))
            for file in self._files
        ]
        topics = [
            {
                **dataclasses.asdict(topic),
                'qos': topic.qos,
                'name': name,
                'count': self._count(name),
            }
            for name, topic in self._topics.items()
        ]
        with contextlib.suppress(OSError):
            write_metadata(self.folder, written, topics, self._custom)
