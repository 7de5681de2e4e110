"""Zstandard in bags: around whole files and around single messages.

rosbag2 says in metadata.yaml which it is. The bytes themselves say it too, also where that file
is lost: CDR begins with 0.
"""

import tempfile
from pathlib import Path
from typing import IO

import zstandard

from ..contract import DamagedFileError

MAGIC = b'\x28\xb5\x2f\xfd'
#: a message that claims more than this, unpacked, is taken for damaged
LARGEST_MESSAGE = 1 << 30


def unpacked(data: bytes) -> bytes:
    """A message as it was published, whether it is compressed or not."""
    if not data.startswith(MAGIC):
        return data
    try:
        size = zstandard.frame_content_size(data)
        if size > LARGEST_MESSAGE:
            raise DamagedFileError(f'a message claims to have {size} bytes')
        return zstandard.ZstdDecompressor().decompress(data, LARGEST_MESSAGE if size < 0 else 0)
    except zstandard.ZstdError as error:
        raise DamagedFileError('a compressed message cannot be unpacked') from error


def unpacked_file(path: Path) -> tuple[IO[bytes], str]:
    """A compressed file unpacked, in a temporary file that goes when it is closed.

    Returns
    -------
    the file and '', or why not all of it could be unpacked
    """
    target = tempfile.NamedTemporaryFile(prefix='bag-')  # noqa: SIM115
    incomplete = ''
    try:
        with path.open('rb') as source:
            reader = zstandard.ZstdDecompressor().stream_reader(source, read_across_frames=True)
            while block := reader.read(1 << 20):
                target.write(block)
    except zstandard.ZstdError:
        incomplete = 'cut off or damaged: what could be unpacked is read'
    except BaseException:
        target.close()
        raise
    target.flush()
    return target, incomplete
