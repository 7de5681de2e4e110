"""One .mcap file, written so that it can be read at any moment.

Messages are collected in a chunk. `flush` writes the chunk and its index in one piece, after which
a killed process loses none of it; it succeeds or leaves the file as it was, so that a full disk
cannot leave half a chunk behind.
"""

import contextlib
import io
import os
import struct
import zlib
from pathlib import Path

import zstandard
from mcap.data_stream import RecordBuilder
from mcap.opcode import Opcode
from mcap.records import (
    Channel,
    Chunk,
    ChunkIndex,
    DataEnd,
    Footer,
    Header,
    McapRecord,
    MessageIndex,
    Schema,
    Statistics,
)

from .mcap_blocks import MAGIC

COMPRESSIONS = ('none', 'zstd')
#: the fastest of zstd's usual levels; the next ones gain little on events
ZSTD_LEVEL = 1
#: opcode, length; channel, sequence number, log time, publish time
_MESSAGE = struct.Struct('<BQHIQQ')
_MESSAGE_BYTES = _MESSAGE.size - 9


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
        self._new_chunk()
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
            self._chunk += _bytes(schema)
        channel = Channel(len(self._channels) + 1, topic, 'cdr', metadata, schema.id)
        self._channels.append(channel)
        self._chunk += _bytes(channel)
        self.channels[topic] = channel.id

    def add(self, channel: int, log_ns: int, publish_ns: int, data: bytes) -> None:
        """Add a message to the chunk."""
        index = self._offsets.setdefault(channel, [])
        index.append((log_ns, len(self._chunk)))
        self._chunk += _MESSAGE.pack(
            Opcode.MESSAGE, _MESSAGE_BYTES + len(data), channel,
            (self.counts.get(channel, 0) + len(index)) & 0xFFFFFFFF, log_ns, publish_ns,
        )  # fmt: skip
        self._chunk += data

    @property
    def pending(self) -> int:
        return len(self._chunk)

    def flush(self) -> None:
        """Write the chunk. `OSError`: nothing of it was written, and the file is as it was."""
        if not self._offsets:
            return  # declarations alone wait for the first message
        content = bytes(self._chunk)
        times = [log_ns for index in self._offsets.values() for log_ns, _ in index]
        first, last = min(times), max(times)
        data = self._compressor.compress(content) if self._compressor else content
        chunk = Chunk(
            compression='zstd' if self._compressor else '', data=data,
            message_start_time=first, message_end_time=last,
            uncompressed_crc=zlib.crc32(content), uncompressed_size=len(content),
        )  # fmt: skip
        builder = RecordBuilder()
        chunk.write(builder)
        chunk_length, offsets = builder.count, {}
        for channel, index in self._offsets.items():
            offsets[channel] = self.size + builder.count
            MessageIndex(channel, index).write(builder)
        entry = ChunkIndex(
            chunk_length=chunk_length, chunk_start_offset=self.size, compression=chunk.compression,
            compressed_size=len(data), message_end_time=last, message_index_offsets=offsets,
            message_index_length=builder.count - chunk_length, message_start_time=first,
            uncompressed_size=len(content),
        )  # fmt: skip
        self._write(builder.end())
        self._index.append(entry)
        self.start_ns = min(first, self.start_ns) if self.counts else first
        self.end_ns = max(last, self.end_ns)
        for channel, index in self._offsets.items():
            self.counts[channel] = self.counts.get(channel, 0) + len(index)
        self._new_chunk()

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
        try:
            self._write(self._summary())
            self.sync()
        finally:
            os.close(self._descriptor)

    def _new_chunk(self) -> None:
        self._chunk = bytearray()
        self._offsets: dict[int, list[tuple[int, int]]] = {}

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

    def _write(self, data: bytes) -> None:
        """Append all of it or nothing."""
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._descriptor, view) :]
        except OSError:
            os.ftruncate(self._descriptor, self.size)
            os.lseek(self._descriptor, self.size, io.SEEK_SET)
            raise
        self.size += len(data)


def _bytes(record: McapRecord) -> bytes:
    builder = RecordBuilder()
    record.write(builder)  # type: ignore[attr-defined]
    return builder.end()
