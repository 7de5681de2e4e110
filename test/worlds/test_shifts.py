import contextlib

import numpy as np
import pytest
from gymnasium.envs.box2d import car_dynamics

from rtrrl_ros.errors import UserError
from rtrrl_ros.safety.command import Command
from rtrrl_ros.worlds import parse_shift, shift_values
from rtrrl_ros.worlds.car_racing import CarRacingShift, CarRacingWorld
from rtrrl_ros.worlds.conformance import assert_same
from rtrrl_ros.worlds.contract import StepType


def drive(shift: CarRacingShift, commands: list[tuple[float, float]]):
    with contextlib.closing(CarRacingWorld(shift=shift)) as world:
        observations = [world.reset(0)]
        for steering, acceleration in commands:
            if observations[-1].state.step_type == StepType.LAST:
                break
            stamp = observations[-1].stamp_ns
            observations.append(world.step(Command(stamp, steering, 0.0, acceleration)))
        return observations


GENTLE = [(0.03 * (k % 7 - 3), 12.0 if k % 9 else -4.0) for k in range(40)]
FULL_GAS = [(0.0, 32.0)] * 25


@pytest.mark.parametrize('offset', [0.15, -0.3])
def test_a_steering_offset_is_the_shifted_command_bit_for_bit(offset):
    # A command carries float32: so does the one that the offset is added to by hand.
    by_hand = [(float(np.float32(steering)) + offset, gas) for steering, gas in GENTLE]
    shifted = drive(CarRacingShift(steering_offset=offset), GENTLE)
    assert len(shifted) > 20
    assert_same(shifted, drive(CarRacingShift(), by_hand))


def test_a_positive_steering_offset_pulls_to_the_left():
    straight = drive(CarRacingShift(), FULL_GAS[:20])[-1].state
    shifted = drive(CarRacingShift(steering_offset=0.1), FULL_GAS[:20])[-1].state
    assert shifted.lateral_error_m > straight.lateral_error_m + 0.1


def test_offset_steering_stays_within_the_action_range():
    full = drive(CarRacingShift(), [(1.0, 8.0)] * 10)
    assert_same(drive(CarRacingShift(steering_offset=0.5), [(0.9, 8.0)] * 10), full)


def test_less_engine_power_accelerates_less():
    speed = [
        drive(CarRacingShift(engine_power=factor), FULL_GAS)[-1].state.speed_m_s
        for factor in (0.25, 0.5, 1.0)
    ]
    assert speed[0] < 0.8 * speed[1] < speed[2]


def test_less_friction_accelerates_and_brakes_in_proportion():
    speed = [
        drive(CarRacingShift(friction=factor), FULL_GAS)[-1].state.speed_m_s
        for factor in (0.5, 1.0)
    ]
    assert speed[0] == pytest.approx(0.5 * speed[1], rel=0.05)


def test_friction_is_scaled_on_the_grass_too(place):
    speeds = []
    for factor in (0.5, 1.0):
        with contextlib.closing(CarRacingWorld(shift=CarRacingShift(friction=factor))) as world:
            world.reset(0)
            place(world, 100.0, 12.0, 0.0, 0.0)
            for _ in range(8):
                state = world.step(Command(0, 0.0, 0.0, 32.0)).state
            speeds.append(state.speed_m_s)
    assert speeds[0] == pytest.approx(0.5 * speeds[1], rel=0.1)


def test_a_shifted_world_leaves_another_one_and_gymnasium_alone():
    constants = car_dynamics.ENGINE_POWER, car_dynamics.FRICTION_LIMIT
    before = drive(CarRacingShift(), GENTLE)
    with contextlib.closing(
        CarRacingWorld(shift=CarRacingShift(engine_power=0.5, friction=0.5))
    ) as shifted:
        shifted.reset(0)
        shifted.step(Command(0, 0.1, 0.0, 32.0))
        assert_same(drive(CarRacingShift(), GENTLE), before)
    assert (car_dynamics.ENGINE_POWER, car_dynamics.FRICTION_LIMIT) == constants


def test_a_factor_that_is_almost_one_is_almost_no_shift():
    # The shifted car runs the stock code with other constants: the same, but for the last bits.
    stock = drive(CarRacingShift(), GENTLE)[-1].state
    shifted = drive(CarRacingShift(engine_power=1.0 + 1e-15, friction=1.0 + 1e-15), GENTLE)[
        -1
    ].state
    assert shifted.speed_m_s == pytest.approx(stock.speed_m_s, rel=1e-4)


def test_light_scales_the_image_and_saturates():
    plain, bright, dark = (
        drive(CarRacingShift(light=factor), GENTLE[:5])[-1].image for factor in (1.0, 2.0, 0.5)
    )
    assert np.array_equal(bright, np.minimum(plain.astype(int) * 2, 255))
    assert np.array_equal(dark, np.round(plain * 0.5).astype(np.uint8))
    assert bright.max() == 255
    assert dark.dtype == np.uint8


def test_light_changes_nothing_but_the_image():
    plain, bright = (
        [observation.state for observation in drive(CarRacingShift(light=factor), GENTLE)]
        for factor in (1.0, 3.0)
    )
    assert plain == bright


def test_parse():
    shift = parse_shift('car-racing', ['steering_offset=0.15', 'light=0.5'])
    assert shift == CarRacingShift(steering_offset=0.15, light=0.5)
    assert shift_values(shift) == {'steering_offset': 0.15, 'light': 0.5}
    assert parse_shift('car-racing', []) == CarRacingShift()
    assert shift_values(CarRacingShift()) == {}


@pytest.mark.parametrize(
    ('task', 'pair', 'words'),
    [
        ('car-racing', 'wind=1', 'known: engine_power, friction, light, steering_offset'),
        ('car-racing', 'friction', 'NAME=VALUE'),
        ('car-racing', 'friction=slippery', 'not a number'),
        ('car-racing', 'friction=0', r'in \(0, 4\]'),
        ('car-racing', 'friction=nan', r'in \(0, 4\]'),
        ('car-racing', 'steering_offset=1.5', r'in \[-1, 1\]'),
        ('boat-racing', 'friction=1', 'known: car-racing'),
    ],
)
def test_a_bad_shift_names_what_is_accepted(task, pair, words):
    with pytest.raises(UserError, match=words) as caught:
        parse_shift(task, [pair])
    assert '\n' not in str(caught.value)


def test_a_shift_given_twice_is_refused():
    with pytest.raises(UserError, match='twice'):
        parse_shift('car-racing', ['light=1', 'light=2'])
