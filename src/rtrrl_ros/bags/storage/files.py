"""Which files a recording consists of, and opening each as what it is, whatever its name."""

import contextlib
import re
from pathlib import Path
from typing import Any

from ...errors import UserError
from ..contract import DamagedFileError, StorageFile
from . import mcap_blocks, mcap_file, metadata, sqlite_file, zstd

#: ends of the names of storage files, where no metadata.yaml lists them
SUFFIXES = ('.mcap', '.db3', '.mcap.zstd', '.db3.zstd')
_ROS_1 = b'#ROSBAG'


def storage_paths(path: Path) -> tuple[list[Path], dict[str, Any], list[str]]:
    """The storage files of a bag in their order.

    Returns
    -------
    the files that are there, the contents of metadata.yaml ({} without), what is wrong

    Raises
    ------
    UserError
        no file of a bag is there
    """
    if not path.exists():
        raise UserError(f'{path}: no such file or folder')
    if not path.is_dir():
        return [path], {}, []
    found = [file for file in path.iterdir() if file.name.endswith(SUFFIXES)]
    listed: list[Path] = []
    faults: list[str] = []
    information: dict[str, Any] = {}
    if (path / metadata.FILE_NAME).exists():
        try:
            information = metadata.read_metadata(path / metadata.FILE_NAME)
            # rosbag2 wrote the folder's name too once; it may have been renamed since
            listed = [path / Path(name).name for name in information['relative_file_paths']]
            faults += [f'{file.name} is missing' for file in listed if not file.exists()]
            listed = [file for file in listed if file.exists()]
        except DamagedFileError as error:
            faults.append(str(error))
    elif found:
        faults.append(f'no {metadata.FILE_NAME}: the recorder did not end in order')
    paths = listed or sorted(found, key=_natural)
    if not paths:
        raise UserError(f'{path}: no bag: it holds no .mcap or .db3 file')
    return paths, information, faults


def _natural(file: Path) -> list[Any]:
    """Sorts bag_10 after bag_9."""
    return [int(part) if part.isdigit() else part for part in re.split(r'(\d+)', file.name)]


def open_storage(path: Path, stack: contextlib.ExitStack) -> StorageFile:
    """Open one storage file for as long as the stack lasts.

    Raises
    ------
    DamagedFileError
        nothing of it can be read
    """
    try:
        if not path.is_file():  # opening a pipe would wait for somebody who writes into it
            raise DamagedFileError('no file')
        return _open(path, stack)
    except OSError as error:
        raise DamagedFileError(error.strerror or str(error)) from error


def _open(path: Path, stack: contextlib.ExitStack) -> StorageFile:
    with path.open('rb') as file:
        magic = file.read(16)
    if magic.startswith(zstd.MAGIC):
        unpacked, incomplete = zstd.unpacked_file(path)
        stack.callback(unpacked.close)
        inner = _open(Path(unpacked.name), stack)
        inner.incomplete = inner.incomplete or incomplete
        return inner
    if magic.startswith(_ROS_1):
        raise DamagedFileError('a bag of ROS 1: convert it with rosbags-convert')
    storage: StorageFile
    if magic == sqlite_file.MAGIC:
        storage = sqlite_file.SqliteFile(path)
    elif magic.startswith(mcap_blocks.MAGIC[: len(magic)]):  # also where a crash left less of it
        storage = mcap_file.McapFile(path)
    else:
        raise DamagedFileError('neither an MCAP file nor a SQLite database')
    stack.callback(storage.close)
    return storage
