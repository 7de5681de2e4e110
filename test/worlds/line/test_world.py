"""The line world: the contract of worlds, laps, interventions, what a shift changes."""

import dataclasses

import numpy as np
import pytest

from rtrrl_ros.errors import UserError
from rtrrl_ros.safety.command import Command
from rtrrl_ros.worlds import StepType, make_world, parse_shift
from rtrrl_ros.worlds.conformance import WorldConformance
from rtrrl_ros.worlds.line import LineConfig, LineExpert, LineExpertConfig, LineShift, LineWorld

#: a coarse floor is painted in no time, and a small image is looked at in less
FAST = LineConfig(texel_m=0.01, width=86, height=64, focal_length_px=54.0)


def drive(world, lap=0, decisions=10_000, **values):
    """One lap by the expert; returns its observations."""
    expert = LineExpert(world, LineExpertConfig(**values))
    observations = [world.reset(lap)]
    while observations[-1].state.step_type != StepType.LAST and len(observations) <= decisions:
        observations.append(world.step(expert.act(observations[-1].stamp_ns)))
    return observations


def mean_error(observations):
    return np.mean([abs(observation.state.lateral_error_m) for observation in observations[1:]])


class TestLineWorld(WorldConformance):
    def make_world(self, seed):
        return LineWorld(FAST, seed=seed)


class TestShiftedLineWorld(WorldConformance):
    """With all that has a state of its own: flicker, latency, other thresholds, a rolling start."""

    SHIFT = LineShift(
        steering_offset=0.1, light=4.0, contrast_threshold=0.8, latency=0.02, floor_texture='wood'
    )

    def make_world(self, seed):
        config = dataclasses.replace(FAST, subframe_us=1000, refractory_s=0.0)
        return LineWorld(config, self.SHIFT, seed=seed, split='training')


def test_the_expert_completes_a_lap_close_to_the_line():
    world = LineWorld(FAST)
    observations = drive(world)
    last = observations[-1].state
    assert last.truncated and not last.terminated
    assert mean_error(observations) < 0.02
    progress = sum(observation.state.progress_m for observation in observations)
    assert world.centre_line.length_m <= progress < world.centre_line.length_m + 0.02
    seconds = (observations[-1].stamp_ns - observations[0].stamp_ns) * 1e-9
    assert 0.9 < world.centre_line.length_m / 1.6 / seconds < 1.05


def test_the_return_of_a_lap_is_100_less_what_was_lost_beside_the_line():
    observations = drive(LineWorld(FAST))
    total = sum(observation.state.task_reward for observation in observations)
    assert total == pytest.approx(100.0 * (1.0 - mean_error(observations) / 0.15), abs=1.0)
    slower = drive(LineWorld(FAST), speed_m_s=0.8)
    assert sum(seen.state.task_reward for seen in slower) == pytest.approx(total, abs=4.0)


def test_every_lap_begins_at_the_start_line_at_rest():
    world = LineWorld(FAST)
    starts = []
    for lap in range(4):
        state = world.reset(lap).state
        starts.append((state.lateral_error_m, state.heading_error_rad))
        assert state.speed_m_s == 0.0
        assert abs(world.centre_line.progress(0.0, world.projection.arc_m)) < 0.01
        drive(world, lap, decisions=20)
    assert len(set(starts)) == 4, 'the car is put down a little differently each time'
    assert all(abs(lateral) < 0.1 and abs(heading) < 0.25 for lateral, heading in starts)


def test_a_rolling_start_sees_events_at_once():
    world = LineWorld(dataclasses.replace(FAST, start_speed_m_s=1.6))
    first = world.reset(0)
    assert first.state.speed_m_s == pytest.approx(1.6)
    assert len(world.step(Command(first.stamp_ns, 0.0, 1.6, 0.0)).events) > 50


def test_a_car_that_leaves_the_line_is_stopped_there():
    world = LineWorld(FAST)
    observation = world.reset(0)
    while observation.state.step_type != StepType.LAST:
        observation = world.step(Command(observation.stamp_ns, 0.4, 1.6, 0.0))
    assert observation.state.terminated and not observation.state.truncated
    assert 0.3 < observation.state.lateral_error_m < 0.3 + 0.016 + 0.001


def test_a_car_that_stands_still_is_an_intervention():
    world = LineWorld(dataclasses.replace(FAST, stalled_time_s=0.5))
    observation, steps = world.reset(0), 0
    while observation.state.step_type != StepType.LAST:
        observation = world.step(Command.zero(observation.stamp_ns))
        steps += 1
    assert observation.state.terminated
    assert steps == 51


def test_the_time_limit_truncates():
    observations = drive(LineWorld(dataclasses.replace(FAST, time_limit_s=0.3)))
    assert len(observations) == 31
    assert observations[-1].state.truncated


def test_the_policys_window_may_be_another():
    world = LineWorld(dataclasses.replace(FAST, decision_ms=20))
    observations = drive(world, decisions=30)
    assert world.decision_period_s == 0.02
    assert np.diff([seen.stamp_ns for seen in observations]).tolist() == [20_000_000] * 30
    late = [np.any(seen.events.until_us - seen.events.t_us > 10_000) for seen in observations]
    assert any(late)


