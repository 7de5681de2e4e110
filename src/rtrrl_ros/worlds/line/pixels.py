"""The compiled part of the event sensor: all pixels through one window, row by row.

`EventSensor` says what is computed here and where it comes from. A row is taken through all
sub-frames of the window before the next, so that the pixels' memory is read and written once.
"""

import math

import numba
import numpy as np

from .camera import OPTIONS, sample_row

#: events of a pixel in one sub-frame; what is more is sent in the next
MOST = 8
#: intensity that a pixel sees in the dark, relative to white
DARK = 20.0 / 255.0


@numba.njit(**OPTIONS)
def expose(
    texels: np.ndarray, levels: np.ndarray, level: np.ndarray, geometry: np.ndarray, first: int,
    poses: np.ndarray, flicker: np.ndarray, constants: np.ndarray, thresholds: np.ndarray,
    filtered: np.ndarray, memorised: np.ndarray, held: np.ndarray, noise: np.ndarray,
    packed: np.ndarray,
) -> int:  # fmt: skip
    """Advance all pixels by a window; writes packed events, returns how many.

    Times are in sub-frames since the start of the window. `held`: until when a pixel is in reset,
    negative where it is not.
    """
    height, width = filtered.shape
    subframes = poses.shape[0]
    limit = packed.shape[0] - noise.shape[0] - width * subframes * MOST
    course = np.empty((subframes + 1, width), dtype=np.float32)
    low, high = np.empty(width, dtype=np.float32), np.empty(width, dtype=np.float32)
    busy = np.empty(width, dtype=np.uint8)
    count = 0
    for row in range(first, height):
        if count > limit:
            break
        course[0], low[:], high[:] = filtered[row], filtered[row], filtered[row]
        for k in range(subframes):
            sample_row(texels, levels, level[row], geometry[row], poses[k], course[k + 1])
            _filter(course[k + 1], course[k], flicker[k], constants[0], low, high)
        filtered[row] = course[subframes]
        on, off = thresholds[0, row], thresholds[1, row]
        _find_busy(low, high, memorised[row], held[row], on, off, constants[2], busy)
        for u in range(width):
            if busy[u]:
                count = _pixel(
                    course, u, row, on[u], off[u], memorised[row], held[row], constants, packed,
                    count,
                )  # fmt: skip
    return _add_noise(filtered, memorised, held, noise, subframes, constants, packed, count)


@numba.njit(**OPTIONS)
def _filter(
    seen: np.ndarray, before: np.ndarray, flicker: float, speed: float, low: np.ndarray,
    high: np.ndarray,
) -> None:  # fmt: skip
    """The low-pass filter of a row, in place; `low` and `high` keep what it went through."""
    part, dark, one = np.float32(1.0 / 256.0), np.float32(DARK), np.float32(1.0)
    for u in range(seen.shape[0]):
        target = seen[u] + flicker
        intensity = one + target * part  # e^x = (1 + x/256)^256: 5 % off at x = -5
        for _ in range(8):
            intensity *= intensity
        rate = speed * (intensity + dark)
        now = before[u] + (target - before[u]) * (one - one / (one + rate))
        seen[u], low[u], high[u] = now, min(low[u], now), max(high[u], now)


@numba.njit(**OPTIONS)
def _find_busy(
    low: np.ndarray, high: np.ndarray, memorised: np.ndarray, held: np.ndarray, on: np.ndarray,
    off: np.ndarray, leak: float, busy: np.ndarray,
) -> None:  # fmt: skip
    """Which pixels of a row may send events or end their reset; most do neither."""
    for u in range(low.shape[0]):
        level = memorised[u] - leak * on[u]
        memorised[u] = level
        crossed = (high[u] >= level + on[u]) | (low[u] <= level - off[u])
        busy[u] = crossed | (held[u] >= np.float32(0.0))


