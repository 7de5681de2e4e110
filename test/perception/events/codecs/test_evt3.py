"""EVT 3.0: packets built word by word from the format's definition, and random streams."""

import array
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtrrl_ros.perception.events import EventBatch, SourceCounters
from rtrrl_ros.perception.events.codecs import EventPacket, encode_evt3
from rtrrl_ros.perception.events.codecs.evt3_decoder import Evt3Decoder

WIDTH, HEIGHT = 346, 260
TURN_US = 1 << 24

# --- the words of the format, written out once more: four bits of type, twelve of data


def row(y: int, camera: int = 0) -> int:
    return 0x0000 | camera << 11 | y


def event(x: int, on: int) -> int:
    return 0x2000 | on << 11 | x


def base(x: int, on: int) -> int:
    return 0x3000 | on << 11 | x


def vector_12(mask: int) -> int:
    return 0x4000 | mask


def vector_8(mask: int) -> int:
    return 0x5000 | mask


def low(t: int) -> int:
    return 0x6000 | t & 0xFFF


def high(t: int) -> int:
    return 0x8000 | t & 0xFFF


def packet(*words: int, big: bool = False, cut: int = 0) -> EventPacket:
    data = np.array(words, dtype='>u2' if big else '<u2').tobytes()
    return EventPacket('evt3', WIDTH, HEIGHT, 0, 0, big, data[: len(data) - cut])


Events = list[tuple[int, int, int, bool]]


def events(batch: EventBatch) -> Events:
    """(t, x, y, polarity) of every event."""
    columns = (batch.t_us, batch.x, batch.y, batch.polarity)
    return list(zip(*(column.tolist() for column in columns), strict=True))


@pytest.fixture
def decoder() -> Evt3Decoder:
    return Evt3Decoder(WIDTH, HEIGHT)


def decode(decoder: Evt3Decoder, *words: int) -> Events:
    return events(decoder.decode(packet(*words)))


# --- by hand


def test_single_events_and_vectors(decoder: Evt3Decoder) -> None:
    assert decode(
        decoder, high(2), low(5), row(7), event(9, 1), low(6), event(10, 0), row(8), base(100, 1),
        vector_12(0b1000_0000_0011), vector_8(0b1000_0001), vector_12(1),
    ) == [
        (8197, 9, 7, True), (8198, 10, 7, False),
        (8198, 100, 8, True), (8198, 101, 8, True), (8198, 111, 8, True),
        (8198, 112, 8, True), (8198, 119, 8, True), (8198, 120, 8, True),
    ]  # fmt: skip


def test_state_lives_across_packets(decoder: Evt3Decoder) -> None:
    assert decode(decoder, high(1), low(1), row(3), base(10, 0)) == []
    assert decode(decoder, vector_8(2)) == [(4097, 11, 3, False)]
    assert decode(decoder, event(4, 1)) == [(4097, 4, 3, True)]


def test_time_wraps_after_24_bits(decoder: Evt3Decoder) -> None:
    for turn in range(3):
        late = decode(decoder, high(4095), low(4095), row(0), event(0, 0))
        early = decode(decoder, high(0), low(0), event(1, 0), high(2048))
        assert [late[0][0], early[0][0]] == [(turn + 1) * TURN_US - 1, (turn + 1) * TURN_US]


def test_a_time_high_that_slips_back_is_no_wrap(decoder: Evt3Decoder) -> None:
    """Sensors do this: see the time stamps in the documentation of event_camera_codecs."""
    times = decode(
        decoder, high(100), low(9), row(0), event(0, 0), high(98), low(9), event(1, 0), high(101),
        low(9), event(2, 0),
    )  # fmt: skip
    assert [t for t, *_ in times] == [100 * 4096 + 9, 98 * 4096 + 9, 101 * 4096 + 9]


def test_time_does_not_run_ahead_between_high_and_low(decoder: Evt3Decoder) -> None:
    times = decode(
        decoder, high(1), low(4000), row(0), event(0, 0), high(1), event(1, 0), high(2),
        event(2, 0), low(3), event(3, 0),
    )  # fmt: skip
    assert [t - 4096 for t, *_ in times] == [4000, 4000, 4096, 4099]


def test_words_without_events_are_ignored(decoder: Evt3Decoder) -> None:
    others = [code << 12 | 0x123 for code in (0x1, 0x7, 0x9, 0xA, 0xB, 0xC, 0xD, 0xE, 0xF)]
    assert decode(decoder, high(1), low(1), row(3), *others, event(4, 1)) == [(4097, 4, 3, True)]
    assert decoder.counters == SourceCounters()


def test_the_second_camera_bit_is_not_part_of_the_row(decoder: Evt3Decoder) -> None:
    assert decode(decoder, high(0), low(1), row(3, camera=1), event(4, 1)) == [(1, 4, 3, True)]


def test_events_without_time_or_row_are_rejected(decoder: Evt3Decoder) -> None:
    assert decode(decoder, row(1), event(1, 0), low(5), event(2, 0)) == []
    assert decode(decoder, base(0, 1), vector_8(0b111)) == []
    assert decoder.counters.rejected_events == 5
    assert decode(decoder, high(1), event(3, 0), low(5), event(4, 0)) == [(4101, 4, 1, False)]
    assert decoder.counters.rejected_events == 6


