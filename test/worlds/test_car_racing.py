import contextlib
import gc
import math
import pathlib

import numpy as np
import pytest
from gymnasium.envs.box2d.car_racing import CarRacing

from rtrrl_ros.errors import UserError
from rtrrl_ros.safety.command import Command
from rtrrl_ros.worlds.car_racing import (
    HALF_WIDTH_M,
    CarRacingConfig,
    CarRacingShift,
    CarRacingWorld,
    track_seed,
)
from rtrrl_ros.worlds.car_racing_env import FastCarRacing
from rtrrl_ros.worlds.conformance import WorldConformance, assert_same
from rtrrl_ros.worlds.contract import Observation, StepType


class TestCarRacingConformance(WorldConformance):
    def make_world(self, seed: int) -> CarRacingWorld:
        # A short lap, so that those which must end do so soon.
        return CarRacingWorld(CarRacingConfig(time_limit_s=3.0), seed=seed)


class TestShiftedCarRacingConformance(WorldConformance):
    DECISIONS = 20

    def make_world(self, seed: int) -> CarRacingWorld:
        shift = CarRacingShift(steering_offset=0.1, engine_power=0.7, friction=0.8, light=1.3)
        config = CarRacingConfig(time_limit_s=2.0, frame_skip=3)
        return CarRacingWorld(config, shift, seed, 'training')


@pytest.fixture
def world():
    with contextlib.closing(CarRacingWorld()) as made:
        yield made


def drive(world: CarRacingWorld, decisions: int, steering=0.0, acceleration=0.0) -> Observation:
    observation = None
    for _ in range(decisions):
        stamp = 0 if observation is None else observation.stamp_ns
        observation = world.step(Command(stamp, steering, 0.0, acceleration))
    return observation


def random_actions(seed: int, frames: int) -> list[np.ndarray]:
    """Steering, gas and brake, held for ten frames each, often leaving the road."""
    random = np.random.default_rng(seed)
    actions = []
    for frame in range(frames):
        if frame % 10 == 0:
            gas = random.uniform() * (random.random() < 0.6)
            brake = random.uniform() * (random.random() < 0.2)
            action = np.array([random.uniform(-0.3, 0.3), gas, brake])
        actions.append(action)
    return actions


def compare_with_stock(seed: int, frames: int) -> None:
    stock, fast = CarRacing(), FastCarRacing()
    assert np.array_equal(stock.reset(seed=seed)[0], fast.reset(seed=seed)[0])
    for frame, action in enumerate(random_actions(seed, frames)):
        expected, got = stock.step(action), fast.step(action)
        assert np.array_equal(expected[0], got[0]), f'seed {seed}: frame {frame} differs'
        assert expected[1:] == got[1:]
        assert stock.car.hull.position == fast.car.hull.position
        assert stock.car.hull.angle == fast.car.hull.angle
    fast.close()


def test_pixels_rewards_and_physics_are_those_of_the_stock_environment():
    compare_with_stock(seed=0, frames=150)


@pytest.mark.slow
@pytest.mark.parametrize('seed', range(1, 7))
def test_pixels_are_stock_on_many_tracks(seed):
    compare_with_stock(seed, frames=400)


def test_pixels_are_stock_at_the_edge_of_the_playfield():
    stock, fast = CarRacing(), FastCarRacing()
    for env in (stock, fast):
        env.reset(seed=0)
        env.t = 1.0
    for x, y, angle in ((330, 10, 0.1), (-325, -328, 2.0), (320, 331, -0.7), (0, 345, 3.0)):
        for env in (stock, fast):
            env.car.hull.transform = ((x, y), angle)
        assert np.array_equal(stock._render('state_pixels'), fast._render('state_pixels'))
    fast.close()


def test_a_decision_is_that_many_stock_frames(world):
    first = world.reset(4)
    stock = CarRacing()
    expected, _ = stock.reset(seed=track_seed(0, 4, 'evaluation'))
    assert np.array_equal(first.image, expected)
    for steering, acceleration in ((0.1, 16.0), (-0.25, 32.0), (0.0, -8.0), (2.0, 64.0)) * 5:
        observation = world.step(Command(0, steering, 0.0, acceleration))
        pedal = np.clip(acceleration / 32.0, -1.0, 1.0)
        steer = np.clip(steering, -1.0, 1.0)
        action = np.array([-steer, max(pedal, 0.0), max(-pedal, 0.0)], dtype=np.float32)
        frames = [stock.step(action) for _ in range(2)]
        assert np.array_equal(observation.image, frames[-1][0])
        assert observation.state.task_reward == np.float32(frames[0][1] + frames[1][1])
        assert world.position_m == tuple(stock.car.hull.position)


