"""EVT 3.0 words to events: compiled, with state from one packet to the next."""

import numpy as np

from ....machine_code import numba
from ..contract import UNKNOWN_US, EventBatch, SourceCounters
from .contract import EventPacket, PacketDecoder, as_words
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

#: A TIME_HIGH that falls back by so little is a bit error of the sensor, not a wrap.
_LARGEST_SLIP = 10

# What the decoder keeps: unwrapped TIME_HIGH, TIME_LOW, row, base column and polarity of vectors,
# which of these are known, and the latest time seen.
_HIGH, _LOW, _ROW, _BASE, _SIGN, _KNOWN, _LATEST, _SIZE = range(8)
# Known are: a TIME_HIGH since the last loss, a TIME_LOW after it, a row, a base; and a TIME_HIGH
# from before the loss, which the next one is unwrapped by.
_HIGH_KNOWN, _LOW_KNOWN, _ROW_KNOWN, _BASE_KNOWN, _TURN_KNOWN = 1, 2, 4, 8, 16
_EVENT_KNOWN = _HIGH_KNOWN | _LOW_KNOWN | _ROW_KNOWN
_VECTOR_KNOWN = _EVENT_KNOWN | _BASE_KNOWN


@numba.njit(cache=True)
def _count(words: np.ndarray) -> int:
    """How many events the words hold at most; without a branch, and so many words at a time."""
    total = 0
    for word in words:
        code = word >> 12
        total += int(code == ADDR_X) + 12 * int(code == VECT_12) + 8 * int(code == VECT_8)
    return total


@numba.njit(cache=True)
def _decode(
    words: np.ndarray,
    state: np.ndarray,
    width: int,
    height: int,
    t_us: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    polarity: np.ndarray,
) -> tuple[int, int]:
    """Fill the arrays; returns how many events there were and how many were rejected."""
    high, low, row = state[_HIGH], state[_LOW], state[_ROW]
    base, sign, known, latest = state[_BASE], state[_SIGN], state[_KNOWN], state[_LATEST]
    now = (high << TIME_BITS) + low
    n, rejected = 0, 0
    for i in range(len(words)):
        word = np.int64(words[i])
        code = word >> 12
        if code == ADDR_X:
            column = word & ADDRESS
            if known & _EVENT_KNOWN == _EVENT_KNOWN and column < width and row < height:
                t_us[n], x[n], y[n] = now, column, row
                polarity[n] = word >> ADDRESS_BITS & 1 == 1
                n += 1
            else:
                rejected += 1
        elif code == ADDR_Y:
            row = word & ADDRESS
            known |= _ROW_KNOWN
        elif code == TIME_LOW:
            low = word & DATA
            now = (high << TIME_BITS) + low
            if known & _HIGH_KNOWN:
                known |= _LOW_KNOWN
                latest = max(latest, now)
        elif code in (VECT_12, VECT_8):
            elements = 12 if code == VECT_12 else 8
            valid = known & _VECTOR_KNOWN == _VECTOR_KNOWN and row < height
            for k in range(elements):
                if word >> k & 1:
                    if valid and base + k < width:
                        t_us[n], x[n], y[n], polarity[n] = now, base + k, row, sign == 1
                        n += 1
                    else:
                        rejected += 1
            base += elements
        elif code == VECT_BASE_X:
            base = word & ADDRESS
            sign = word >> ADDRESS_BITS & 1
            known |= _BASE_KNOWN
        elif code == TIME_HIGH:
            value = word & DATA
            step = (value - high) % HIGH_VALUES
            if not known & _TURN_KNOWN:
                high, low = value, np.int64(0)
            elif step != 0:
                high += step if step < HIGH_VALUES - _LARGEST_SLIP else step - HIGH_VALUES
                low = np.int64(0)  # TIME_LOW follows; until then time must not run ahead
            known |= _HIGH_KNOWN | _TURN_KNOWN
            now = (high << TIME_BITS) + low
            if known & _LOW_KNOWN:
                latest = max(latest, now)
    state[_HIGH], state[_LOW], state[_ROW] = high, low, row
    state[_BASE], state[_SIGN], state[_KNOWN], state[_LATEST] = base, sign, known, latest
    return n, rejected


class Evt3Decoder(PacketDecoder):
    """Packets of encoding `evt3`.

    Differs from the decoders of others only where a stream is not well-formed: events outside the
    sensor, and those before a time and a row are known, are rejected and counted. Times unwrap
    from the first one seen, which lies in [0, 2^24) us.
    """

    encoding = 'evt3'

    def __init__(self, width: int, height: int, counters: SourceCounters | None = None) -> None:
        super().__init__(width, height, counters)
        self._state = np.zeros(_SIZE, dtype=np.int64)
        self._state[_LATEST] = UNKNOWN_US
        self._decode_words(np.empty(0, dtype=np.uint16))  # compiles, or loads what was compiled

    def decode(self, packet: EventPacket) -> EventBatch:
        words, damaged = as_words(packet, 'u2')
        self.counters.damaged_packets += damaged
        return self._decode_words(words)

    def _decode_words(self, words: np.ndarray) -> EventBatch:
        room = int(_count(words))
        t_us = np.empty(room, dtype=np.int64)
        x, y = np.empty(room, dtype=np.uint16), np.empty(room, dtype=np.uint16)
        polarity = np.empty(room, dtype=np.bool_)
        n, rejected = _decode(words, self._state, self.width, self.height, t_us, x, y, polarity)
        self.counters.rejected_events += rejected
        known = self._state[_KNOWN] & _LOW_KNOWN
        until = int(self._state[_LATEST]) if known else UNKNOWN_US
        return EventBatch(t_us[:n], x[:n], y[:n], polarity[:n], self.width, self.height, until)

    def lost(self) -> None:
        """Row, base and low time are unknown until the sensor repeats them.

        TIME_HIGH is kept to unwrap the next one with. Sensors repeat it every few events.
        """
        self._state[_KNOWN] &= _TURN_KNOWN