def test_events_outside_the_sensor_are_rejected(decoder: Evt3Decoder) -> None:
    assert decode(
        decoder, high(0), low(1), row(HEIGHT), event(0, 0), base(0, 0), vector_8(1),
        row(0), event(WIDTH, 0), event(WIDTH - 1, 0), base(WIDTH - 1, 1), vector_12(0xFFF),
    ) == [(1, WIDTH - 1, 0, False), (1, WIDTH - 1, 0, True)]  # fmt: skip
    assert decoder.counters.rejected_events == 3 + 11


def test_after_a_loss_nothing_is_guessed(decoder: Evt3Decoder) -> None:
    decode(decoder, high(4095), low(7), row(3), base(20, 1))
    decoder.lost()
    assert decode(decoder, event(1, 0), vector_8(1), low(9), event(2, 0)) == []
    assert decoder.counters.rejected_events == 3
    # time goes on from before the loss: this is the next turn
    assert decode(decoder, high(1), low(0), event(3, 0)) == []
    assert decode(decoder, row(5), event(4, 0)) == [(TURN_US + 4096, 4, 5, False)]
    assert decode(decoder, vector_8(1), base(8, 1), vector_8(1)) == [(TURN_US + 4096, 8, 5, True)]


def test_a_packet_cut_within_a_word_loses_that_word_only(decoder: Evt3Decoder) -> None:
    cut = packet(high(0), low(1), row(2), event(3, 1), event(4, 1), cut=1)
    assert events(decoder.decode(cut)) == [(1, 3, 2, True)]
    assert decoder.counters.damaged_packets == 1
    assert decode(decoder, event(5, 0)) == [(1, 5, 2, False)]
    assert decoder.counters.damaged_packets == 1


def test_an_empty_packet_is_an_empty_batch(decoder: Evt3Decoder) -> None:
    assert decode(decoder) == []
    assert len(decoder.decode(packet(high(0), cut=1))) == 0


def test_big_endian_words(decoder: Evt3Decoder) -> None:
    words = high(1), low(2), row(3), event(4, 1)
    assert events(decoder.decode(packet(*words, big=True))) == [(4098, 4, 3, True)]


@pytest.mark.parametrize(
    'kind', [bytes, bytearray, memoryview, lambda b: array.array('B', b), np.frombuffer]
)
def test_any_buffer_of_bytes_will_do(decoder: Evt3Decoder, kind: type) -> None:
    data = packet(high(1), low(2), row(3), event(4, 1)).events
    given = kind(data, np.uint8) if kind is np.frombuffer else kind(data)
    packet_ = EventPacket('evt3', WIDTH, HEIGHT, 0, 0, False, given)
    assert events(decoder.decode(packet_)) == [(4098, 4, 3, True)]


def test_time_is_known_where_nothing_happens(decoder: Evt3Decoder) -> None:
    assert decoder.decode(packet(high(3), low(9))).until_us == 3 * 4096 + 9
    assert decoder.decode(packet(low(11))).until_us == 3 * 4096 + 11


# --- against a slow decoder, and that of others


def slow_decode(words: list[int], width: int, height: int) -> tuple[Events, int]:
    """The same rules in plain Python, one word after the other, from a fresh start."""
    turn = last_high = t_low = None
    y = x = on = None
    found: Events = []
    rejected = 0

    def see(column: int | None, polarity: int | None) -> None:
        nonlocal rejected
        known = None not in (turn, t_low, y, column, polarity)
        if known and column < width and y < height:
            found.append((turn * TURN_US + last_high * 4096 + t_low, column, y, bool(polarity)))
        else:
            rejected += 1

    for word in words:
        code, data = word >> 12, word & 0xFFF
        if code == 0x0:
            y = data & 0x7FF
        elif code == 0x2:
            see(data & 0x7FF, data >> 11)
        elif code == 0x3:
            x, on = data & 0x7FF, data >> 11
        elif code in (0x4, 0x5):
            size = 12 if code == 0x4 else 8
            for k in range(size):
                if data >> k & 1:
                    see(None if x is None else x + k, on)
            x = None if x is None else x + size
        elif code == 0x6 and turn is not None:
            t_low = data
        elif code == 0x8 and turn is None:
            turn, last_high = 0, data
        elif code == 0x8 and data != last_high:
            if data < last_high - 10:
                turn += 1
            elif data > last_high and (data - last_high) >= 4096 - 10:
                turn -= 1
            last_high = data
            t_low = None if t_low is None else 0
    return found, rejected


any_words = st.lists(st.integers(0, 0xFFFF), max_size=60)
likely_words = st.lists(
    st.one_of(
        st.builds(high, st.integers(0, 4095)),
        st.builds(low, st.integers(0, 4095)),
        st.builds(row, st.integers(0, 300)),
        st.builds(event, st.integers(0, 400), st.integers(0, 1)),
        st.builds(base, st.integers(0, 400), st.integers(0, 1)),
        st.builds(vector_12, st.integers(0, 0xFFF)),
        st.builds(vector_8, st.integers(0, 0xFF)),
    ),
    max_size=60,
)


