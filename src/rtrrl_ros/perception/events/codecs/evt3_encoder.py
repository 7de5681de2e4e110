"""Events to EVT 3.0 words: what the simulated camera publishes."""

import numpy as np

from ....machine_code import numba
from ..contract import UNKNOWN_US, EventBatch
from .evt3_format import (
    ADDR_X,
    ADDR_Y,
    ADDRESS,
    ADDRESS_BITS,
    DATA,
    HIGH_VALUES,
    TIME_BITS,
    TIME_HIGH,
    TIME_LOW,
    VECT_8,
    VECT_12,
    VECT_BASE_X,
)

#: TIME_HIGH never steps further than this, and never over its last value and zero, so that no
#: decoder takes a wrap for a long gap or the other way round
_LONGEST_STEP = HIGH_VALUES // 2
#: words of one event at most, apart from the steps of TIME_HIGH: two times, a row, a column
_WORDS_PER_EVENT = 4


@numba.njit(cache=True)
def _time(words: np.ndarray, n: int, t_us: int, before_us: int) -> int:
    """Append what changes between two times; returns the number of words."""
    high, low = t_us >> TIME_BITS, t_us & DATA
    last = before_us >> TIME_BITS
    while last < high:
        turn_end = last | DATA
        furthest = last + 1 if last == turn_end else min(last + _LONGEST_STEP, turn_end)
        last = min(furthest, high)
        words[n] = TIME_HIGH << 12 | last & DATA
        n += 1
    if t_us != before_us:
        words[n] = TIME_LOW << 12 | low
        n += 1
    return n


@numba.njit(cache=True)
def _encode(
    t_us: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    polarity: np.ndarray,
    start_us: int,
    until_us: int,
    words: np.ndarray,
) -> int:
    """Fill `words`; returns their number."""
    words[0] = TIME_HIGH << 12 | (start_us >> TIME_BITS) & DATA
    words[1] = TIME_LOW << 12 | start_us & DATA
    n, now, row = 2, np.int64(start_us), np.int64(-1)
    count = len(t_us)
    i = 0
    while i < count:
        if t_us[i] != now:
            n = _time(words, n, t_us[i], now)
            now = t_us[i]
        if np.int64(y[i]) != row:
            row = np.int64(y[i])
            words[n] = ADDR_Y << 12 | row
            n += 1
        # the run of events that vectors may hold: same time, row and polarity, x increasing
        end = i + 1
        while (
            end < count
            and t_us[end] == now
            and np.int64(y[end]) == row
            and polarity[end] == polarity[i]
            and x[end] > x[end - 1]
        ):
            end += 1
        sign = np.int64(polarity[i]) << ADDRESS_BITS
        if end == i + 1:  # most events have no neighbour
            words[n] = ADDR_X << 12 | sign | np.int64(x[i])
            n, i = n + 1, end
            continue
        base = np.int64(-1)  # where a further vector would begin without a new base
        while i < end:
            column = np.int64(x[i])
            first = base if base >= 0 and column < base + 12 else column
            mask, stop = np.int64(0), i
            while stop < end and np.int64(x[stop]) < first + 12:
                mask |= 1 << (np.int64(x[stop]) - first)
                stop += 1
            if stop - i == 1:
                words[n] = ADDR_X << 12 | sign | column
                n += 1
                base = np.int64(-1)
            else:
                if first != base:
                    words[n] = VECT_BASE_X << 12 | sign | first
                    n += 1
                if mask < 256:
                    words[n] = VECT_8 << 12 | mask
                    base = first + 8
                else:
                    words[n] = VECT_12 << 12 | mask
                    base = first + 12
                n += 1
            i = stop
    return _time(words, n, until_us, now)


def encode_evt3(batch: EventBatch) -> bytes:
    """The payload of one packet of encoding `evt3`, little-endian.

    A packet stands for itself: it begins with its time, and ends with the time that it is complete
    to (`until_us`), so that a decoder can close a window in which nothing happened. Times are
    written modulo 2^24 us, so packets must follow each other, events or not: within ten seconds
    for the decoder here, within 40 ms for any decoder.

    Decoded, the events come in the same order. Raises ValueError if the times are not in order, an
    event lies outside the sensor or the sensor is larger than the format's 2048 x 2048.
    """
    _check(batch)
    if not len(batch) and batch.until_us == UNKNOWN_US:
        return b''
    start = int(batch.t_us[0]) if len(batch) else batch.until_us
    turns = (batch.until_us - start) // (HIGH_VALUES << TIME_BITS) + 1
    words = np.empty(_WORDS_PER_EVENT * (len(batch) + turns + 2), dtype=np.uint16)
    n = _encode(batch.t_us, batch.x, batch.y, batch.polarity, start, batch.until_us, words)
    return words[:n].astype('<u2', copy=False).tobytes()


def _check(batch: EventBatch) -> None:
    if max(batch.width, batch.height) > ADDRESS + 1:
        raise ValueError(f'evt3 holds no sensor of {batch.width} x {batch.height} pixels')
    if not len(batch):
        return
    if np.any(batch.t_us[1:] < batch.t_us[:-1]):
        raise ValueError('the times of the events are not in order')
    if batch.x.max() >= batch.width or batch.y.max() >= batch.height:
        raise ValueError(f'an event lies outside the {batch.width} x {batch.height} sensor')
