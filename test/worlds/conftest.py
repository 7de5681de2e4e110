"""Putting a car where a test wants it."""

import math
from collections.abc import Callable

import pytest

from rtrrl_ros.worlds.car_racing import CarRacingWorld
from rtrrl_ros.worlds.car_racing_env import car_dynamics


def _place(
    world: CarRacingWorld,
    arc_m: float,
    lateral_m: float,
    heading_error_rad: float,
    speed_m_s: float,
) -> None:
    line, car = world.centre_line, world._env.car
    on_line = line.project(*line.at(arc_m))
    x, y = line.at(arc_m)
    x -= lateral_m * math.sin(on_line.heading_rad)
    y += lateral_m * math.cos(on_line.heading_rad)
    heading = on_line.heading_rad + heading_error_rad
    angle = heading - 0.5 * math.pi
    car.hull.transform = ((x, y), angle)
    car.hull.linearVelocity = (speed_m_s * math.cos(heading), speed_m_s * math.sin(heading))
    car.hull.angularVelocity = 0.0
    for wheel, (wheel_x, wheel_y) in zip(car.wheels, car_dynamics.WHEELPOS, strict=True):
        place = wheel_x * car_dynamics.SIZE, wheel_y * car_dynamics.SIZE
        wheel.transform = (car.hull.GetWorldPoint(place), angle)
        wheel.linearVelocity = car.hull.linearVelocity
        wheel.angularVelocity = 0.0
        wheel.omega = speed_m_s / wheel.wheel_rad
    world.projection = line.project(x, y)


@pytest.fixture
def place() -> Callable[..., None]:
    """Move the car of a world: place along the line, offset, heading error, forward speed."""
    return _place
