"""The compiled part of the event sensor: all pixels through one window, row by row.

`EventSensor` says what is computed here and where it comes from. A row is taken through all
sub-frames of the window before the next, so that the pixels' memory is read and written once.

One file, because what numba keeps on disk is compiled anew when its own file changes, and not when
another file does that it calls into.
"""

import math

import numpy as np

from ...machine_code import numba

#: compiled with what keeps results the same on every run: no order of sums is left open
_OPTIONS = {'cache': True, 'error_model': 'numpy', 'fastmath': {'contract', 'nsz', 'arcp'}}
#: of what is called from Python: other threads may work meanwhile
_CALLED = {**_OPTIONS, 'nogil': True}
#: events of a pixel in one sub-frame; what is more is sent in the next
MOST = 8
#: intensity that a pixel sees in the dark, relative to white
DARK = 20.0 / 255.0


@numba.njit(**_CALLED)
def expose(
    texels: np.ndarray, levels: np.ndarray, level: np.ndarray, geometry: np.ndarray, first: int,
    stop: int, poses: np.ndarray, flicker: np.ndarray, constants: np.ndarray,
    thresholds: np.ndarray, filtered: np.ndarray, memorised: np.ndarray, held: np.ndarray,
    packed: np.ndarray,
) -> int:  # fmt: skip
    """Advance rows of pixels by a window; writes packed events, returns how many.

    The rows are first ... stop - 1. Times are in sub-frames since the start of the window. `held`:
    until when a pixel is in reset, negative where it is not. In a flood of more than half of MOST
    per pixel and sub-frame, `packed` is full before the last rows, which then stand still.
    """
    width = filtered.shape[1]
    subframes = poses.shape[0]
    limit = packed.shape[0] - width * subframes * MOST
    course = np.empty((subframes + 1, width), dtype=np.float32)
    low, high = np.empty(width, dtype=np.float32), np.empty(width, dtype=np.float32)
    places, parts = np.empty(width, dtype=np.int32), np.empty((2, width), dtype=np.float32)
    busy, columns = np.empty(width, dtype=np.uint8), np.empty(width + 1, dtype=np.int32)
    count = 0
    for row in range(first, stop):
        if count > limit:
            break
        course[0], low[:], high[:] = filtered[row], filtered[row], filtered[row]
        for k in range(subframes):
            _sample(
                texels, levels, level[row], geometry[row], poses[k], places, parts, course[k + 1]
            )
            _filter(course[k + 1], course[k], flicker[k], constants[0], low, high)
        filtered[row] = course[subframes]
        on, off = thresholds[0, row], thresholds[1, row]
        memory, resets = memorised[row], held[row]
        _find_busy(low, high, memory, resets, on, off, constants[2], busy)
        number = 0
        for u in range(width):  # a list of them: nothing is guessed wrong for those that are not
            columns[number] = u
            number += busy[u]
        count = _send(
            course, columns[:number], row, on, off, memory, resets, constants, packed, count
        )
    return count


@numba.njit(**_OPTIONS)
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


@numba.njit(**_OPTIONS)
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


@numba.njit(**_OPTIONS)
def _pack(
    time: float, row: int, column: int, on: int, constants: np.ndarray, subframes: int
) -> np.uint64:
    most = np.float32(subframes) * constants[3] - np.float32(1.0)
    micros = np.uint64(min(max(time * constants[3], np.float32(0.0)), most))
    place = np.uint64(row) << np.uint64(17) | np.uint64(column) << np.uint64(1)
    return micros << np.uint64(32) | place | np.uint64(on)


@numba.njit(**_OPTIONS)
def _send(
    course: np.ndarray, columns: np.ndarray, row: int, on: np.ndarray, off: np.ndarray,
    memorised: np.ndarray, held: np.ndarray, constants: np.ndarray, packed: np.ndarray, count: int,
) -> int:  # fmt: skip
    """The events of these pixels of a row."""
    subframes, refractory = course.shape[0] - 1, constants[1]
    zero, one = np.float32(0.0), np.float32(1.0)
    for i in range(columns.shape[0]):
        u = columns[i]
        level, until, end = memorised[u], held[u], course[0, u]
        for k in range(subframes):
            begin, end = end, course[k + 1, u]
            time, slope, start = np.float32(k), end - begin, zero
            if until >= time:
                if until >= time + one:
                    continue
                start = until - time
                level = begin + slope * start
            for _ in range(MOST):
                here = begin + slope * start
                rises = max(here, end) >= level + on[u]
                falls = min(here, end) <= level - off[u]
                if not (rises | falls):  # one branch that is mostly guessed right, not two
                    break
                level = level + on[u] if rises else level - off[u]
                if (slope > zero) if rises else (slope < zero):  # else leak or reset took it there
                    start = min(max((level - begin) / slope, start), one)
                packed[count] = _pack(time + start, row, u, rises, constants, subframes)
                count += 1
                if refractory > zero:
                    until = time + start + refractory
                    if until >= time + one:
                        break
                    start = until - time
                    level = begin + slope * start
        memorised[u] = level
        held[u] = max(until - np.float32(subframes), np.float32(-1.0))
    return count