@settings(max_examples=150, deadline=None)
@given(words=any_words | likely_words, cuts=st.lists(st.integers(0, 60), max_size=4))
def test_any_words_decode_as_in_the_slow_decoder(words: list[int], cuts: list[int]) -> None:
    decoder, found = Evt3Decoder(WIDTH, HEIGHT), []
    for start, stop in itertools.pairwise([0, *sorted(cuts), len(words)]):
        found += events(decoder.decode(packet(*words[start:stop])))
    expected, rejected = slow_decode(words, WIDTH, HEIGHT)
    assert found == expected
    assert decoder.counters.rejected_events == rejected


@st.composite
def batches(draw: st.DrawFn) -> EventBatch:
    """Events in order, often many at a time in one row, as vectors want them."""
    groups = draw(
        st.lists(
            st.tuples(
                st.sampled_from([0, 0, 1, 3, 40, 5000, 9_000_000]),
                st.integers(0, HEIGHT - 1),
                st.booleans(),
                st.lists(st.integers(0, 40), min_size=1, max_size=12),
                st.booleans(),
            ),
            max_size=12,
        )
    )
    rows: Events = []
    t = draw(st.integers(0, TURN_US - 1))
    for step, y, on, columns, in_order in groups:
        t += step if rows else 0  # the first one lies in the first turn
        rows += [(t, x, y, on) for x in (sorted(set(columns)) if in_order else columns)]
    arrays = zip(*rows, strict=True) if rows else ((), (), (), ())
    types = (np.int64, np.uint16, np.uint16, np.bool_)
    columns_ = [np.array(column, dtype=kind) for column, kind in zip(arrays, types, strict=True)]
    until_us = t + draw(st.integers(0, 20_000))
    # a decoder takes the first time that it sees for one of the first turn
    return EventBatch(*columns_, WIDTH, HEIGHT, until_us if rows else until_us % TURN_US)


@settings(max_examples=150, deadline=None)
@given(batch=batches())
def test_what_is_encoded_decodes_to_the_same(batch: EventBatch) -> None:
    again = Evt3Decoder(WIDTH, HEIGHT).decode(
        EventPacket('evt3', WIDTH, HEIGHT, 0, 0, False, encode_evt3(batch))
    )
    assert events(again) == events(batch)
    assert again.until_us == batch.until_us


@settings(max_examples=100, deadline=None)
@given(batch=batches())
def test_another_decoder_reads_what_we_encode(batch: EventBatch) -> None:
    evt3 = pytest.importorskip('evt3')
    theirs = evt3.Decoder(WIDTH, HEIGHT).feed(encode_evt3(batch))
    columns = (theirs.t, theirs.x, theirs.y, theirs.p)
    found = list(zip(*(column.tolist() for column in columns), strict=True))
    assert found == events(batch)


# --- the encoder


def words_of(batch: EventBatch) -> list[int]:
    return np.frombuffer(encode_evt3(batch), '<u2').tolist()


def burst(columns: list[int], t: int = 4096 + 7, until: int = 0) -> EventBatch:
    """ON events at one time in row 5."""
    n = len(columns)
    x = np.array(columns, dtype=np.uint16)
    return EventBatch(
        np.full(n, t), x, np.full(n, 5, dtype=np.uint16), np.ones(n, dtype=bool), WIDTH, HEIGHT,
        until or t,
    )  # fmt: skip


def test_the_words_of_a_row_of_neighbours() -> None:
    """Twenty neighbours are one base, a vector of 12 and one of 8."""
    start = [high(1), low(7), row(5)]
    expected = [*start, base(30, 1), vector_12(0xFFF), vector_8(0xFF)]
    assert words_of(burst(list(range(30, 50)))) == expected
    assert words_of(burst([30])) == [*start, event(30, 1)]
    assert words_of(burst([30, 100])) == [*start, event(30, 1), event(100, 1)]


def test_a_packet_ends_with_the_time_it_is_complete_to() -> None:
    words = words_of(burst([30], until=2 * 4096 + 3))
    assert words == [high(1), low(7), row(5), event(30, 1), high(2), low(3)]
    assert words_of(EventBatch.empty(WIDTH, HEIGHT, until_us=4097)) == [high(1), low(1)]
    assert encode_evt3(EventBatch.empty(WIDTH, HEIGHT)) == b''


def test_a_batch_that_no_packet_can_hold_is_refused() -> None:
    unsorted = burst([1, 2])
    unsorted.t_us[0] += 1
    with pytest.raises(ValueError, match='not in order'):
        encode_evt3(unsorted)
    with pytest.raises(ValueError, match='outside'):
        encode_evt3(burst([WIDTH]))
    with pytest.raises(ValueError, match='no sensor of 2049'):
        encode_evt3(EventBatch.empty(2049, 2, until_us=0))