def test_positive_steering_turns_left(world):
    headings = {}
    for steering in (0.2, -0.2):
        world.reset(0)
        before = world.heading_rad
        drive(world, 20, steering, acceleration=8.0)
        headings[steering] = world.heading_rad - before
    assert headings[0.2] > 0.1
    assert headings[-0.2] < -0.1


def test_positive_acceleration_is_gas_and_negative_is_brake(world):
    world.reset(0)
    fast = drive(world, 15, acceleration=16.0).state.speed_m_s
    assert fast > 10.0
    assert drive(world, 5, acceleration=-16.0).state.speed_m_s < 0.5 * fast


def test_the_default_scale_is_full_gas(world):
    speeds = []
    for acceleration in (32.0, 1000.0):
        world.reset(0)
        speeds.append(drive(world, 20, acceleration=acceleration).state.speed_m_s)
    assert speeds[0] == speeds[1]


def test_training_and_evaluation_share_no_track():
    seeds = {
        split: {track_seed(seed, lap, split) for seed in range(20) for lap in range(50)}
        for split in ('training', 'evaluation')
    }
    assert all(len(found) == 1000 for found in seeds.values())
    assert {seed % 2 for seed in seeds['training']} == {0}
    assert {seed % 2 for seed in seeds['evaluation']} == {1}


def test_lateral_error_and_heading_error_are_positive_to_the_left(world, place):
    world.reset(0)
    place(world, arc_m=50.0, lateral_m=3.0, heading_error_rad=0.3, speed_m_s=0.0)
    state = world.step(Command.zero(0)).state
    assert state.lateral_error_m == pytest.approx(3.0, abs=0.2)
    assert state.heading_error_rad == pytest.approx(0.3, abs=0.1)
    place(world, arc_m=50.0, lateral_m=-2.0, heading_error_rad=-0.5, speed_m_s=20.0)
    state = world.step(Command.zero(0)).state
    assert state.lateral_error_m < -2.0
    assert state.heading_error_rad == pytest.approx(-0.5, abs=0.1)


def test_progress_is_the_distance_driven_also_over_the_start_line(world, place):
    world.reset(0)
    place(world, world.centre_line.length_m - 1.0, 0.0, 0.0, speed_m_s=40.0)
    states = [world.step(Command(0, 0.0, 0.0, 8.0)).state for _ in range(3)]
    assert sum(state.progress_m for state in states) == pytest.approx(3 * 0.04 * 40.0, rel=0.1)


def until_last(world: CarRacingWorld, steering=0.0, acceleration=0.0) -> list[Observation]:
    observations = []
    while not observations or observations[-1].state.step_type != StepType.LAST:
        observations.append(world.step(Command(0, steering, 0.0, acceleration)))
    return observations


def test_time_limit_truncates_after_the_stock_number_of_frames():
    patient = CarRacingConfig(stalled_time_s=60.0)
    with contextlib.closing(CarRacingWorld(patient)) as world:
        world.reset(0)
        observations = until_last(world)
        assert len(observations) == 500
        assert observations[-1].state.truncated


def test_standing_still_is_an_intervention_after_two_seconds(world):
    world.reset(0)
    observations = until_last(world)
    assert len(observations) == 51
    assert observations[-1].state.terminated


def test_a_time_limit_inside_a_decision_still_shows_the_last_frame():
    with contextlib.closing(CarRacingWorld(CarRacingConfig(time_limit_s=0.1))) as world:
        world.reset(0)
        observations = until_last(world, acceleration=32.0)
        assert len(observations) == 3
        assert not np.array_equal(observations[1].image, observations[2].image)


def test_staying_on_the_grass_is_an_intervention_only_after_a_while(world, place):
    world.reset(0)
    place(world, 100.0, 1.5 * HALF_WIDTH_M, 0.0, 0.0)
    observations = until_last(world)
    assert observations[-1].state.terminated
    # One decision until the wheels have left their tiles, and the time itself.
    assert 12 <= len(observations) <= 15


def test_two_wheels_on_the_grass_are_no_intervention(world, place):
    world.reset(0)
    place(world, 100.0, HALF_WIDTH_M, 0.0, 0.0)
    assert drive(world, 50).state.step_type == StepType.MID


