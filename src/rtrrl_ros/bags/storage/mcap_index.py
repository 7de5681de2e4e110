"""What an .mcap file holds and where: from the index at its end, or found out without it.

A recorder that was killed leaves no index. Such a file is read once from its beginning, up to where
it stops making sense.
"""

import dataclasses
import io
import struct
from typing import IO

from mcap.data_stream import ReadDataStream
from mcap.exceptions import McapError
from mcap.opcode import Opcode
from mcap.records import Channel as McapChannel
from mcap.records import ChunkIndex, Footer, Schema, Statistics

from ..contract import Channel, DamagedFileError
from ..message_types import full_type_name
from .mcap_blocks import (
    HEAD,
    MAGIC,
    MESSAGE,
    Block,
    block_content,
    chunk_block,
    cut_off,
    read_at,
    run_block,
    walk,
)
from .metadata import parse_qos

#: a run of messages outside chunks is divided into blocks of about so many bytes
RUN_BYTES = 1 << 20
_FOOTER_BYTES = HEAD.size + 20 + len(MAGIC)
#: what may stand outside chunks and belongs to a run of messages
_LOOSE = (Opcode.MESSAGE, Opcode.SCHEMA, Opcode.CHANNEL)
#: the opcodes of the format, and those for private use; another one is no record
_OPCODES = {*range(0x01, 0x10), *range(0x80, 0x100)}


@dataclasses.dataclass
class McapIndex:
    """Contents of one file; see `StorageFile` for the fields that are not explained here."""

    channels: dict[int, Channel] = dataclasses.field(default_factory=dict)
    counts: dict[int, int] = dataclasses.field(default_factory=dict)
    definitions: dict[str, tuple[str, str]] = dataclasses.field(default_factory=dict)
    blocks: list[Block] = dataclasses.field(default_factory=list)
    schemas: dict[int, Schema] = dataclasses.field(default_factory=dict)
    incomplete: str = ''

    def declare(self, opcode: int, body: bytes) -> None:
        """Take note of a schema or a channel; `DamagedFileError` where it cannot be read."""
        try:
            if opcode == Opcode.SCHEMA:
                schema = Schema.read(_stream(body))
                self.schemas[schema.id] = schema
                if schema.encoding in ('ros2msg', 'ros2idl', 'omgidl'):
                    text = schema.data.decode()
                    self.definitions[full_type_name(schema.name)] = (schema.encoding, text)
            elif opcode == Opcode.CHANNEL:
                channel = McapChannel.read(_stream(body))
                known = self.schemas.get(channel.schema_id)
                self.channels[channel.id] = Channel(
                    channel.topic,
                    full_type_name(known.name) if known else 'unknown',
                    channel.message_encoding,
                    parse_qos(channel.metadata.get('offered_qos_profiles')),
                )
        except (McapError, struct.error, UnicodeDecodeError) as error:
            raise DamagedFileError('damaged: a topic cannot be read') from error

    def take(self, file: IO[bytes], block: Block) -> None:
        """Look through a block, and keep it if it has messages."""
        content = block_content(file, block)
        times = []
        for opcode, begin, end in walk(content):
            if opcode == Opcode.MESSAGE:
                number, _, log_ns, _ = MESSAGE.unpack_from(content, begin)
                if number in self.channels:
                    self.counts[number] = self.counts.get(number, 0) + 1
                    times.append(log_ns)
            else:
                self.declare(opcode, content[begin:end])
        if times:
            self.blocks.append(block._replace(start_ns=min(times), end_ns=max(times)))


def read_index(file: IO[bytes], size: int) -> McapIndex:
    """The contents of a file of `size` bytes."""
    try:
        index = _from_summary(file, size)
    except (McapError, DamagedFileError, struct.error, UnicodeDecodeError, OverflowError):
        index = None  # an index that cannot be read is as good as none
    return index or _from_scan(file, size)


def _from_summary(file: IO[bytes], size: int) -> McapIndex | None:
    """From the index at the end; None unless everything is in it."""
    end = read_at(file, max(size - _FOOTER_BYTES, 0), _FOOTER_BYTES)
    if len(end) < _FOOTER_BYTES or not end.endswith(MAGIC) or end[0] != Opcode.FOOTER:
        return None
    summary_start = Footer.read(_stream(end[HEAD.size : -len(MAGIC)])).summary_start
    if not len(MAGIC) < summary_start < size:
        return None
    content = read_at(file, summary_start, size - _FOOTER_BYTES - summary_start)
    index, statistics = McapIndex(), None
    for opcode, begin, stop in walk(content):
        body = content[begin:stop]
        if opcode == Opcode.STATISTICS:
            statistics = Statistics.read(_stream(body))
        elif opcode == Opcode.CHUNK_INDEX:
            entry = ChunkIndex.read(_stream(body))
            index.blocks.append(chunk_block(file, entry.chunk_start_offset))
        else:
            index.declare(opcode, body)
    if statistics is None:
        return None
    index.counts = dict(statistics.channel_message_counts)
    whole = (
        statistics.chunk_count == len(index.blocks)
        and statistics.message_count == sum(index.counts.values())
        and index.counts.keys() <= index.channels.keys()
        and bool(index.blocks) == bool(statistics.message_count)
    )
    return index if whole else None


def _from_scan(file: IO[bytes], size: int) -> McapIndex:
    """From reading the file from its beginning, as far as that goes."""
    index = McapIndex()
    try:
        _scan(file, size, index)
    except DamagedFileError as error:
        index.incomplete = str(error)
    return index


def _scan(file: IO[bytes], size: int, index: McapIndex) -> None:
    """Fill the index; `DamagedFileError` says where and why that ended early."""
    position = len(MAGIC)
    run = None  # where the present run of loose records began
    while True:
        fault, opcode, end = _next_record(file, size, position)
        loose = not fault and opcode in _LOOSE
        if run is not None and (not loose or position - run >= RUN_BYTES):
            index.take(file, run_block(run, position))
            run = None
        if fault:
            if opcode == Opcode.CHUNK:
                index.take(file, _rest_of_chunk(file, size, position))
            raise DamagedFileError(fault)
        if opcode in (Opcode.DATA_END, Opcode.FOOTER):
            return
        if loose and run is None:
            run = position
        elif opcode == Opcode.CHUNK:
            index.take(file, chunk_block(file, position))
        position = end


def _next_record(file: IO[bytes], size: int, position: int) -> tuple[str, int, int]:
    """What is wrong with the record at `position` ('' if nothing), its opcode and its end."""
    head = read_at(file, position, HEAD.size)
    if len(head) < HEAD.size:
        return cut_off(position), 0, size
    opcode, length = HEAD.unpack(head)
    end = position + HEAD.size + length
    if opcode not in _OPCODES:
        return f'damaged at byte {position}', 0, size
    return cut_off(position) if end > size else '', opcode, end


def _rest_of_chunk(file: IO[bytes], size: int, position: int) -> Block:
    """The whole records of a chunk that is cut off; none where it is compressed."""
    block = chunk_block(file, position)
    whole = 0
    if not block.compression:
        try:
            for _, _, end in walk(read_at(file, block.offset, size - block.offset)):
                whole = end
        except DamagedFileError:
            pass  # the record that the end of the file cuts
    return run_block(block.offset, block.offset + whole)


def _stream(body: bytes) -> ReadDataStream:
    return ReadDataStream(io.BytesIO(body))
