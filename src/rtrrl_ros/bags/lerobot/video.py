"""Pictures to a sequence of video files: H.264 in MP4, many episodes in one file.

Every second frame can be read by itself, so that a learner that draws frames at random decodes no
more than one for nothing.
"""

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .layout import VIDEO_FILE_MB, VIDEO_FILE_S, VIDEOS, FileNumber
from .packages import pyav

_ENCODER, _PIXELS, _KEY_INTERVAL, _RATE_FACTOR = 'libx264', 'yuv420p', 2, 12
_OPTIONS = {'crf': str(_RATE_FACTOR), 'g': str(_KEY_INTERVAL), 'bf': '0'}
#: what info.json says about it
STREAM = {
    'video.codec': 'h264', 'video.pix_fmt': _PIXELS, 'video.g': _KEY_INTERVAL,
    'video.crf': _RATE_FACTOR,
}  # fmt: skip


class VideoPlace(NamedTuple):
    """Where the video of an episode is: in which file, and between which times in seconds."""

    number: FileNumber
    from_s: float
    to_s: float


class VideoFiles:
    """Writes episodes one after the other; a file begins and ends with an episode.

    Parameters
    ----------
    root : folder of the dataset
    key : name of the feature
    fps : pictures per second
    largest_bytes, longest_s : a file that has reached one of these takes no further episode
    """

    def __init__(
        self, root: Path, key: str, fps: int, largest_bytes: int = VIDEO_FILE_MB << 20,
        longest_s: float = VIDEO_FILE_S,
    ) -> None:  # fmt: skip
        self._root, self._key, self._fps = root, key, fps
        self._most = largest_bytes, longest_s
        self._number = FileNumber()
        self._file: _VideoFile | None = None

    def write(self, pictures: Iterable[np.ndarray]) -> VideoPlace:
        """Add an episode: blocks of pictures (T, H, W, 3) uint8, H and W even."""
        file = self._file
        if file is not None and (
            file.path.stat().st_size >= self._most[0] or file.count >= self._most[1] * self._fps
        ):
            self.close()
            self._number, file = self._number.following(), None
        if file is None:
            path = self._root / self._number.path(VIDEOS, self._key)
            path.parent.mkdir(parents=True, exist_ok=True)
            file = self._file = _VideoFile(path, self._fps)
        begun = file.count
        for block in pictures:
            file.append(block)
        return VideoPlace(self._number, begun / self._fps, file.count / self._fps)

    def close(self) -> None:
        """Complete the last file; a second time, which may follow an error, it does nothing."""
        file, self._file = self._file, None
        if file is not None:
            file.close()


class _VideoFile:
    """One file; opened with the first picture, whose size is that of the video."""

    def __init__(self, path: Path, fps: int) -> None:
        self.path, self.count = path, 0
        self._av, self._fps = pyav(), fps
        self._container = self._av.open(str(path), 'w')
        self._stream: Any = None

    def append(self, pictures: np.ndarray) -> None:
        if self._stream is None:
            self._stream = self._begin(*pictures.shape[1:3])
        for picture in pictures:
            frame = self._av.VideoFrame.from_ndarray(picture, format='rgb24')
            # each block of pixels keeps its colour
            frame = frame.reformat(format=_PIXELS, interpolation='AREA')
            frame.pts, frame.time_base = self.count, Fraction(1, self._fps)
            self._container.mux(self._stream.encode(frame))
            self.count += 1

    def close(self) -> None:
        if self._stream is not None:
            self._container.mux(self._stream.encode(None))
        self._container.close()

    def _begin(self, height: int, width: int) -> Any:
        stream = self._container.add_stream(_ENCODER, rate=self._fps, options=_OPTIONS)
        stream.height, stream.width, stream.pix_fmt = height, width, _PIXELS
        stream.codec_context.time_base = Fraction(1, self._fps)
        stream.codec_context.thread_count = 1  # the same bytes on every machine
        return stream