# What a shift changes.


def test_a_steering_offset_pushes_the_car_to_that_side_of_the_line():
    straight = drive(LineWorld(FAST))
    for offset in (0.1, -0.1):
        observations = drive(LineWorld(FAST, LineShift(steering_offset=offset)))
        assert observations[-1].state.truncated
        mean = np.mean([observation.state.lateral_error_m for observation in observations])
        assert np.sign(mean) == np.sign(offset) and abs(mean) > 0.02
        assert mean_error(observations) > 1.5 * mean_error(straight)


def test_latency_delays_the_car_and_nothing_else():
    heading = []
    for latency in (0.0, 0.03):
        world = LineWorld(
            dataclasses.replace(FAST, start_speed_m_s=1.0), LineShift(latency=latency)
        )
        stamp, course = world.reset(0).stamp_ns, []
        for _ in range(20):
            world.step(Command(stamp, 0.3, 1.0, 0.0))
            course.append(world.car.pose[2])
        heading.append(np.array(course))
    prompt, late = heading
    assert np.ptp(late[:4]) < 1e-9, 'nothing happens for 40 ms: 10 ms are the car itself'
    assert np.ptp(prompt[:4]) > 1e-3
    assert np.allclose(late[3:], prompt[:-3], atol=1e-6)


def test_speed_replaces_any_commanded_speed_but_0():
    world = LineWorld(FAST, LineShift(speed=0.7))
    observations = drive(world, decisions=200)
    assert observations[-1].state.speed_m_s == pytest.approx(0.7, abs=0.01)
    for _ in range(150):
        observation = world.step(Command.zero(observations[-1].stamp_ns))
    assert observation.state.speed_m_s < 0.02


def events_per_s(shift, decisions=150):
    world = LineWorld(FAST, shift)
    observations = drive(world, decisions=decisions)
    return sum(len(seen.events) for seen in observations) / (decisions * world.decision_period_s)


def test_a_lower_contrast_threshold_gives_more_events():
    normal = events_per_s(LineShift())
    assert events_per_s(LineShift(contrast_threshold=0.5)) > 1.5 * normal
    assert events_per_s(LineShift(contrast_threshold=2.0)) < 0.7 * normal


def test_sunlight_changes_what_is_seen_but_not_the_track():
    plain, sunny = LineWorld(FAST), LineWorld(FAST, LineShift(light=4.0))
    assert np.array_equal(plain.centre_line.points, sunny.centre_line.points)
    ratio = np.exp(sunny.sensor.camera.floor.texels - plain.sensor.camera.floor.texels)
    base = ratio[: int(plain.sensor.camera.floor.levels[1, 0])]
    assert 0.99 < base.min() < 1.1 and 3.9 < base.max() < 4.01


def test_light_flickers_at_100_hz():
    world = LineWorld(dataclasses.replace(FAST, subframe_us=1000), LineShift(light=4.0))
    stamp, courses = world.reset(0).stamp_ns, []
    for _ in range(10):
        world.step(Command.zero(stamp))
        courses.append(world.flicker_log)
    spectrum = np.abs(np.fft.rfft(np.concatenate(courses)))
    assert np.fft.rfftfreq(100, 1e-3)[np.argmax(spectrum)] == pytest.approx(100.0)
    assert 0.02 < np.max(courses) < 0.2
    still = LineWorld(FAST)
    still.step(Command.zero(still.reset(0).stamp_ns))
    assert not np.any(still.flicker_log)


def test_another_floor_is_another_picture_of_the_same_track():
    plain, wood = LineWorld(FAST), LineWorld(FAST, LineShift(floor_texture='wood'))
    assert np.array_equal(plain.centre_line.points, wood.centre_line.points)
    assert not np.array_equal(plain.sensor.camera.floor.texels, wood.sensor.camera.floor.texels)


def test_shifts_come_from_the_command_line():
    shift = parse_shift('line', ['steering_offset=0.1', 'floor_texture=wood', 'light=2'])
    assert shift == LineShift(steering_offset=0.1, floor_texture='wood', light=2.0)
    assert isinstance(make_world('line', FAST, shift, seed=1), LineWorld)


@pytest.mark.parametrize(
    ('make', 'words'),
    [
        (lambda: parse_shift('line', ['floor_texture=grass']), 'one of .*wood'),
        (lambda: parse_shift('line', ['friction=2']), 'unknown parameter'),
        (lambda: parse_shift('line', ['steering_offset=left']), 'not a number'),
        (lambda: LineConfig(subframe_us=1500), 'must divide decision_ms'),
        (lambda: LineConfig(min_length_m=30.0), 'max_length_m'),
        (lambda: LineWorld(FAST, seed=-1), 'seed'),
        (lambda: LineWorld(FAST, split='test'), 'training, evaluation'),
    ],
)
def test_mistakes_name_the_fix(make, words):
    with pytest.raises(UserError, match=words):
        make()


def test_training_and_evaluation_have_other_tracks():
    lines = {
        LineWorld(FAST, seed=seed, split=split).centre_line.length_m
        for seed in (0, 1)
        for split in ('training', 'evaluation')
    }
    assert len(lines) == 4
