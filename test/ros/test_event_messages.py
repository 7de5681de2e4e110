"""Event packets as messages decode to exactly the events that went in, also over a topic."""

import numpy as np
import pytest
from event_camera_msgs.msg import EventPacket
from hypothesis import given, settings
from hypothesis import strategies as st

from rtrrl_ros.nodes.event_messages import event_packet, event_packet_messages
from rtrrl_ros.nodes.messages import stamp_ns
from rtrrl_ros.nodes.qos import EVENTS_COMPLETE
from rtrrl_ros.perception.events import packing
from rtrrl_ros.perception.events.contract import UNKNOWN_US, EventBatch
from rtrrl_ros.perception.events.packets import PacketSource

WIDTH, HEIGHT = 346, 260


@st.composite
def batches(draw) -> EventBatch:
    """Up to a few hundred events of some 10 ms, in bursts as a moving edge makes them."""
    start_us = draw(st.integers(0, (1 << 24) - 1))
    count = draw(st.integers(0, 400))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    burst = draw(st.sampled_from([1, 12, 40]))
    t_us = np.sort(start_us + random.integers(0, 10_000, count) // burst * burst)
    until_us = int(t_us[-1] if count else start_us) + draw(st.integers(0, 20_000))
    first_us = int(t_us[0]) if count else until_us
    turn_us = first_us >> 24 << 24  # sensor time has 24 bits: which turn it begins in is not told
    t_us, until_us = t_us - turn_us, until_us - turn_us
    column = (random.integers(0, WIDTH, count) + np.arange(count) % burst) % WIDTH
    return EventBatch(
        t_us, column.astype(np.uint16), random.integers(0, HEIGHT, count, np.uint16),
        random.random(count) < draw(st.sampled_from([0.0, 0.5, 1.0])), WIDTH, HEIGHT, until_us,
    )  # fmt: skip


def decoded(messages: list[EventPacket]) -> EventBatch:
    """What a subscriber makes of these, from the first on."""
    source = PacketSource(WIDTH, HEIGHT)
    source.open()
    parts = [source.feed(event_packet(message)) for message in messages]
    assert source.fault == '' and source.counters.lost_packets == 0
    assert source.counters.rejected_events == source.counters.damaged_packets == 0
    return EventBatch.join(parts, WIDTH, HEIGHT, parts[-1].until_us)


def assert_same(one: EventBatch, other: EventBatch) -> None:
    for name in ('t_us', 'x', 'y', 'polarity'):
        assert np.array_equal(getattr(one, name), getattr(other, name)), name
    assert one.until_us == other.until_us


@settings(max_examples=150, deadline=None)
@given(batches(), st.integers(1, 500), st.integers(0, 2**40))
def test_messages_decode_to_the_events(batch, most, seq):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packing, 'EVENTS_PER_PACKET', most)
        messages = list(event_packet_messages(batch, 1_234_567_890_123, seq))
    assert len(messages) == max(1, -(-len(batch) // most))
    assert [message.seq for message in messages] == list(range(seq, seq + len(messages)))
    assert {stamp_ns(message) for message in messages} == {1_234_567_890_123}
    assert_same(decoded(messages), batch)


@settings(max_examples=100, deadline=None)
@given(batches(), st.lists(st.integers(1, 9_999), max_size=6, unique=True))
def test_messages_end_where_they_are_told_to(batch, after_us):
    begin_us = int(batch.t_us[0]) if len(batch) else max(0, batch.until_us - 10_000)
    ends_us = [begin_us + after for after in sorted(after_us) if begin_us + after < batch.until_us]
    messages = list(event_packet_messages(batch, 5, 0, ends_us))
    assert_same(decoded(messages), batch)
    source = PacketSource(WIDTH, HEIGHT)
    source.open()
    parts = [source.feed(event_packet(message)) for message in messages]
    assert [part.until_us for part in parts] == [*ends_us, batch.until_us]
    for part, next_begins_us in zip(parts[1:], ends_us, strict=True):
        assert not len(part) or part.t_us[0] >= next_begins_us
    for part, end_us in zip(parts, ends_us, strict=False):
        assert not len(part) or part.t_us[-1] < end_us


def test_a_batch_that_tells_no_time():
    (message,) = event_packet_messages(EventBatch.empty(WIDTH, HEIGHT), 5, 0)
    assert (len(message.events), message.time_base) == (0, 0)
    assert decoded([message]).until_us == UNKNOWN_US


@settings(max_examples=5, deadline=None)
@given(batches())
def test_the_payload_is_not_copied(batch):
    (message,) = event_packet_messages(batch, 5, 0)
    assert np.shares_memory(
        np.frombuffer(event_packet(message).events, np.uint8),
        np.frombuffer(message.events, np.uint8),
    )


def test_over_a_topic(graph):
    sent: list[EventBatch] = []
    heard = graph.collect(EventPacket, '/event_camera/events', EVENTS_COMPLETE)
    publisher = graph.publisher(EventPacket, '/event_camera/events', EVENTS_COMPLETE)
    graph.until(lambda: publisher.get_subscription_count() > 0, 'a subscriber')

    @settings(max_examples=30, deadline=None)
    @given(batches())
    def send_one(batch):
        count, messages = len(heard), list(event_packet_messages(batch, 77, len(sent)))
        for message in messages:
            publisher.publish(message)
        graph.until(lambda: len(heard) == count + len(messages), 'the packets')
        assert_same(decoded(heard[count:]), batch)
        sent.append(batch)

    send_one()
    assert len(sent) >= 30
