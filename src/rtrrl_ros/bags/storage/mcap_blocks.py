"""Stretches of an .mcap file that hold messages: chunks, and runs of messages outside chunks."""

import struct
from collections.abc import Iterator
from typing import IO, NamedTuple

from mcap.opcode import Opcode
from mcap.records import Chunk
from mcap.stream_reader import CRCValidationError, get_chunk_data_stream

from ..contract import DamagedFileError

MAGIC = b'\x89MCAP0\r\n'
COMPRESSIONS = ('', 'lz4', 'zstd')
#: a chunk that claims more than this, unpacked, is taken for damaged
LARGEST_CHUNK = 1 << 30

#: begins every record: opcode, bytes that follow
HEAD = struct.Struct('<BQ')
#: begins the contents of a message: channel, sequence number, log time, publish time
MESSAGE = struct.Struct('<HIQQ')
#: begins the contents of a chunk: first and last log time, bytes, CRC, length of a string
_CHUNK = struct.Struct('<QQQII')


class Block(NamedTuple):
    """A stretch of the file that holds messages.

    offset, size : of its bytes in the file, as they are compressed
    full_size, crc : of what they are unpacked to; a CRC of 0 is not checked
    """

    start_ns: int
    end_ns: int
    offset: int
    size: int
    compression: str
    full_size: int
    crc: int


def run_block(begin: int, end: int) -> Block:
    """Records that lie in the file as they are; their log times are not known yet."""
    return Block(0, 0, begin, end - begin, '', end - begin, 0)


def chunk_block(file: IO[bytes], position: int) -> Block:
    """The chunk whose record begins at `position`; `DamagedFileError` where that is no chunk."""
    head = read_at(file, position, HEAD.size + _CHUNK.size)
    if len(head) < HEAD.size + _CHUNK.size or head[0] != Opcode.CHUNK:
        raise DamagedFileError(cut_off(position))
    start_ns, end_ns, full_size, crc, length = _CHUNK.unpack_from(head, HEAD.size)
    rest = read_at(file, position + len(head), min(length, 16) + 8)
    if length > 16 or len(rest) < length + 8:  # no compression has a name that long
        raise DamagedFileError(cut_off(position))
    compression = rest[:length].decode('ascii', 'replace')
    (size,) = struct.unpack_from('<Q', rest, length)
    offset = position + len(head) + len(rest)
    return Block(start_ns, end_ns, offset, size, compression, full_size, crc)


def block_content(file: IO[bytes], block: Block) -> bytes:
    """The records of a block, unpacked and checked; `DamagedFileError` where that fails."""
    where = f'damaged at byte {block.offset}'
    if block.full_size > LARGEST_CHUNK:
        raise DamagedFileError(where)
    if block.compression not in COMPRESSIONS:
        raise DamagedFileError(f'compressed with {block.compression!r}, which is not known here')
    data = read_at(file, block.offset, block.size)
    if len(data) < block.size:
        raise DamagedFileError(cut_off(block.offset))
    chunk = Chunk(
        compression=block.compression, data=data, uncompressed_size=block.full_size,
        message_start_time=0, message_end_time=0, uncompressed_crc=block.crc,
    )  # fmt: skip
    try:
        stream, size = get_chunk_data_stream(chunk, validate_crc=True)
        return stream.read(size)
    except CRCValidationError as error:
        raise DamagedFileError(f'{where}: wrong checksum') from error
    except Exception as error:  # the decompressors raise kinds of their own
        raise DamagedFileError(f'{where}: cannot be unpacked') from error


def walk(content: bytes) -> Iterator[tuple[int, int, int]]:
    """Opcode, begin and end of the contents of each record; `DamagedFileError` where one is cut."""
    position, size = 0, len(content)
    while position + HEAD.size <= size:
        opcode, length = HEAD.unpack_from(content, position)
        begin, position = position + HEAD.size, position + HEAD.size + length
        if position > size or (opcode == Opcode.MESSAGE and length < MESSAGE.size):
            raise DamagedFileError('damaged: a record is longer than what it lies in')
        yield opcode, begin, position


def read_at(file: IO[bytes], offset: int, size: int) -> bytes:
    """So many bytes, or fewer at the end of the file, however many a damaged one claims."""
    left = file.seek(0, 2) - offset
    if left <= 0:
        return b''
    file.seek(offset)
    return file.read(min(size, left))


def cut_off(position: int) -> str:
    """What is said of a file that ends where it should not."""
    return f'cut off after {position} bytes'
