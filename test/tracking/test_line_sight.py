"""The line in one event frame: drawn by hand through the camera's geometry."""

import math

import numpy as np
import pytest

from rtrrl_ros.tracking.floor_view import CameraConfig, floor_rows
from rtrrl_ros.tracking.frame_tracker import FrameTracker, FrameTrackerConfig
from rtrrl_ros.tracking.interventions import InterventionConfig
from rtrrl_ros.tracking.line_sight import LineSight, LineSighting
from rtrrl_ros.worlds.contract import StepType

CAMERA = CameraConfig()
WIDTH_M = 0.04


@pytest.fixture(scope='module')
def sight():
    return LineSight(CAMERA)


def frame_of(offset, slope, curvature, noise=0, seed=0):
    """ON events along the left edge of the line, OFF along the right one."""
    frame = np.zeros((2, CAMERA.height, CAMERA.width), np.float32)
    rows = floor_rows(CAMERA)
    for row in range(CAMERA.height):
        x, step = float(rows.ahead_m[row]), float(rows.step_m[row])
        middle = offset + slope * x + 0.5 * curvature * x * x
        half = 0.5 * WIDTH_M * math.hypot(1.0, slope + curvature * x)
        for channel, y in ((1, middle + half), (0, middle - half)):
            column = round(-y / step + 0.5 * (CAMERA.width - 1))
            if 0 <= column < CAMERA.width:
                frame[channel, row, column] += 2.0
    random = np.random.default_rng(seed)
    for _ in range(noise):
        frame[random.integers(2), random.integers(CAMERA.height), random.integers(346)] += 1.0
    return frame


@pytest.mark.parametrize('noise', [0, 1500])
@pytest.mark.parametrize(
    ('offset', 'slope', 'curvature'),
    [(0.0, 0.0, 0.0), (0.1, 0.0, 0.0), (-0.12, 0.2, 0.4), (0.05, -0.3, 0.8), (0.0, 0.1, -1.0)],
)
def test_a_drawn_line_is_found(sight, offset, slope, curvature, noise):
    seen = sight.look(frame_of(offset, slope, curvature, noise))
    assert seen is not None
    # carried on over 0.4 m that nobody sees: in a bend it is no better than this
    bound_m, bound_rad = (0.06, 0.15) if abs(curvature) >= 1.0 else (0.03, 0.1)
    assert seen.lateral_m == pytest.approx(-offset / math.hypot(1.0, slope), abs=bound_m)
    assert seen.heading_rad == pytest.approx(-math.atan(slope), abs=bound_rad)
    assert seen.curvature_1_m == pytest.approx(curvature, abs=0.3)
    assert seen.confidence > 0.7


def test_no_line_is_not_guessed(sight):
    assert sight.look(np.zeros(sight.shape, np.float32)) is None
    for seed in range(5):
        noise = np.random.default_rng(seed).poisson(0.1, sight.shape).astype(np.float32)
        assert sight.look(noise) is None


def test_a_seam_is_no_line(sight):
    """Both edges 5 mm apart, as a joint between two tiles."""
    frame = frame_of(0.05, 0.0, 0.0)
    rows, shifted = floor_rows(CAMERA), np.zeros_like(frame)
    for row in range(CAMERA.height):
        columns = round(0.035 / float(rows.step_m[row]))
        shifted[1, row] = frame[1, row]
        shifted[0, row] = np.roll(frame[0, row], -columns)
    assert sight.look(shifted) is None


def test_a_frame_of_another_camera_is_refused(sight):
    with pytest.raises(ValueError, match='a frame of'):
        sight.look(np.zeros((2, 10, 10), np.float32))


PERIOD_NS = 10_000_000
SEEN = LineSighting(0.05, 0.0, 0.0, 0.9)


def test_frames_without_a_line_give_no_state_until_the_line_is_lost():
    config = FrameTrackerConfig(lost_s=0.05, lap_s=1.0)
    tracker = FrameTracker(config, InterventionConfig())
    stamps = iter(range(PERIOD_NS, 10**12, PERIOD_NS))
    first = tracker.observe(next(stamps), SEEN, 9000)
    assert first is not None and first.step_type is StepType.FIRST
    for _ in range(20):  # it stands: no events, nothing is lost
        assert tracker.observe(next(stamps), None, 10) is None
    states = [tracker.observe(next(stamps), None, 9000) for _ in range(7)]
    assert states[:5] == [None] * 5
    assert states[5] is not None and states[5].terminated
    assert tracker.interventions.reason == 'the line is lost'
    assert tracker.observe(next(stamps), SEEN, 9000, driven=True) is None
    again = tracker.observe(next(stamps), SEEN, 9000, driven=False)
    assert again is not None and (again.step_type, again.lap) == (StepType.FIRST, 1)


def test_a_lap_of_frames_is_over_after_its_time():
    tracker = FrameTracker(FrameTrackerConfig(lap_s=0.5), InterventionConfig())
    states = [tracker.observe(k * PERIOD_NS, SEEN, 9000) for k in range(120)]
    lasts = [k for k, state in enumerate(states) if state and state.step_type is StepType.LAST]
    assert lasts == [50, 101]
    assert sum(s.task_reward for s in states[:51] if s) == pytest.approx(100.0 * 2.0 / 3.0)
