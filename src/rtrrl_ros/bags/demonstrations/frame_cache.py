"""Frames of recordings, decoded once and kept on disk.

One folder per recording and frame configuration, named by a hash of the contents of both: a
recording that is moved or copied is found again, one that was changed is not. A folder appears
whole or not at all.
"""

import array
import dataclasses
import errno
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import UserError
from ...perception.events.frames import FrameConfig
from ...perception.events.windows import WindowConfig
from ..reading import open_bag
from ..tracks import DRIVE, TRACK_TOPICS, Tracks, require_types, restore_columns, save_columns
from .frame_file import FrameRows, FrameWriter
from .frame_streams import Aedat4Frames, BagFrames, Frame, commands_beside

#: part of the key: to be increased where the same bytes would give other frames or columns
FORMAT = 2
_FRAMES, _COLUMNS, _FACTS = 'frames.f16', 'columns.npz', 'facts.json'

#: told how many records of how many are read
OnProgress = Callable[[int, int], None]


@dataclasses.dataclass(frozen=True)
class CachedDrive:
    """The frames of a recording and what else was on it.

    Attributes
    ----------
    path : the recording
    stamps_ns : (N,) int64, of each frame, in the order of the recording
    epochs : (N,) int64, of each frame: stamps of different ones cannot be compared, see `tracks`
    columns : {topic: columns}, see `tracks`
    size : width and height of the sensor in pixels
    lost_packets, unusable_packets : of the event camera
    incomplete : '' or one line that says why the recording is not whole
    policy_drove : commands of a policy were recorded as well
    """

    path: Path
    folder: Path
    stamps_ns: np.ndarray
    epochs: np.ndarray
    frame_shape: tuple[int, int, int]
    columns: dict[str, dict[str, np.ndarray]]
    size: tuple[int, int]
    lost_packets: int
    unusable_packets: int
    incomplete: str
    policy_drove: bool

    def frames(self, rows: np.ndarray) -> FrameRows:
        """Some frames, read where they are sliced."""
        return FrameRows(self.folder / _FRAMES, self.frame_shape, rows)


def default_cache() -> Path:
    """Where frames are kept unless another folder is named."""
    home = os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache'
    return Path(home) / 'rtrrl_ros' / 'frames'


def cached_drive(
    path: Path, window: WindowConfig, frames: FrameConfig, cache: Path,
    on_progress: OnProgress = lambda done, total: None,
) -> CachedDrive:  # fmt: skip
    """The frames of a bag or an .aedat4 recording, decoded if that has not been done yet.

    Raises
    ------
    UserError
        the recording cannot be used, or the cache cannot be written
    """
    path = Path(path)
    if not path.exists():
        raise UserError(f'{path}: no such recording')
    folder = cache / _key(path, window, frames)
    if not folder.is_dir():
        _decode(path, window, frames, folder, on_progress)
    return _load(path, folder)


def _sources(path: Path) -> list[Path]:
    """The recording, and the bag beside it where it needs one."""
    return [path, commands_beside(path)] if path.suffix == '.aedat4' else [path]


def _key(path: Path, window: WindowConfig, frames: FrameConfig) -> str:
    configuration = [FORMAT, dataclasses.asdict(window), dataclasses.asdict(frames)]
    total = hashlib.sha256(json.dumps(configuration).encode())
    for source in _sources(path):
        files = sorted(p for p in source.rglob('*') if p.is_file()) if source.is_dir() else [source]
        for file in files:
            name = file.relative_to(source).as_posix() if source.is_dir() else file.suffix
            try:
                with file.open('rb') as stream:
                    digest = hashlib.file_digest(stream, 'sha256').hexdigest()
            except OSError as error:
                raise UserError(f'{file} cannot be read: {error.strerror}') from None
            total.update(f'{name} {digest}\n'.encode())
    return total.hexdigest()[:32]


def _decode(
    path: Path, window: WindowConfig, frames: FrameConfig, folder: Path, on_progress: OnProgress
) -> None:
    """Make the folder."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(dir=folder.parent, prefix='.part-'))
        try:
            facts = _decode_into(part, path, window, frames, on_progress)
            (part / _FACTS).write_text(json.dumps(facts, indent=2) + '\n')
            part.replace(folder)
        except OSError as error:
            # another process was faster: the contents are the same
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST) or not folder.is_dir():
                raise
        finally:
            shutil.rmtree(part, ignore_errors=True)
    except OSError as error:
        raise UserError(
            f'cache {folder.parent}: {error.strerror or error}; name another folder with --cache'
        ) from None


def _decode_into(
    part: Path, path: Path, window: WindowConfig, frames: FrameConfig, on_progress: OnProgress
) -> dict[str, Any]:
    """Write frames and columns; returns what else is to be known."""
    tracks, bare = Tracks(), path.suffix == '.aedat4'
    source: BagFrames | Aedat4Frames
    with open_bag(commands_beside(path) if bare else path) as bag:
        require_types(bag)
        if bare:
            for record in bag.records(TRACK_TOPICS):
                tracks.add(bag, record)
            source = Aedat4Frames(path, window, frames)
            stream = source.read()
        else:
            total = sum(topic.count for topic in bag.topics.values())
            source = BagFrames(bag, window, frames, tracks)
            stream = source.read(_counter(on_progress, total))
        stamps, epochs, shape = _write(stream, part / _FRAMES)
        if not stamps:
            raise UserError(f'{path}: not one event frame: {source.fault}')
        columns = save_columns(tracks.columns())
        columns['stamps_ns'] = np.frombuffer(stamps, np.int64)
        columns['epochs'] = np.frombuffer(epochs, np.int64)
        np.savez(part / _COLUMNS, allow_pickle=False, **columns)
        return {
            'frame_shape': shape, 'size': source.size, 'lost_packets': source.lost,
            'unusable_packets': source.unusable, 'incomplete': bag.incomplete,
            'policy_drove': DRIVE in bag.topics and bag.topics[DRIVE].count > 0,
        }  # fmt: skip


def _write(stream: Iterable[Frame], file: Path) -> tuple[array.array, array.array, tuple[int, ...]]:
    """Write frames; returns their stamps and epochs, and the shape of one."""
    stamps, epochs, shape = array.array('q'), array.array('q'), ()
    writer = FrameWriter(file)
    try:
        for frame in stream:
            writer.append(frame.pixels)
            stamps.append(frame.stamp_ns)
            epochs.append(frame.epoch)
            shape = frame.pixels.shape
    finally:
        writer.close()
    return stamps, epochs, shape


def _counter(on_progress: OnProgress, total: int) -> Callable[[], None]:
    done = 0

    def count() -> None:
        nonlocal done
        done += 1
        if done % 1000 == 0 or done == total:
            on_progress(min(done, total), total)

    return count


def _load(path: Path, folder: Path) -> CachedDrive:
    try:
        facts = json.loads((folder / _FACTS).read_text())
        with np.load(folder / _COLUMNS, allow_pickle=False) as file:
            arrays = dict(file)
        stamps_ns, epochs = arrays.pop('stamps_ns'), arrays.pop('epochs')
        shape, size = tuple(facts.pop('frame_shape')), tuple(facts.pop('size'))
        whole = (folder / _FRAMES).stat().st_size == 2 * len(stamps_ns) * int(np.prod(shape))
        if whole:
            return CachedDrive(
                path=path, folder=folder, stamps_ns=stamps_ns, epochs=epochs, frame_shape=shape,
                size=size, columns=restore_columns(arrays), **facts,
            )  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise UserError(f'{folder} is damaged: remove it, and the frames are made again')
