"""Event frames: by hand, and against plain NumPy."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtrrl_ros.errors import UserError
from rtrrl_ros.perception.events import EventBatch
from rtrrl_ros.perception.events.conformance import random_events
from rtrrl_ros.perception.events.frames import FrameBuilder, FrameConfig
from rtrrl_ros.perception.events.frames_reference import reference_frame
from rtrrl_ros.perception.events.windows import EventWindow, EventWindows, WindowConfig

T = 10_000
REPRESENTATIONS = ('histogram', 'time_surface', 'edge_map')


def window(
    events: list[tuple[int, int, int, int]],
    width: int = 6,
    height: int = 4,
    end_us: int = T,
    restart: bool = False,
) -> EventWindow:
    """A window of (t, x, y, on)."""
    columns = list(zip(*events, strict=True)) if events else [(), (), (), ()]
    types = (np.int64, np.uint16, np.uint16, np.bool_)
    t, x, y, on = (np.array(c, dtype=kind) for c, kind in zip(columns, types, strict=True))
    batch = EventBatch(t, x, y, on, width, height, until_us=end_us)
    return EventWindow(end_us - T, end_us, [batch], restart)


def builder(width: int = 6, height: int = 4, **options: object) -> FrameBuilder:
    options = {'normalise': 'none', **options}
    return FrameBuilder(FrameConfig(**options), width, height, T)  # type: ignore[arg-type]


def test_histogram_counts_each_polarity() -> None:
    frame = builder().build(window([(1, 2, 3, 1), (2, 2, 3, 1), (3, 2, 3, 0), (4, 0, 0, 0)]))
    assert frame.shape == (2, 4, 6) and frame.dtype == np.float32
    assert frame[1, 3, 2] == 2
    assert frame[0, 3, 2] == frame[0, 0, 0] == 1
    assert frame.sum() == 4


def test_edge_map_is_the_sign_of_the_balance() -> None:
    events = [(1, 0, 0, 1), (2, 0, 0, 1), (3, 1, 0, 0), (4, 2, 0, 1), (5, 2, 0, 0)]
    frame = builder(representation='edge_map').build(window(events))
    assert frame.shape == (1, 4, 6)
    assert frame[0, 0].tolist() == [1, -1, 0, 0, 0, 0]
    assert not frame[0, 1:].any()


def test_time_surface_fades_over_windows() -> None:
    frames = builder(representation='time_surface', tau_ms=10.0)
    first = frames.build(window([(0, 1, 2, 1), (5_000, 1, 2, 1), (9_999, 0, 0, 0)]))
    assert first[1, 2, 1] == pytest.approx(np.exp(-0.5), rel=1e-6)
    assert first[0, 0, 0] == pytest.approx(np.exp(-0.0001), rel=1e-6)
    assert np.count_nonzero(first) == 2
    second = frames.build(window([(10_000, 1, 2, 0)], end_us=2 * T))
    assert second[1, 2, 1] == pytest.approx(np.exp(-1.5), rel=1e-6)
    assert second[0, 2, 1] == pytest.approx(np.exp(-1.0), rel=1e-6)
    gone = frames.build(window([], end_us=2 * T + 300_000))  # windows in between were lost
    assert not gone.any()


def test_a_restart_clears_the_time_surface() -> None:
    frames = builder(representation='time_surface')
    frames.build(window([(0, 1, 2, 1)]))
    assert frames.build(window([], end_us=2 * T)).any()
    assert not frames.build(window([], end_us=3 * T, restart=True)).any()


@pytest.mark.parametrize('representation', REPRESENTATIONS)
def test_a_window_without_events_is_a_frame_of_zeros(representation: str) -> None:
    for normalise in ('none', 'clip', 'rms'):
        frame = builder(representation=representation, normalise=normalise).build(window([]))
        assert not frame.any()


def test_frames_do_not_share_memory() -> None:
    frames = builder()
    first = frames.build(window([(1, 2, 3, 1)]))
    frames.build(window([]))
    assert first[1, 3, 2] == 1


def test_crop_and_area_average() -> None:
    frames = builder(crop_left=2, crop_top=1, crop_width=4, crop_height=2, columns=2, rows=1)
    assert frames.shape == (2, 1, 2)
    events = [(1, 1, 1, 1), (2, 2, 1, 1), (3, 3, 2, 1), (4, 5, 2, 1), (5, 5, 3, 1), (6, 2, 0, 1)]
    assert frames.build(window(events))[1].tolist() == [[0.5, 0.25]]


def test_normalisation() -> None:
    events = [(k, 0, 0, 1) for k in range(8)] + [(9, 1, 0, 1), (9, 1, 0, 1)]
    assert builder(normalise='clip', full_scale=4.0).build(window(events))[1, 0, :2].tolist() == [
        1.0, 0.5,
    ]  # fmt: skip
    frame = builder(normalise='rms', full_scale=10.0).build(window(events))
    rms = np.sqrt((8**2 + 2**2) / (2 * 4 * 6))
    assert frame[1, 0, :2] == pytest.approx([8 / rms / 10, 2 / rms / 10], rel=1e-6)


options = st.fixed_dictionaries(
    {
        'representation': st.sampled_from(REPRESENTATIONS),
        'tau_ms': st.sampled_from([1.0, 20.0, 300.0]),
        'crop_left': st.integers(0, 3),
        'crop_top': st.integers(0, 3),
        'crop_width': st.sampled_from([0, 7, 20]),
        'crop_height': st.sampled_from([0, 5, 16]),
        'columns': st.sampled_from([0, 1, 3, 5, 7]),
        'rows': st.sampled_from([0, 2, 4, 5]),
        'normalise': st.sampled_from(['none', 'clip', 'rms']),
        'full_scale': st.sampled_from([0.5, 1.0, 3.0]),
    }
)


@settings(max_examples=80, deadline=None)
@given(options=options, seed=st.integers(0, 99), count=st.integers(0, 300))
def test_frames_are_those_of_plain_numpy(options: dict, seed: int, count: int) -> None:
    width, height = 24, 20
    events = random_events(count, seed, start_us=0, span_us=3 * T)
    events = EventBatch(
        events.t_us, events.x % width, events.y % height, events.polarity, width, height, 3 * T
    )
    config = FrameConfig(**options)
    frames = FrameBuilder(config, width, height, T)
    windows = EventWindows(WindowConfig(), width, height)
    windows.advance(0)
    found = windows.push(events)
    assert len(found) == 3
    for window in found:
        frame = frames.build(window)
        assert frame.shape == frames.shape
        expected = reference_frame(config, events, window.start_us, window.end_us)
        np.testing.assert_allclose(frame, expected, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'crop_left': 6}, 'does not fit the 6 x 4 sensor'),
        ({'crop_width': 7}, 'a crop of 7 x 4 pixels at'),
        ({'crop_top': 3, 'crop_height': 2}, 'does not fit'),
        ({'columns': 7}, 'frames of 7 x 4 from 6 x 4 pixels'),
        ({'representation': 'voxels'}, 'representation'),
        ({'tau_ms': 0.0}, 'tau_ms'),
    ],
)
def test_what_does_not_fit_is_refused(options: dict, message: str) -> None:
    with pytest.raises(UserError, match=message):
        builder(**options)


def test_every_event_of_a_large_window_is_in_the_frame() -> None:
    events = random_events(200_000, start_us=0, span_us=T - 1)
    frame = builder(346, 260).build(EventWindow(0, T, [events]))
    assert frame.sum() == 200_000
    order = list(itertools.islice(zip(events.x, events.y, events.polarity, strict=True), 1000))
    assert all(frame[int(on), y, x] >= 1 for x, y, on in order)


def test_a_window_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match='a window of 5000 us'):
        builder().build(EventWindow(0, 5000, [EventBatch.empty(6, 4)]))
