"""mono, libcaer and libcaer_cmp: packets built by hand from the formats' definitions."""

import struct
import types

import numpy as np
import pytest

from rtrrl_ros.perception.events import SourceCounters
from rtrrl_ros.perception.events.codecs import EventPacket, encode_mono, make_decoder
from rtrrl_ros.perception.events.conformance import assert_same_events, random_events

SIZE = (346, 260)


def packet(encoding: str, data: bytes, base_ns: int = 0, big: bool = False) -> EventPacket:
    return EventPacket(encoding, *SIZE, 0, base_ns, big, data)


# --- mono


def mono_word(t_ns: int, x: int, y: int, on: int) -> int:
    return on << 63 | y << 48 | x << 32 | t_ns


@pytest.mark.parametrize('big', [False, True])
def test_mono_by_hand(big: bool) -> None:
    words = mono_word(2_999, 3, 4, 1), mono_word(0xFFFFFFFF, 345, 259, 0)
    data = struct.pack('>2Q' if big else '<2Q', *words)
    batch = make_decoder('mono', *SIZE).decode(packet('mono', data, 5_000_000, big))
    assert batch.t_us.tolist() == [5_002, 5_000 + 0xFFFFFFFF // 1000]
    assert (batch.x.tolist(), batch.y.tolist()) == ([3, 345], [4, 259])
    assert batch.polarity.tolist() == [True, False]


def test_mono_rejects_what_lies_outside_and_what_was_cut_off() -> None:
    counters = SourceCounters()
    data = struct.pack(
        '<3Q', mono_word(0, 346, 0, 1), mono_word(1, 0, 260, 1), mono_word(2, 1, 1, 1)
    )
    batch = make_decoder('mono', *SIZE, counters).decode(packet('mono', data + b'abc'))
    assert batch.x.tolist() == [1]
    assert (counters.rejected_events, counters.damaged_packets) == (2, 1)


def test_mono_decodes_what_it_encodes() -> None:
    events = random_events(500)
    data = encode_mono(events, 1_000_000)
    assert_same_events(make_decoder('mono', *SIZE).decode(packet('mono', data, 1_000_000)), events)
    with pytest.raises(ValueError, match='time_base_ns'):
        encode_mono(events, 60_000_000)


# --- libcaer


def caer_event(t_us: int, x: int, y: int, on: int) -> bytes:
    return struct.pack('<Ii', x << 17 | y << 2 | on << 1 | 1, t_us)


def test_libcaer_by_hand() -> None:
    """Microseconds of 31 bits that roll over within the packet."""
    base_us, turn = 1_702_306_974_272_224, 1 << 31
    data = b''.join(
        [caer_event(turn - 2, 345, 0, 1), caer_event(turn - 1, 0, 259, 0), caer_event(5, 7, 8, 1)]
    )
    big = packet('libcaer', data, base_us * 1000 + 18, big=True)  # little-endian all the same
    batch = make_decoder('libcaer', *SIZE).decode(big)
    assert (batch.t_us - base_us).tolist() == [turn - 2, turn - 1, turn + 5]
    assert batch.x.tolist() == [345, 0, 7]
    assert batch.y.tolist() == [0, 259, 8]
    assert batch.polarity.tolist() == [True, False, True]


def test_libcaer_packets_may_be_empty() -> None:
    assert len(make_decoder('libcaer', *SIZE).decode(packet('libcaer', b''))) == 0


# --- libcaer_cmp, with a stand-in that answers as event_camera_py says it does


class StandIn:
    """Times are int32 microseconds after the first event ever, and wrap."""

    def __init__(self) -> None:
        self.start_us: int | None = None

    def decode_bytes(
        self, encoding: str, width: int, height: int, base_ns: int, data: bytes
    ) -> None:
        assert (encoding, width, height) == ('libcaer_cmp', *SIZE)
        count = len(data) // 2
        t_us = base_ns // 1000 + np.arange(count)
        if self.start_us is None and count:
            self.start_us = int(t_us[0])
        kind = [('x', '<u2'), ('y', '<u2'), ('p', 'i1'), ('t', '<i4')]
        self.found = np.zeros(count, dtype=kind)
        self.found['x'], self.found['p'] = np.arange(count), 1
        self.found['t'] = (t_us - (self.start_us or 0)).astype(np.uint32).view(np.int32)

    def get_cd_events(self) -> np.ndarray:
        return self.found

    def get_start_time(self) -> int | None:
        return self.start_us


def test_libcaer_cmp_times_go_on_where_the_decoder_wraps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        __import__('sys').modules, 'event_camera_py', types.SimpleNamespace(Decoder=StandIn)
    )
    counters = SourceCounters()
    decoder = make_decoder('libcaer_cmp', *SIZE, counters)
    assert len(decoder.decode(packet('libcaer_cmp', b'', 1_000_000))) == 0
    epoch_us = 1_702_306_974_272_224
    for later_s in (0, 1, 3000, 9000):
        base_us = epoch_us + later_s * 1_000_000
        batch = decoder.decode(packet('libcaer_cmp', b'abcdef', base_us * 1000))
        assert (batch.t_us - base_us).tolist() == [0, 1, 2]
        assert batch.x.tolist() == [0, 1, 2]
        assert batch.polarity.all()
    decoder.decode(packet('libcaer_cmp', b'abc', 1000))
    assert counters.damaged_packets == 1
