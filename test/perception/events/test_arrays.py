"""Events from arrays and .npz files."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from rtrrl_ros.errors import UserError
from rtrrl_ros.perception.events import EventBatch, EventSource
from rtrrl_ros.perception.events.arrays import ArraySource, load_events, save_events
from rtrrl_ros.perception.events.conformance import (
    EventSourceConformance,
    assert_same_events,
    random_events,
)


class TestInMemory(EventSourceConformance):
    def make_source(self, events: EventBatch) -> EventSource:
        return ArraySource(events, events_per_batch=100)


class TestFile(EventSourceConformance):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    def make_source(self, events: EventBatch) -> EventSource:
        path = self.folder / 'events.npz'
        save_events(path, events)
        return ArraySource(path)


def test_the_last_batch_says_how_far_the_events_reach() -> None:
    with ArraySource(random_events(5, start_us=0, span_us=100), events_per_batch=3) as source:
        first, second = source.next_batch(), source.next_batch()
        assert first is not None and second is not None
        assert first.until_us == first.t_us[-1]
        assert second.until_us == 100


def test_integers_of_another_type_are_converted(tmp_path: Path) -> None:
    events = random_events(50)
    np.savez(
        tmp_path / 'e.npz', t_us=events.t_us.astype(np.int32), x=events.x.astype(int), y=events.y,
        polarity=events.polarity.astype(np.int8), width=346, height=260,
    )  # fmt: skip
    assert_same_events(load_events(tmp_path / 'e.npz'), events)


def test_a_bad_file_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r'none.npz: no such file'):
        ArraySource(tmp_path / 'none.npz').open()
    text = tmp_path / 'text.npz'
    text.write_text('hello')
    with pytest.raises(UserError, match=r'text.npz is no .npz file'):
        ArraySource(text).open()
    np.savez(tmp_path / 'part.npz', t_us=np.arange(3), x=np.arange(3))
    with pytest.raises(UserError, match='holds no y, polarity, width, height'):
        ArraySource(tmp_path / 'part.npz').open()
    np.savez(
        tmp_path / 'short.npz', t_us=np.arange(3), x=np.arange(2), y=np.arange(3),
        polarity=np.arange(3), width=8, height=8,
    )  # fmt: skip
    with pytest.raises(UserError, match=r'short.npz: x is uint16'):
        ArraySource(tmp_path / 'short.npz').open()


def test_events_out_of_order_or_outside_the_sensor_are_refused() -> None:
    events = random_events(10)
    events.t_us[4] = events.t_us[3] - 1
    with pytest.raises(UserError, match='event 4 is earlier'):
        ArraySource(events).open()
    small = dataclasses.replace(random_events(10), width=3)
    with pytest.raises(UserError, match='outside the 3 x 260 sensor'):
        ArraySource(small).open()
