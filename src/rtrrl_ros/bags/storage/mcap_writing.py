"""One .mcap file, written so that it can be read at any moment.

Messages are collected in a chunk. `flush` writes the chunk and its index in one piece, after which
a killed process loses none of it; it succeeds or leaves the file as it was, so that a full disk
cannot leave half a chunk behind.
"""

import contextlib
import io
import os
import struct
import sys
import zlib
from array import array
from pathlib import Path

import zstandard
from mcap.data_stream import RecordBuilder
from mcap.opcode import Opcode
from mcap.records import (
    Channel,
    ChunkIndex,
    DataEnd,
    Footer,
    Header,
    McapRecord,
    Schema,
    Statistics,
)

from .chunk_buffer import ChunkBuffer
from .mcap_blocks import MAGIC

COMPRESSIONS = ('none', 'zstd')
#: the fastest of zstd's usual levels; the next ones gain little on events
ZSTD_LEVEL = 1
#: opcode, length; channel, sequence number, log time, publish time
_MESSAGE = struct.Struct('<BQHIQQ')
_MESSAGE_BYTES = _MESSAGE.size - 9
#: opcode, length; first and last log time, size, checksum, length of the compression's name
_CHUNK = struct.Struct('<BQQQQII')
_SIZE = struct.Struct('<Q')
#: opcode, length; channel, bytes of (log time, offset) pairs
_INDEX = struct.Struct('<BQHI')


