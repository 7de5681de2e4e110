"""Packets of a topic: losses, restarts, wrong sensors and encodings, and recovery from each."""

import dataclasses
import sys

import numpy as np
import pytest

from rtrrl_ros.errors import UserError
from rtrrl_ros.perception.events import EventBatch, EventSource
from rtrrl_ros.perception.events.codecs import (
    EventPacket,
    encode_evt3,
    encode_mono,
    make_decoder,
)
from rtrrl_ros.perception.events.conformance import (
    HEIGHT,
    WIDTH,
    EventSourceConformance,
    assert_same_events,
    concatenate,
    random_events,
)
from rtrrl_ros.perception.events.packets import QUEUE_DEPTH, PacketSource


def packets_of(events: EventBatch, encoding: str = 'evt3', count: int = 7) -> list[EventPacket]:
    """The events in so many packets; empty ones where there are not enough events."""
    edges = np.linspace(0, len(events), count + 1).astype(int)
    packets = []
    for seq in range(count):
        part = events.slice(edges[seq], edges[seq + 1])
        base_ns = int(part.t_us[0]) * 1000 if len(part) else 0
        data = encode_evt3(part) if encoding == 'evt3' else encode_mono(part, base_ns)
        packets.append(EventPacket(encoding, WIDTH, HEIGHT, seq, base_ns, False, data))
    return packets


class TestEvt3(EventSourceConformance):
    def make_source(self, events: EventBatch) -> EventSource:
        return PacketSource(packets=packets_of(events))


class TestMono(EventSourceConformance):
    def make_source(self, events: EventBatch) -> EventSource:
        return PacketSource(WIDTH, HEIGHT, 'mono', packets=packets_of(events, 'mono'))


class TestPushed(EventSourceConformance):
    ENDS = False

    def make_source(self, events: EventBatch) -> EventSource:
        class Pushed(PacketSource):
            def open(self) -> None:
                super().open()
                for packet in packets_of(events):
                    self.push(packet)

        return Pushed(WIDTH, HEIGHT)


@pytest.fixture
def source() -> PacketSource:
    source = PacketSource()
    source.open()
    return source


@pytest.fixture
def packets() -> list[EventPacket]:
    return packets_of(random_events(700))


def feed(source: PacketSource, packets: list[EventPacket]) -> list[EventBatch]:
    """The batches of packets that can all be used."""
    batches = [source.feed(packet) for packet in packets]
    assert None not in batches, source.fault
    return [batch for batch in batches if batch is not None]


def test_lost_packets_are_counted_and_the_rest_is_right(
    source: PacketSource, packets: list[EventPacket]
) -> None:
    kept = [packet for packet in packets if packet.seq not in (2, 3, 5)]
    batches = feed(source, kept)
    assert source.counters.lost_packets == 3
    whole = feed(PacketSourceOpened(), packets)
    expected = [batch for seq, batch in enumerate(whole) if seq not in (2, 3, 5)]
    assert_same_events(concatenate(batches), concatenate(expected))
    assert not any(batch.restart for batch in batches)


def PacketSourceOpened() -> PacketSource:  # noqa: N802 (reads as what it returns)
    source = PacketSource()
    source.open()
    return source


def test_after_a_loss_the_decoder_guesses_neither_time_nor_row(source: PacketSource) -> None:
    """Words that lean on those of a lost packet give no events."""
    start = np.array([0x8001, 0x6001, 0x0003, 0x2004], dtype='<u2').tobytes()
    rest = np.array([0x2005], dtype='<u2').tobytes()
    feed(source, [EventPacket('evt3', WIDTH, HEIGHT, 0, 0, False, start)])
    (after_loss,) = feed(source, [EventPacket('evt3', WIDTH, HEIGHT, 2, 0, False, rest)])
    assert len(after_loss) == 0
    assert source.counters.rejected_events == 1


def test_a_driver_that_restarts_is_followed(
    source: PacketSource, packets: list[EventPacket]
) -> None:
    """Sequence numbers and times begin anew; the same events come again."""
    shifted = [dataclasses.replace(packet, seq=packet.seq + 1000) for packet in packets]
    first = feed(source, shifted)
    again = feed(source, packets)
    assert [batch.restart for batch in again] == [True] + 6 * [False]
    assert_same_events(concatenate(again), concatenate(first))
    assert source.counters.restarts == 1
    assert source.counters.lost_packets == 0


