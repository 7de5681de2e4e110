"""One .mcap file of a bag, whole or cut off by a crash."""

import operator
from collections.abc import Collection, Iterator, Mapping
from functools import partial
from pathlib import Path

from mcap.opcode import Opcode

from ..contract import Channel, DamagedFileError, Record, Source
from .mcap_blocks import MAGIC, MESSAGE, Block, block_content, read_at, walk
from .mcap_index import read_index
from .zstd import unpacked


class McapFile:
    """See `StorageFile`.

    Raises
    ------
    DamagedFileError
        it is no MCAP file
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open('rb')
        try:
            magic = read_at(self._file, 0, len(MAGIC))
            if not MAGIC.startswith(magic):
                raise DamagedFileError('no MCAP file')
            index = read_index(self._file, path.stat().st_size)
        except BaseException:
            self.close()
            raise
        self.channels, self.counts = index.channels, index.counts
        self.definitions, self.incomplete = index.definitions, index.incomplete
        self._blocks = index.blocks
        self.start_ns = min((block.start_ns for block in self._blocks), default=0)
        self.end_ns = max((block.end_ns for block in self._blocks), default=0)

    def close(self) -> None:
        self._file.close()

    def sources(
        self, topics: Collection[str] | None, start_ns: int, end_ns: int
    ) -> Iterator[Source]:
        wanted = {
            number: channel
            for number, channel in self.channels.items()
            if (topics is None or channel.topic in topics) and self.counts.get(number)
        }
        if not wanted:
            return
        for block in self._blocks:
            if block.start_ns <= end_ns and block.end_ns >= start_ns:
                read = partial(self._records, block, wanted, start_ns, end_ns)
                yield Source(max(block.start_ns, start_ns), read)

    def _records(
        self, block: Block, wanted: Mapping[int, Channel], start_ns: int, end_ns: int
    ) -> Iterator[Record]:
        content = block_content(self._file, block)
        records = []
        for opcode, begin, end in walk(content):
            if opcode != Opcode.MESSAGE:
                continue
            number, _, log_ns, _ = MESSAGE.unpack_from(content, begin)
            channel = wanted.get(number)
            if channel is not None and start_ns <= log_ns <= end_ns:
                data = unpacked(content[begin + MESSAGE.size : end])
                records.append(Record(channel.topic, channel.type, log_ns, data))
        records.sort(key=operator.attrgetter('log_ns'))
        return iter(records)