@numba.njit(**_CALLED)
def add_noise(
    filtered: np.ndarray, memorised: np.ndarray, held: np.ndarray, noise: np.ndarray,
    subframes: int, constants: np.ndarray, packed: np.ndarray, count: int,
) -> int:  # fmt: skip
    """Shot noise, where no pixel is still in reset; columns of `noise` are uniform in [0, 1)."""
    height, width = filtered.shape
    for i in range(noise.shape[0]):
        place = min(int(noise[i, 0] * np.float32(height * width)), height * width - 1)
        row, u = place // width, place % width
        time = noise[i, 1] * np.float32(subframes)
        rate = 1.0 - 0.75 * min(math.exp(filtered[row, u]), 1.0)
        if noise[i, 3] < rate and held[row, u] < np.float32(0.0):
            kind = 1 if noise[i, 2] < np.float32(0.5) else 0
            packed[count] = _pack(time, row, u, kind, constants, subframes)
            count += 1
            memorised[row, u] = filtered[row, u]
            held[row, u] = max(time + constants[1] - np.float32(subframes), np.float32(-1.0))
    return count


@numba.njit(**_OPTIONS)
def sample_row(
    texels: np.ndarray, levels: np.ndarray, level: int, geometry: np.ndarray, pose: np.ndarray,
    out: np.ndarray,
) -> None:  # fmt: skip
    """One image row of log luminance by bilinear interpolation in the floor's map.

    Parameters
    ----------
    texels, levels : of a `FloorMap`
    level : which of them
    geometry : `ahead_m` and `step_m` of the row
    pose : x, y and heading of the rear axle, float64
    out : (width,) float32
    """
    width = out.shape[0]
    places, parts = np.empty(width, dtype=np.int32), np.empty((2, width), dtype=np.float32)
    _sample(texels, levels, level, geometry, pose, places, parts, out)


@numba.njit(**_OPTIONS)
def _sample(
    texels: np.ndarray, levels: np.ndarray, level: int, geometry: np.ndarray, pose: np.ndarray,
    places: np.ndarray, parts: np.ndarray, out: np.ndarray,
) -> None:  # fmt: skip
    """`sample_row` with room to work in: `places` (width,) int32, `parts` (2, width) float32."""
    start, columns, rows = int(levels[level, 0]), int(levels[level, 1]), int(levels[level, 2])
    x0, y0, per_m = levels[level, 3], levels[level, 4], levels[level, 5]
    width = out.shape[0]
    cosine, sine = math.cos(pose[2]), math.sin(pose[2])
    ahead, step = geometry[0], geometry[1]
    # texel coordinates of column u: (ax + u bx, ay + u by); to the right is (sin, -cos)
    left = 0.5 * (width - 1) * step
    ax = np.float32((pose[0] + cosine * ahead - sine * left - x0) * per_m - 0.5)
    ay = np.float32((pose[1] + sine * ahead + cosine * left - y0) * per_m - 0.5)
    bx, by = np.float32(sine * step * per_m), np.float32(-cosine * step * per_m)
    # First where, then what is there: the compiler finds SIMD in a loop without scattered reads.
    # Beyond its edge the map goes on as it is there.
    zero, most_x, most_y = np.float32(0.0), np.float32(columns - 1.01), np.float32(rows - 1.01)
    for u in range(width):
        fx, fy = ax + np.float32(u) * bx, ay + np.float32(u) * by
        fx, fy = fx if fx > zero else zero, fy if fy > zero else zero  # also where not a number
        fx, fy = fx if fx < most_x else most_x, fy if fy < most_y else most_y
        ix, iy = np.int32(fx), np.int32(fy)
        parts[0, u], parts[1, u] = fx - np.float32(ix), fy - np.float32(iy)
        places[u] = np.int32(iy * np.int32(columns)) + ix
    corner, right = texels[start:], texels[start + 1 :]
    above, diagonal = texels[start + columns :], texels[start + columns + 1 :]
    for u in range(width):
        at = np.uint32(places[u])  # unsigned: no check for places counted from the end
        near = corner[at] + parts[0, u] * (right[at] - corner[at])
        far = above[at] + parts[0, u] * (diagonal[at] - above[at])
        out[u] = near + parts[1, u] * (far - near)
