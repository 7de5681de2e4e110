"""The contract of an event source as tests: inherit `EventSourceConformance`, say how to make it.

    class TestMySource(EventSourceConformance):
        def make_source(self, events):
            return MySource(...)  # that will deliver just these events

`events` lie on a sensor of 346 x 260 and are in order.
"""

import numpy as np

from .contract import EventBatch, EventSource

WIDTH, HEIGHT = 346, 260


def random_events(
    count: int, seed: int = 0, start_us: int = 1000, span_us: int = 50_000
) -> EventBatch:
    """So many events in order, anywhere on the sensor, within `span_us` from `start_us`."""
    random = np.random.default_rng(seed)
    return EventBatch(
        np.sort(random.integers(start_us, start_us + span_us, count)),
        random.integers(0, WIDTH, count).astype(np.uint16),
        random.integers(0, HEIGHT, count).astype(np.uint16),
        random.random(count) < 0.5,
        WIDTH,
        HEIGHT,
        until_us=start_us + span_us,
    )


def concatenate(batches: list[EventBatch]) -> EventBatch:
    """All events of several batches of one sensor as one batch."""
    until_us = max(batch.until_us for batch in batches)
    return EventBatch.join(batches, batches[0].width, batches[0].height, until_us)


def assert_same_events(found: EventBatch, expected: EventBatch) -> None:
    """The same events in the same order, from sensors of the same size."""
    assert (found.width, found.height) == (expected.width, expected.height)
    for name in ('t_us', 'x', 'y', 'polarity'):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), err_msg=name)


class EventSourceConformance:
    """Checks that any source must pass; override `make_source`."""

    #: how long to wait for a live source
    TIMEOUT_S = 5.0
    #: whether it ends by itself, and can then be opened again
    ENDS = True

    def make_source(self, events: EventBatch) -> EventSource:
        """A new source, not opened yet, that delivers these events (perhaps none)."""
        raise NotImplementedError

    def drain(self, source: EventSource, count: int) -> list[EventBatch]:
        """Batches until the end, or from a source without an end until there are `count` events."""
        batches, seen = [], 0
        while self.ENDS or seen < count:
            batch = source.next_batch(self.TIMEOUT_S)
            if batch is None:
                break
            assert len(batch) or self.ENDS, 'nothing came in time'
            batches.append(batch)
            seen += len(batch)
        return batches

    def test_every_event_comes_once_and_in_order(self) -> None:
        events = random_events(2500)
        with self.make_source(events) as source:
            batches = self.drain(source, len(events))
            assert_same_events(concatenate(batches), events)
            assert source.counters.events == len(events)
            assert source.counters.lost_packets == source.counters.rejected_events == 0

    def test_the_size_of_the_sensor_is_known_once_it_is_open(self) -> None:
        with self.make_source(random_events(10)) as source:
            assert (source.width, source.height) == (WIDTH, HEIGHT)

    def test_time_says_how_far_the_batches_are_complete(self) -> None:
        events, complete_us = random_events(2500), 0
        with self.make_source(events) as source:
            for batch in self.drain(source, len(events)):
                if len(batch):
                    assert batch.t_us[0] >= complete_us
                    assert np.all(batch.t_us[1:] >= batch.t_us[:-1])
                    assert batch.until_us >= batch.t_us[-1]
                    complete_us = batch.until_us
                assert not batch.restart

    def test_a_source_without_events_delivers_none(self) -> None:
        if self.ENDS:
            with self.make_source(random_events(0)) as source:
                assert sum(len(batch) for batch in self.drain(source, 0)) == 0
                assert source.counters.events == 0

    def test_it_stays_at_its_end(self) -> None:
        if self.ENDS:
            with self.make_source(random_events(20)) as source:
                self.drain(source, 20)
                assert source.next_batch() is None
                assert source.next_batch() is None

    def test_it_can_be_opened_again_and_begins_anew(self) -> None:
        if self.ENDS:
            events = random_events(300)
            source = self.make_source(events)
            for _ in range(2):
                with source:
                    assert_same_events(concatenate(self.drain(source, 300)), events)
                    assert source.counters.events == 300

    def test_a_closed_source_delivers_nothing(self) -> None:
        source = self.make_source(random_events(10))
        self.check_closed(source)
        source.open()
        source.close()
        source.close()
        self.check_closed(source)

    def check_closed(self, source: EventSource) -> None:
        try:
            source.next_batch()
        except RuntimeError:
            return
        raise AssertionError('a source that is not open gave an answer')