def test_leaving_the_road_by_far_is_an_intervention_at_once(world, place):
    world.reset(0)
    place(world, 100.0, 3.2 * HALF_WIDTH_M, 0.0, 0.0)
    assert drive(world, 1).state.terminated


def test_going_backwards_is_an_intervention_and_standing_turned_round_is_not(world, place):
    world.reset(0)
    place(world, 100.0, 0.0, math.pi, 0.0)
    assert drive(world, 30).state.step_type == StepType.MID
    place(world, 100.0, 0.0, math.pi, 15.0)
    observations = until_last(world)
    assert observations[-1].state.terminated
    assert 12 <= len(observations) <= 15


def test_leaving_the_playfield_is_an_intervention_with_the_tasks_penalty(world):
    world.reset(0)
    world._env.car.hull.position = (400.0, 0.0)
    state = drive(world, 1).state
    assert state.terminated
    assert state.task_reward < -90.0


def test_a_complete_lap_is_truncated(world):
    world.reset(0)
    drive(world, 1)
    world._env.tile_visited_count = len(world._env.track)
    state = drive(world, 1).state
    assert state.truncated and not state.terminated


def test_resets_do_not_leak(world):
    def resident_mib() -> float:
        gc.collect()
        pages = int(pathlib.Path('/proc/self/statm').read_text().split()[1])
        return pages * 4096 / 2**20

    def laps(count: int) -> None:
        for lap in range(count):
            world.reset(lap)
            drive(world, 2, 0.1, 8.0)

    laps(10)
    before = resident_mib()
    laps(50)
    assert resident_mib() - before < 5.0


def test_worlds_do_not_leak():
    def build() -> None:
        world = CarRacingWorld()
        world.reset(0)
        world.close()

    gc.collect()
    build()
    pages = [0, 0]
    for place in range(2):
        gc.collect()
        pages[place] = int(pathlib.Path('/proc/self/statm').read_text().split()[1])
        if place == 0:
            for _ in range(20):
                build()
    assert (pages[1] - pages[0]) * 4096 / 2**20 < 10.0


def test_a_closed_world_refuses_to_drive():
    world = CarRacingWorld()
    world.close()
    with pytest.raises(RuntimeError, match='closed'):
        world.reset(0)


@pytest.mark.parametrize(
    ('arguments', 'words'),
    [({'seed': -1}, 'seed'), ({'split': 'test'}, 'training, evaluation')],
)
def test_bad_arguments_name_what_is_accepted(arguments, words):
    with pytest.raises(UserError, match=words):
        CarRacingWorld(**arguments)


def test_bad_parameters_are_refused():
    with pytest.raises(UserError, match='frame_skip'):
        CarRacingConfig(frame_skip=0)
    with pytest.raises(UserError, match='light'):
        CarRacingShift(light=-1.0)


def test_frame_skip_of_one_shows_every_stock_frame():
    config = CarRacingConfig(frame_skip=1)
    with (
        contextlib.closing(CarRacingWorld(config)) as single,
        contextlib.closing(CarRacingWorld()) as double,
    ):
        assert np.array_equal(single.reset(0).image, double.reset(0).image)
        command = Command(0, 0.1, 0.0, 16.0)
        for _ in range(10):
            frames = [single.step(command) for _ in range(2)]
            decision = double.step(command)
            assert np.array_equal(frames[1].image, decision.image)
            total = sum(frame.state.task_reward for frame in frames)
            assert decision.state.task_reward == pytest.approx(total, abs=1e-6)
        assert single.decision_period_s == 0.02


def test_two_worlds_at_once_do_not_disturb_each_other():
    def alone(lap: int) -> list[Observation]:
        with contextlib.closing(CarRacingWorld(seed=1)) as world:
            world.reset(lap)
            return [world.step(Command(0, 0.05, 0.0, 16.0)) for _ in range(20)]

    expected = alone(0), alone(1)
    one, other = CarRacingWorld(seed=1), CarRacingWorld(seed=1)
    one.reset(0)
    other.reset(1)
    got = [[], []]
    for _ in range(20):
        for world, seen in zip((one, other), got, strict=True):
            seen.append(world.step(Command(0, 0.05, 0.0, 16.0)))
    for seen, wanted in zip(got, expected, strict=True):
        assert_same(seen, wanted)