@pytest.mark.parametrize('missed', [0, 1, 3])
def test_a_restart_soon_after_the_start_is_noticed_too(
    source: PacketSource, packets: list[EventPacket], missed: int
) -> None:
    feed(source, packets)
    for packet in packets[missed:]:
        source.feed(packet)
    assert source.counters.restarts == 1
    assert source.counters.rejected_packets <= 1
    assert not source.fault


def test_a_packet_out_of_order_or_twice_is_rejected(
    source: PacketSource, packets: list[EventPacket]
) -> None:
    feed(source, packets[:4])
    for late in (packets[3], packets[2]):
        assert source.feed(late) is None
        assert f'{late.seq} came after packet 3' in source.fault
    assert len(feed(source, packets[4:])) == 3
    assert (source.counters.rejected_packets, source.counters.lost_packets) == (2, 0)


@pytest.mark.parametrize(
    ('change', 'reason'),
    [
        ({'width': 640, 'height': 480}, 'of 640 x 480 pixels, not 346 x 260'),
        ({'encoding': 'mono'}, "encoding 'mono', not 'evt3'"),
        ({'width': 0}, '0 x 260'),
        ({'height': 1 << 32}, 'x 4294967296 pixels'),
        ({'time_base_ns': (1 << 64) - 1}, 'time base'),
    ],
)
def test_a_wrong_stream_has_a_reason_and_the_right_one_recovers(
    packets: list[EventPacket], change: dict, reason: str
) -> None:
    source = PacketSource(WIDTH, HEIGHT, 'evt3')
    source.open()
    feed(source, packets[:2])
    assert source.fault == ''
    for packet in packets[2:5]:
        assert source.feed(dataclasses.replace(packet, **change)) is None
        assert reason in source.fault and '\n' not in source.fault
    assert len(feed(source, packets[5:])[0]) == 100
    assert source.fault == ''
    assert source.counters.rejected_packets == 3


def test_an_unknown_encoding_is_named(source: PacketSource, packets: list[EventPacket]) -> None:
    assert source.feed(dataclasses.replace(packets[0], encoding='evt4')) is None
    assert source.fault == (
        "unknown encoding 'evt4' of event packets; known: evt3, libcaer_cmp, libcaer, mono"
    )
    with pytest.raises(UserError, match="unknown encoding 'raw'"):
        PacketSource(encoding='raw')


def test_another_encoding_begins_anew(source: PacketSource) -> None:
    events = random_events(100)
    feed(source, packets_of(events))
    other = [dataclasses.replace(p, seq=p.seq + 7) for p in packets_of(events, 'mono')]
    again = feed(source, other)
    assert [batch.restart for batch in again] == [True] + 6 * [False]
    assert_same_events(concatenate(again), events)


def test_a_missing_decoder_is_named_and_the_stream_may_change(
    source: PacketSource, packets: list[EventPacket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, 'event_camera_py', None)
    assert source.feed(dataclasses.replace(packets[0], encoding='libcaer_cmp')) is None
    assert 'event_camera_py' in source.fault and 'event-camera-py' in source.fault
    with pytest.raises(UserError, match='event_camera_py'):
        make_decoder('libcaer_cmp', WIDTH, HEIGHT)
    assert len(feed(source, packets[1:2])) == 1


def test_an_empty_packet_is_an_empty_batch(source: PacketSource) -> None:
    (batch,) = feed(source, [EventPacket('evt3', WIDTH, HEIGHT, 0, 0, False, b'')])
    assert len(batch) == 0
    assert source.counters.packets == 1


def test_a_queue_that_is_not_emptied_loses_its_oldest_packets(source: PacketSource) -> None:
    for seq in range(QUEUE_DEPTH + 5):
        source.push(EventPacket('evt3', WIDTH, HEIGHT, 10 + seq, 0, False, b''))
    source.feed(EventPacket('evt3', WIDTH, HEIGHT, 9, 0, False, b''))
    for _ in range(QUEUE_DEPTH + 1):
        assert source.next_batch() is not None
    assert source.counters.packets == QUEUE_DEPTH + 1
    assert source.counters.lost_packets == 5


def test_no_packet_at_all_is_an_error_of_the_recording() -> None:
    with pytest.raises(UserError, match='not a single event packet'):
        PacketSource(packets=[]).open()


def test_noise_in_place_of_a_payload_does_no_harm(source: PacketSource) -> None:
    random = np.random.default_rng(0)
    for seq in range(50):
        data = random.integers(0, 256, random.integers(0, 2000), dtype=np.uint8).tobytes()
        batch = source.feed(EventPacket('evt3', WIDTH, HEIGHT, seq, 0, False, data))
        assert batch is not None
        assert not len(batch) or (batch.x.max() < WIDTH and batch.y.max() < HEIGHT)
