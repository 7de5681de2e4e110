"""Frames of windows that came in many packets are those of windows that came at once."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtrrl_ros.perception.events.contract import EventBatch
from rtrrl_ros.perception.events.frames import FrameBuilder, FrameConfig
from rtrrl_ros.perception.events.windows import EventWindows, WindowConfig
from rtrrl_ros.perception.pipeline import EventPipeline

WIDTH, HEIGHT = 24, 18
WINDOW = WindowConfig(window_ms=10.0, max_gap_ms=100.0)
REPRESENTATIONS = ('time_surface', 'histogram', 'edge_map')


@st.composite
def packets(draw) -> list[EventBatch]:
    """A stream as bad as can be: slips, gaps, bursts, silence, restarts, late events."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    now, stream = draw(st.integers(0, 50_000)), []
    for _ in range(draw(st.integers(1, 40))):
        step = draw(st.sampled_from([0, 500, 2_000, 2_000, 3_000, 10_000, 35_000, 150_000]))
        restart = draw(st.sampled_from([False] * 9 + [True]))
        if restart:
            now = draw(st.sampled_from([now, now // 10_000 * 10_000, 0]))
        slip = draw(st.sampled_from([0, 0, 0, 1_000, 12_000]))
        count = draw(st.sampled_from([0, 1, 30, 200]))
        t_us = now + random.integers(-min(slip, now), step + 1, count)
        stream.append(
            EventBatch(
                np.sort(t_us), random.integers(0, WIDTH, count, np.uint16),
                random.integers(0, HEIGHT, count, np.uint16), random.random(count) < 0.5,
                WIDTH, HEIGHT, now + step, restart,
            )
        )  # fmt: skip
        now += step
    return stream


@pytest.mark.parametrize('representation', REPRESENTATIONS)
@settings(max_examples=150, deadline=None)
@given(stream=packets())
def test_what_is_built_ahead_is_what_is_built_at_the_end(representation, stream):
    config = FrameConfig(representation=representation, tau_ms=30.0, columns=8, rows=6)
    pipeline = EventPipeline(WINDOW, config, WIDTH, HEIGHT)
    windows = EventWindows(WINDOW, WIDTH, HEIGHT)
    builder = FrameBuilder(config, WIDTH, HEIGHT, pipeline.window_us)
    windows.advance(max(0, stream[0].until_us - pipeline.window_us))
    first = True
    for batch in stream:
        done = windows.push(batch)
        for window in done:
            # what comes out of order is put in order before it is drawn
            sorted_window = dataclasses.replace(window, parts=[window.events])
            if first:
                sorted_window = dataclasses.replace(sorted_window, restart=True)
            expected, first = builder.build(sorted_window), False
        assert pipeline.push(batch) == bool(done)
        if done:
            assert np.array_equal(pipeline._frame, expected)


def test_a_reset_forgets_what_was_built_ahead():
    config = FrameConfig(representation='time_surface', tau_ms=30.0)
    fresh, used = (EventPipeline(WINDOW, config, WIDTH, HEIGHT) for _ in range(2))

    def batch(x: int, until_us: int) -> EventBatch:
        t_us, place = np.array([until_us - 1]), np.array([x], np.uint16)
        return EventBatch(t_us, place, place, np.array([True]), WIDTH, HEIGHT, until_us)

    for until_us in (10_000, 12_000):
        used.push(batch(3, until_us))
    used.reset()
    # the first window afterwards is the one that had been begun
    for until_us in (22_000, 24_000, 30_000):
        assert used.push(batch(5, until_us)) == fresh.push(batch(5, until_us))
        assert np.array_equal(used._frame, fresh._frame)
    assert np.count_nonzero(used._frame) == 1
