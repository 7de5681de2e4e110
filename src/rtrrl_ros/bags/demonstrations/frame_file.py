"""Event frames in a file: written as they come, read slice by slice.

A plain sequence of float16 frames. Slices are read, not mapped: mapped pages would count as memory
of the process until the system takes them back.
"""

from pathlib import Path

import numpy as np

DTYPE = np.dtype(np.float16)


class FrameRows:
    """Some frames of a file, in order, as an array that is read where it is sliced.

    Parameters
    ----------
    path : the file
    frame_shape : (C, H, W)
    rows : (T,) int64, which frames; increasing, with few gaps between them

    Attributes
    ----------
    shape : (T, C, H, W)
    dtype : float16
    """

    dtype = DTYPE

    def __init__(self, path: Path, frame_shape: tuple[int, ...], rows: np.ndarray) -> None:
        self._path, self._rows = path, rows
        self.shape = (len(rows), *frame_shape)
        self._size = int(np.prod(frame_shape))

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, part: slice) -> np.ndarray:
        """Frames of a slice with step 1, (t, C, H, W) float16."""
        rows = self._rows[part]
        if not len(rows):
            return np.empty((0, *self.shape[1:]), DTYPE)
        first, count = int(rows[0]), int(rows[-1] - rows[0]) + 1
        values = np.fromfile(
            self._path, DTYPE, count * self._size, offset=first * self._size * DTYPE.itemsize
        )
        frames = values.reshape(count, *self.shape[1:])
        return frames if count == len(rows) else frames[rows - first]


class FrameWriter:
    """Appends frames to a new file."""

    def __init__(self, path: Path) -> None:
        self._file = path.open('wb')
        self.count = 0

    def append(self, frame: np.ndarray) -> None:
        """Take a frame, any float; rounded to float16."""
        self._file.write(np.ascontiguousarray(frame, DTYPE).data)
        self.count += 1

    def close(self) -> None:
        self._file.close()
