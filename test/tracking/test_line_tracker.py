"""The state of a car on a recorded line: laps, interventions, and the line world's own words."""

import math

import numpy as np
import pytest

from rtrrl_ros.tracking.interventions import InterventionConfig
from rtrrl_ros.tracking.laps import LapCounter
from rtrrl_ros.tracking.line_tracker import LineTracker
from rtrrl_ros.tracking.poses import Pose
from rtrrl_ros.tracking.reference_line import ReferenceLine
from rtrrl_ros.worlds.contract import StepType
from rtrrl_ros.worlds.line import LineConfig, LineExpert, LineExpertConfig, LineWorld

RADIUS_M = 2.0
PERIOD_NS = 10_000_000


class Course:
    """Poses on a circle, driven to the left, the start at angle 0."""

    def __init__(self, **limits):
        angle = np.linspace(0.0, 2.0 * math.pi, 300, endpoint=False)
        points = RADIUS_M * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        self.tracker = LineTracker(ReferenceLine.of(points), InterventionConfig(**limits))
        self.stamp = 0

    def at(self, angle, aside=0.0, turned=0.0, speed=1.0, driven=None):
        self.stamp += PERIOD_NS
        radius = RADIUS_M - aside
        heading = angle + 0.5 * math.pi + turned
        x, y = radius * math.cos(angle), radius * math.sin(angle)
        return self.tracker.observe(Pose(self.stamp, x, y, heading, speed), driven)


def test_laps_end_truncated_where_they_began_and_the_start_line_stays():
    course, lasts = Course(), []
    step = 0.01
    for k in range(round(3.05 * 2.0 * math.pi / step)):
        state = course.at(0.3 + step * k)
        assert state is not None
        if state.step_type is StepType.LAST:
            lasts.append((k, state))
            assert state.truncated and not state.terminated
    turns = [k * step / (2.0 * math.pi) for k, _ in lasts]
    assert turns == pytest.approx([1.0, 2.0, 3.0], abs=0.002)
    assert [state.lap for _, state in lasts] == [0, 1, 2]


def test_rolling_back_and_forth_over_the_start_line_is_one_lap():
    counter = LapCounter(10.0)
    ends = [counter.advance(p) for p in (9.9, 0.2, -0.4, 0.3, -0.2, 0.5)]
    assert ends == [False, True, False, False, False, False]
    assert counter.laps == 1


def test_lateral_error_heading_error_progress_and_task_reward():
    course = Course()
    course.at(0.0)
    state = course.at(0.01, aside=0.05, turned=-0.2)
    assert state is not None and state.step_type is StepType.MID
    assert state.lateral_error_m == pytest.approx(0.05, abs=1e-3)
    assert state.heading_error_rad == pytest.approx(-0.2, abs=5e-3)
    assert state.progress_m == pytest.approx(0.02, abs=1e-3)
    share = state.progress_m / (2.0 * math.pi * RADIUS_M)
    assert state.task_reward == pytest.approx(100.0 * share * (1.0 - 0.05 / 0.15), rel=0.05)


def test_off_the_line_ends_the_lap_and_a_person_must_bring_the_car_back():
    course = Course()
    course.at(0.0, driven=True)
    state = course.at(0.01, aside=-0.4, driven=True)
    assert state is not None and state.terminated and state.step_type is StepType.LAST
    assert 'off the line' in course.tracker.interventions.reason
    assert course.at(0.02, aside=-0.4, driven=True) is None
    assert course.at(0.03, driven=True) is None, 'nobody has stepped in yet'
    assert course.at(0.03, aside=0.2, driven=False) is None, 'too far from the line to begin'
    first = course.at(0.04, driven=False)
    assert first is not None and first.step_type is StepType.FIRST and first.lap == 1
    assert course.tracker.interventions.reason == ''


def test_facing_the_wrong_way_and_not_a_number():
    course = Course()
    course.at(0.0)
    state = course.at(0.0, turned=math.pi)
    assert state is not None and state.terminated


def test_only_a_car_that_is_told_to_drive_can_stall():
    course = Course(stalled_time_s=0.1)
    for _ in range(50):
        state = course.at(0.0, speed=0.0, driven=False)
        assert state is not None and not state.terminated
    states = [course.at(0.0, speed=0.0, driven=True) for _ in range(13)]
    assert [bool(state and state.terminated) for state in states].index(True) == 11


def test_a_line_world_is_told_as_it_tells_itself():
    """On poses of the line world, a lap and the start of the next."""
    world = LineWorld(LineConfig(decision_ms=20), seed=3)
    expert = LineExpert(world, LineExpertConfig.human(), seed=3)
    reference = ReferenceLine.of(world.centre_line.points)
    tracker = LineTracker(reference, InterventionConfig())
    observation = world.reset(0)
    for _ in range(250):
        x, y, heading = world.car.pose
        pose = Pose(observation.stamp_ns, x, y, heading, world.car.speed_m_s)
        state, true = tracker.observe(pose), observation.state
        assert state is not None and state.step_type == true.step_type
        assert state.lateral_error_m == pytest.approx(true.lateral_error_m, abs=1e-3)
        assert state.heading_error_rad == pytest.approx(true.heading_error_rad, abs=0.02)
        assert state.progress_m == pytest.approx(true.progress_m, abs=2e-3)
        assert state.speed_m_s == true.speed_m_s
        observation = world.step(expert.act(observation.stamp_ns))
