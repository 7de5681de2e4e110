"""Packets of a topic to features: what the pipeline gives, whatever the clock; faults in words."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtrrl_ros.perception.event_stream import EventStream
from rtrrl_ros.perception.events.codecs import EventPacket, encode_evt3
from rtrrl_ros.perception.events.contract import EventBatch
from rtrrl_ros.perception.events.frames import FrameConfig
from rtrrl_ros.perception.events.packing import event_packets
from rtrrl_ros.perception.events.windows import WindowConfig
from rtrrl_ros.perception.pipeline import EventPipeline

WIDTH, HEIGHT = 32, 24
PERIOD_US = 10_000
SILENCE_S = 0.1
#: in which the clock of evt3 comes round, no multiple of a window
TURN_US = 1 << 24


class Flat:
    """An encoder that changes nothing: features are the frame."""

    def encode(self, frame: np.ndarray) -> np.ndarray:
        return frame.reshape(-1).copy()


def pipeline() -> EventPipeline:
    frames = FrameConfig(representation='time_surface', tau_ms=30.0)
    return EventPipeline(WindowConfig(), frames, WIDTH, HEIGHT, Flat())


def stream(silence_s: float = SILENCE_S) -> EventStream:
    return EventStream(pipeline(), WIDTH, HEIGHT, silence_s, now_s=0.0)


def batch(end_us: int, seed: int, count: int = 40) -> EventBatch:
    """Events of the period that ends there."""
    random = np.random.default_rng([seed, count])
    return EventBatch(
        np.sort(random.integers(end_us - PERIOD_US, end_us, count)),
        random.integers(0, WIDTH, count, np.uint16),
        random.integers(0, HEIGHT, count, np.uint16),
        random.random(count) < 0.5,
        WIDTH, HEIGHT, end_us,
    )  # fmt: skip


def packet(holding: EventBatch, seq: int, **changes) -> EventPacket:
    plain = EventPacket('evt3', WIDTH, HEIGHT, seq, 0, False, encode_evt3(holding))
    return dataclasses.replace(plain, **changes)


def fed(into: EventStream, steps: range, start_us: int = 0) -> list[np.ndarray | None]:
    """What the packets with these numbers give; each ends at its number in periods."""
    given = []
    for k in steps:
        events = batch(start_us + k * PERIOD_US, k)
        given.append(into.feed(packet(events, k), k, 0.01 * k))
    return given


@settings(max_examples=40, deadline=None)
@given(
    first=st.integers(1, 4 * TURN_US // PERIOD_US),
    laps=st.lists(st.lists(st.integers(0, 60), min_size=1, max_size=8), min_size=1, max_size=4),
)
def test_features_are_those_of_the_pipeline_at_any_time_of_the_clock(first, laps):
    """As in the loop without ROS: every lap begins with no events, and anew."""
    listening, expected = stream(math.inf), pipeline()
    k = first
    for counts in laps:
        expected.reset()
        for seq, count in enumerate([0, *counts]):
            events = batch(k * PERIOD_US, k, count if seq else 0)
            features = listening.feed(packet(events, seq), k, 0.0)
            assert features is not None
            assert np.array_equal(features, expected.observe(events))
            k += 1
    assert listening.fault(0.0) == ''
    assert listening.source.counters.restarts == len(laps) - 1


def test_a_lap_starts_without_the_events_of_the_one_before():
    fresh, used = pipeline(), pipeline()
    for k in (1, 2, 3):
        used.observe(batch(k * PERIOD_US, k))
    used.reset()
    events = batch(4 * PERIOD_US, 4)
    assert np.array_equal(used.observe(events), fresh.observe(events))


def test_the_same_again_gives_the_same_again():
    listening = stream()
    *_, features = fed(listening, range(1, 4))
    again = listening.feed(packet(batch(3 * PERIOD_US, 3), 3), 3, 0.05)
    assert np.array_equal(again, features)
    assert listening.source.counters.restarts == 0
    # and what follows is as if nothing had been repeated
    undisturbed = stream()
    *_, expected = fed(undisturbed, range(1, 6))
    *_, after = fed(listening, range(4, 6))
    assert np.array_equal(after, expected)


def test_a_window_of_several_packets_given_again_gives_the_same_again_once():
    listening = stream()
    fed(listening, range(1, 4))
    parts = list(event_packets(batch(4 * PERIOD_US, 4), 4, [4 * PERIOD_US - 5000]))
    assert len(parts) == 2
    for _ in range(3):
        nothing, features = (listening.feed(part, 4, 0.04) for part in parts)
        assert nothing is None
        assert np.array_equal(features, fed(stream(), range(1, 5))[-1])
    assert listening.source.counters.restarts == 0


def test_packets_shorter_than_a_window_give_features_once_a_window():
    """As a driver sends them, a packet each millisecond."""
    listening, features = stream(), []
    for k in range(1, 101):
        events = batch(k * 1000 + 123, k, count=10)
        t_us = np.sort(np.random.default_rng(k).integers((k - 1) * 1000, k * 1000, 10)) + 123
        features.append(
            listening.feed(packet(dataclasses.replace(events, t_us=t_us), k), k, 1e-3 * k)
        )
    given = [k for k, value in enumerate(features) if value is not None]
    assert set(np.diff(given)) == {10}
    assert len(given) == 10


def test_losses_are_counted_and_it_goes_on():
    listening = stream()
    fed(listening, range(1, 4))
    *_, features = fed(listening, range(9, 12))
    assert features is not None
    assert listening.unusable == 5
    assert listening.fault(0.11) == ''


def test_a_driver_that_begins_anew():
    listening, fresh = stream(), stream()
    fed(listening, range(1, 6), start_us=5_000_000)
    for now, then in zip(fed(listening, range(5)), fed(fresh, range(5)), strict=True):
        assert (now is None) == (then is None)
        assert now is None or np.array_equal(now, then)
    assert listening.source.counters.restarts == 1


@pytest.mark.parametrize(
    ('changes', 'said'),
    [
        ({'width': 640, 'height': 480}, 'sensor of 640 x 480 pixels, not 32 x 24'),
        ({'width': 0}, 'claims a sensor of 0 x 24'),
        ({'encoding': 'h264'}, "unknown encoding 'h264'"),
        ({'events': b'\x01\x02\x03'}, 'damaged: it ends within a word'),
        ({'events': b'\xff\x0f\xff\x2f' * 20}, 'damaged: its events are not on the sensor'),
    ],
)
def test_a_bad_packet_gives_no_features_but_a_line_and_the_next_good_one_does(changes, said):
    listening = stream()
    fed(listening, range(1, 4))
    for k in (4, 5):
        bad = packet(batch(k * PERIOD_US, k), k, **changes)
        assert listening.feed(bad, k, 0.01 * k) is None
        fault = listening.fault(0.01 * k)
        assert said in fault and '\n' not in fault
    *_, features = fed(listening, range(6, 9))
    assert features is not None
    assert listening.fault(0.09) == ''


def test_silence_is_a_fault_and_its_end_is_none():
    listening = stream()
    assert listening.fault(0.09) == ''
    assert 'no event packet yet' in listening.fault(0.11)
    fed(listening, range(1, 3))
    assert listening.fault(0.02 + 0.09) == ''
    assert 'have stopped' in listening.fault(0.02 + 0.11)
    fed(listening, range(30, 32))
    assert listening.fault(0.32) == ''
    assert stream(math.inf).fault(1e6) == ''


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=60), max_size=6))
def test_no_payload_breaks_it_and_good_packets_bring_it_back(payloads):
    listening = stream()
    fed(listening, range(1, 3))
    for k, payload in enumerate(payloads, start=3):
        listening.feed(packet(batch(k * PERIOD_US, k), k, events=payload), k, 0.01 * k)
    k = 3 + len(payloads)
    *_, features = fed(listening, range(k, k + 4))
    assert features is not None and np.isfinite(features).all()
    assert listening.fault(0.01 * (k + 4)) == ''


def test_the_rate_of_events():
    listening = stream()
    listening.values(0.0)
    fed(listening, range(1, 11))
    assert listening.values(0.1)['events_per_s'] == '4000'
    assert listening.values(0.2)['events_per_s'] == '0'