class McapWriter:
    """A new file; fails with `FileExistsError` where there is one.

    Parameters
    ----------
    path : of the file
    compression : one of `COMPRESSIONS`

    Attributes
    ----------
    channels : {topic: number}
    name : of the file
    size : bytes in the file
    pending : bytes that the next `flush` will write, before compression
    counts : {channel: messages} in the file
    start_ns, end_ns : first and last log time in the file; both 0 while there is none
    """

    def __init__(self, path: Path, compression: str = 'none') -> None:
        self.name = path.name
        self._compressor = (
            zstandard.ZstdCompressor(level=ZSTD_LEVEL) if compression == 'zstd' else None
        )
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        self._closed = False
        self.size = 0
        self.channels: dict[str, int] = {}
        self.counts: dict[int, int] = {}
        self.start_ns = self.end_ns = 0
        self._schemas: list[Schema] = []
        self._channels: list[Channel] = []
        self._index: list[ChunkIndex] = []
        self._chunk = ChunkBuffer()
        self._offsets: dict[int, array[int]] = {}  # log time, offset, log time, ...
        try:
            self._write(MAGIC + _bytes(Header(profile='ros2', library='rtrrl_ros')))
        except OSError:
            os.close(self._descriptor)
            raise

    def add_channel(
        self, topic: str, type_name: str, definition: str, metadata: dict[str, str]
    ) -> None:
        """Declare a topic, which takes the next number in `channels`.

        Parameters
        ----------
        definition : text of the message type in the format 'ros2msg'; '': not known
        metadata : what rosbag2 keeps about a topic, {name: text}
        """
        schema = next((known for known in self._schemas if known.name == type_name), None)
        if schema is None:
            number = len(self._schemas) + 1
            encoding = 'ros2msg' if definition else ''
            schema = Schema(number, data=definition.encode(), encoding=encoding, name=type_name)
            self._schemas.append(schema)
            self._chunk.append(_bytes(schema))
        channel = Channel(len(self._channels) + 1, topic, 'cdr', metadata, schema.id)
        self._channels.append(channel)
        self._chunk.append(_bytes(channel))
        self.channels[topic] = channel.id

    def add(self, channel: int, log_ns: int, publish_ns: int, data: bytes) -> None:
        """Add a message to the chunk."""
        index = self._offsets.get(channel)
        if index is None:
            index = self._offsets[channel] = array('Q')
        index.append(log_ns)
        index.append(self._chunk.size)
        number = (self.counts.get(channel, 0) + len(index) // 2) & 0xFFFFFFFF
        self._chunk.append(
            _MESSAGE.pack(
                Opcode.MESSAGE, _MESSAGE_BYTES + len(data), channel, number, log_ns, publish_ns
            )
        )
        self._chunk.append(data)

    @property
    def pending(self) -> int:
        return self._chunk.size

    def flush(self) -> None:
        """Write the chunk. `OSError`: nothing of it was written, and the file is as it was.

        Written here and not by the library, which copies the messages four times.
        """
        if not self._offsets:
            return  # declarations alone wait for the first message
        first = min(min(index[::2]) for index in self._offsets.values())
        last = max(max(index[::2]) for index in self._offsets.values())
        start, size = self.size, self._chunk.size
        with self._chunk.content() as content:
            data = self._compressor.compress(content) if self._compressor else content
            compression = b'zstd' if self._compressor else b''
            length, packed = _CHUNK.size - 9 + len(compression) + _SIZE.size, len(data)
            checksum = zlib.crc32(content)
            head = _CHUNK.pack(
                Opcode.CHUNK, length + packed, first, last, size, checksum, len(compression)
            )
            head += compression + _SIZE.pack(packed)
            chunk_length, indices, offsets = len(head) + packed, bytearray(), {}
            for channel, index in self._offsets.items():
                offsets[channel] = start + chunk_length + len(indices)
                pairs = _little_endian(index)
                indices += _INDEX.pack(
                    Opcode.MESSAGE_INDEX, _INDEX.size - 9 + len(pairs), channel, len(pairs)
                )
                indices += pairs
            self._write(head, data, indices)
        entry = ChunkIndex(
            chunk_length=chunk_length, chunk_start_offset=start, compression=compression.decode(),
            compressed_size=packed, message_end_time=last, message_index_offsets=offsets,
            message_index_length=len(indices), message_start_time=first, uncompressed_size=size,
        )  # fmt: skip
        self._index.append(entry)
        self.start_ns = min(first, self.start_ns) if self.counts else first
        self.end_ns = max(last, self.end_ns)
        for channel, index in self._offsets.items():
            self.counts[channel] = self.counts.get(channel, 0) + len(index) // 2
        self._chunk.clear()
        self._offsets.clear()

    def sync(self) -> None:
        """Wait until what was flushed would survive the loss of power; from any thread."""
        with contextlib.suppress(OSError):  # closed meanwhile, which syncs as well
            os.fdatasync(self._descriptor)

    def close(self) -> None:
        """Write the index and close. Nothing that was flushed is lost, whatever is raised.

        What was not flushed is given up. A second call does nothing.
        """
        if self._closed:
            return
        self._closed = True
        self._chunk = ChunkBuffer()
        try:
            self._write(self._summary())
            self.sync()
        finally:
            os.close(self._descriptor)

    def _summary(self) -> bytes:
        """The end of the file: everything a reader needs to know before it reads."""
        end = _bytes(DataEnd(data_section_crc=0))
        builder = RecordBuilder()
        for record in (*self._schemas, *self._channels, *self._index):
            record.write(builder)
        Statistics(
            attachment_count=0, channel_count=len(self._channels),
            channel_message_counts=self.counts, chunk_count=len(self._index),
            message_count=sum(self.counts.values()), message_end_time=self.end_ns,
            message_start_time=self.start_ns, metadata_count=0, schema_count=len(self._schemas),
        ).write(builder)  # fmt: skip
        summary = builder.end()
        start = self.size + len(end)
        # the checksum covers the summary and the footer up to the checksum itself
        footer = struct.pack('<BQQQ', Opcode.FOOTER, 20, start, 0)
        crc = zlib.crc32(footer, zlib.crc32(summary))
        return end + summary + _bytes(Footer(start, 0, crc)) + MAGIC

    def _write(self, *parts: bytes | bytearray | memoryview) -> None:
        """Append all of it or nothing, in one call of the system: a kill does not come between."""
        views = [memoryview(part) for part in parts]
        try:
            while views:
                written = os.writev(self._descriptor, views)
                while views and written >= len(views[0]):
                    written -= len(views.pop(0))
                if views:
                    views[0] = views[0][written:]
        except OSError:
            os.ftruncate(self._descriptor, self.size)
            os.lseek(self._descriptor, self.size, io.SEEK_SET)
            raise
        finally:
            views.clear()  # who keeps the error does not keep the messages
        self.size += sum(len(part) for part in parts)


def _little_endian(numbers: 'array[int]') -> bytes:
    if sys.byteorder == 'big':
        numbers = numbers[:]
        numbers.byteswap()
    return numbers.tobytes()


def _bytes(record: McapRecord) -> bytes:
    builder = RecordBuilder()
    record.write(builder)  # type: ignore[attr-defined]
    return builder.end()
