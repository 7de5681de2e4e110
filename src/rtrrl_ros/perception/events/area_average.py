"""Pictures made smaller by averaging over areas, each pixel by the part of it that lies in one.

The result has the bits of `cv2.resize(..., interpolation=cv2.INTER_AREA)`, wherever a size is not
a multiple of the other, in a fraction of the time: it takes pictures column by column, so that one
instruction works on several rows. Sums go on in the same order: across first, then down.
"""

import math

import numpy as np

from ...machine_code import numba

#: an overlap of less than this part of a pixel is none, but a rounding error
_LEAST_OVERLAP = 1e-3


@numba.njit(cache=True)
def _average(
    pixels: np.ndarray,
    across_starts: np.ndarray,
    across: np.ndarray,
    across_weights: np.ndarray,
    down_starts: np.ndarray,
    down: np.ndarray,
    down_weights: np.ndarray,
    strip: np.ndarray,
    out: np.ndarray,
) -> None:
    """`strip` (H,): a column of `out` while it is not yet averaged over rows."""
    channels, rows, columns = out.shape
    for channel in range(channels):
        for column in range(columns):
            strip[:] = np.float32(0.0)
            for k in range(across_starts[column], across_starts[column + 1]):
                source, weight = pixels[channel, across[k]], across_weights[k]
                for i in range(len(strip)):
                    strip[i] += source[i] * weight
            for row in range(rows):
                total = np.float32(0.0)
                for k in range(down_starts[row], down_starts[row + 1]):
                    total += strip[down[k]] * down_weights[k]
                out[channel, row, column] = total


def _overlaps(size: int, parts: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which of `size` pixels lie in each of `parts` equal parts, and to what share of it.

    Returns
    -------
    starts : (parts + 1,) int64, where the pixels of a part begin in the others
    pixels : (N,) int64
    weights : (N,) float32
    """
    length = size / parts
    starts, pixels, weights = [0], [], []
    for part in range(parts):
        low, high = part * length, min((part + 1) * length, size)
        for pixel in range(math.floor(low), min(math.ceil(high), size)):
            overlap = min(high, pixel + 1) - max(low, pixel)
            if overlap > _LEAST_OVERLAP:
                pixels.append(pixel)
                weights.append(overlap / length)
        starts.append(len(pixels))
    return np.array(starts), np.array(pixels), np.array(weights, dtype=np.float32)


class AreaAverage:
    """Averages pictures of `width` x `height` pixels to `columns` x `rows`, no more than these.

    Compiles when it is constructed. One thread.
    """

    def __init__(self, width: int, height: int, columns: int, rows: int) -> None:
        self._shape = rows, columns
        self._tables = *_overlaps(width, columns), *_overlaps(height, rows)
        self._strip = np.empty(height, dtype=np.float32)
        self(np.zeros((1, width, height), dtype=np.float32))

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """(C, rows, columns) of (C, width, height), both float32 and contiguous; a new array."""
        out = np.empty((len(pixels), *self._shape), dtype=np.float32)
        _average(pixels, *self._tables, self._strip, out)
        return out
