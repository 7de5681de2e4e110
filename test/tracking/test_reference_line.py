"""Reference lines: loaded, refused, recorded from a drive, and what they say about a pose."""

import math

import numpy as np
import pytest

from rtrrl_ros.errors import UserError
from rtrrl_ros.tracking.poses import Pose
from rtrrl_ros.tracking.recording import LineRecorder
from rtrrl_ros.tracking.reference_line import (
    ReferenceLine,
    load_reference_line,
    save_reference_line,
)

RADIUS_M = 1.5


def circle(count=200, turns=1.0, radius=RADIUS_M):
    angle = np.linspace(0.0, 2.0 * math.pi * turns, count, endpoint=False)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def write(path, text):
    path.write_text(text)
    return path


def test_what_is_saved_is_loaded(tmp_path):
    saved = ReferenceLine.of(circle(), np.linspace(1.0, 2.0, 200))
    save_reference_line(tmp_path / 'line.csv', saved)
    loaded = load_reference_line(tmp_path / 'line.csv')
    assert loaded.length_m == pytest.approx(2.0 * math.pi * RADIUS_M, rel=1e-3)
    assert loaded.line.points == pytest.approx(saved.line.points, abs=2e-3)
    assert loaded.speed_m_s is not None and saved.speed_m_s is not None
    assert loaded.speed_m_s == pytest.approx(saved.speed_m_s, abs=0.05)


def test_a_race_line_with_semicolons_and_comments_loads(tmp_path):
    rows = '\n'.join(f'{x:.3f}; {y:.3f}' for x, y in circle())
    path = write(tmp_path / 'line.csv', f'# made by hand\n# x_m; y_m\n{rows}\n# end\n')
    assert load_reference_line(path).length_m == pytest.approx(9.42, abs=0.02)


HALF = '\n'.join(f'{x},{y}' for x, y in circle(100, turns=0.5))


@pytest.mark.parametrize(
    ('text', 'said'),
    [
        ('1,2\n3,4\n', r'line.csv:1: the header x_m,y_m'),
        ('x_m,y_m\n1,2\n3\n', r'line.csv:3: 1 values under 2 columns'),
        ('x_m,y_m\n1,2\n3,left\n', r'line.csv:3: not a number'),
        ('x_m,y_m\n1,nan\n', r'line.csv:2: not a finite number'),
        ('x_m,y_m\n1,2\n', r'1 points are no closed line'),
        ('x_m,y_m\n0,0\n0.1,0\n0,0.1\n', r'0.24 m long; 2 m are the least'),
        (f'x_m,y_m\n{HALF}\n', r'not closed: 3.00 m from its end'),
    ],
)
def test_a_bad_file_is_one_clear_line(tmp_path, text, said):
    with pytest.raises(UserError, match=said):
        load_reference_line(write(tmp_path / 'line.csv', text))


def test_a_missing_file_says_how_to_make_one(tmp_path):
    with pytest.raises(UserError, match='record one with line_recorder_node'):
        load_reference_line(tmp_path / 'none.csv')


def test_an_unknown_pose_is_found_on_the_stretch_that_goes_its_way():
    """A hairpin 0.2 m wide: between the two stretches the heading decides."""
    out = [(0.05 * i, 0.0) for i in range(100)]
    back = [(0.05 * i, 0.2) for i in range(99, -1, -1)]
    line = ReferenceLine.of(np.array(out + back))
    assert line.find(2.5, 0.11, 0.0).lateral_m == pytest.approx(0.11, abs=1e-6)
    assert line.find(2.5, 0.09, math.pi).lateral_m == pytest.approx(0.11, abs=1e-6)


def drive(recorder, points, speed=1.2):
    for i, (x, y) in enumerate(points):
        if recorder.add(Pose(i * 10_000_000, x, y, 0.0, speed)):
            return True
    return False


def test_a_lap_is_recorded_smoothed_and_closed_although_odometry_drifts():
    random = np.random.default_rng(0)
    points = circle(600, turns=1.2, radius=RADIUS_M)
    points = points * np.linspace(1.0, 1.05, 600)[:, None] + 0.004 * random.normal(size=(600, 2))
    recorder = LineRecorder()
    drive(recorder, [(RADIUS_M, 0.0)] * 50)  # stands first
    assert recorder.driven_m == 0.0
    assert drive(recorder, points)
    line = recorder.reference_line()
    assert line.length_m == pytest.approx(2.0 * math.pi * RADIUS_M, rel=0.03)
    radius = np.hypot(*line.line.points.T)
    assert 1.45 < radius.min() and radius.max() < 1.6
    assert np.abs(line.line.curvature_1_m).max() < 2.0, 'smooth, also where the loop closes'
    assert line.speed_m_s == pytest.approx(1.2)


def test_a_drive_that_never_came_back_is_refused():
    recorder = LineRecorder()
    assert not drive(recorder, circle(300, turns=0.7))
    with pytest.raises(UserError, match='did not come back to its start'):
        recorder.reference_line()


def test_crossing_its_own_way_does_not_close_the_loop():
    angle = np.linspace(0.0, 2.0 * math.pi, 800)
    eight = np.stack([2.0 * np.sin(angle), 2.0 * np.sin(angle) * np.cos(angle)], axis=1)
    recorder = LineRecorder()
    assert not drive(recorder, eight[:500])
    assert drive(recorder, np.vstack([eight[500:], eight[1:100]]))