@numba.njit(**OPTIONS)
def _pack(
    time: float, row: int, column: int, on: int, constants: np.ndarray, subframes: int
) -> np.uint64:
    most = np.float32(subframes) * constants[3] - np.float32(1.0)
    micros = np.uint64(min(max(time * constants[3], np.float32(0.0)), most))
    place = np.uint64(row) << np.uint64(17) | np.uint64(column) << np.uint64(1)
    return micros << np.uint64(32) | place | np.uint64(on)


@numba.njit(**OPTIONS)
def _pixel(
    course: np.ndarray, u: int, row: int, on: float, off: float, levels: np.ndarray,
    held: np.ndarray, constants: np.ndarray, packed: np.ndarray, count: int,
) -> int:  # fmt: skip
    """The events of one pixel."""
    subframes, refractory = course.shape[0] - 1, constants[1]
    level, until = levels[u], held[u]
    for k in range(subframes):
        begin, end = course[k, u], course[k + 1, u]
        slope, start = end - begin, np.float32(0.0)
        if until >= k:
            if until >= k + 1:
                continue
            start = until - np.float32(k)
            level = begin + slope * start
        for _ in range(MOST):
            here = begin + slope * start
            if max(here, end) >= level + on:
                level, kind = level + on, 1
            elif min(here, end) <= level - off:
                level, kind = level - off, 0
            else:
                break
            crossing = (level - begin) / slope if slope != 0.0 else start
            start = min(max(crossing, start), np.float32(1.0))
            packed[count] = _pack(np.float32(k) + start, row, u, kind, constants, subframes)
            count += 1
            if refractory > 0.0:
                until = np.float32(k) + start + refractory
                if until >= k + 1:
                    break
                start = until - np.float32(k)
                level = begin + slope * start
    levels[u] = level
    held[u] = max(until - np.float32(subframes), np.float32(-1.0))
    return count


@numba.njit(**OPTIONS)
def _add_noise(
    filtered: np.ndarray, memorised: np.ndarray, held: np.ndarray, noise: np.ndarray,
    subframes: int, constants: np.ndarray, packed: np.ndarray, count: int,
) -> int:  # fmt: skip
    """Shot noise; each column of `noise` is uniform in [0, 1)."""
    height, width = filtered.shape
    for i in range(noise.shape[0]):
        place = min(int(noise[i, 0] * np.float32(height * width)), height * width - 1)
        row, u = place // width, place % width
        time = noise[i, 1] * np.float32(subframes)
        rate = 1.0 - 0.75 * min(math.exp(filtered[row, u]), 1.0)
        if noise[i, 3] < rate and held[row, u] + np.float32(subframes) < time:
            kind = 1 if noise[i, 2] < np.float32(0.5) else 0
            packed[count] = _pack(time, row, u, kind, constants, subframes)
            count += 1
            memorised[row, u] = filtered[row, u]
            held[row, u] = max(time + constants[1] - np.float32(subframes), np.float32(-1.0))
    return count


@numba.njit(cache=True)
def unpacked(
    packed: np.ndarray, window_us: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Sort by time (a counting sort: equal times stay in the order of the rows) and unpack."""
    size = packed.shape[0]
    starts = np.zeros(window_us + 1, dtype=np.int64)
    for i in range(size):
        starts[(packed[i] >> np.uint64(32)) + np.uint64(1)] += 1
    for t in range(window_us):
        starts[t + 1] += starts[t]
    t_us, polarity = np.empty(size, dtype=np.int64), np.empty(size, dtype=np.bool_)
    x, y = np.empty(size, dtype=np.uint16), np.empty(size, dtype=np.uint16)
    for i in range(size):
        event = packed[i]
        time = event >> np.uint64(32)
        at = starts[time]
        starts[time] += 1
        t_us[at] = time
        y[at] = (event >> np.uint64(17)) & np.uint64(0x7FFF)
        x[at] = (event >> np.uint64(1)) & np.uint64(0xFFFF)
        polarity[at] = (event & np.uint64(1)) == 1
    return t_us, x, y, polarity
