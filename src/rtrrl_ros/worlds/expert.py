"""A privileged driver for CarRacing: it knows the centre line and looks ahead along it.

Steering is pure pursuit, aiming at a point of the centre line some way ahead; the speed is what the
curvature ahead allows, with braking distances. The action is a smooth function of the present state
alone (no filter, no memory), which is what makes it a good label for a policy that sees the image.
"""

import dataclasses
import math

import numpy as np

from ..parameters import Checked, parameter
from .car_racing import HALF_WIDTH_M, CarRacingWorld
from .centre_line import CentreLine, wrapped

#: distance between the axles of the stock car, and the angle at which its wheels stop
WHEELBASE_M = 3.24
MAX_WHEEL_ANGLE_RAD = 0.4


@dataclasses.dataclass(frozen=True)
class ExpertConfig(Checked):
    """How fast and how softly the expert drives.

    On the first 20 evaluation tracks of seed 0, with no intervention at any setting, the mean and
    the least return by `max_speed_m_s`: 30: 491, 424; 45: 758, 665; 55: 865, 787; 65: 903, 870;
    100: 913, 904, with 873 frames a lap (test_expert.py drives the last one). At 45 the steering
    changes by 0.006 rad from one decision to the next on average.
    """

    max_speed_m_s: float = parameter(100.0, 'speed on a straight', unit='m/s', low=1.0, high=200.0)
    lateral_acceleration_m_s2: float = parameter(
        110.0, 'speed in a bend is the root of this over the curvature', unit='m/s2',
        low=1.0, high=500.0,
    )  # fmt: skip
    deceleration_m_s2: float = parameter(
        60.0, 'braking planned before a bend', unit='m/s2', low=1.0, high=131.0
    )
    lookahead_m: float = parameter(
        6.0, 'distance of the aim at standstill', unit='m', low=0.5, high=100.0
    )
    lookahead_s: float = parameter(
        0.2, 'time of travel added to the distance of the aim', unit='s', low=0.0, high=5.0
    )
    yaw_damping_s: float = parameter(
        0.02, 'steering against the yaw rate beyond the one of the bend', unit='s',
        low=0.0, high=1.0,
    )  # fmt: skip
    speed_gain_s_m: float = parameter(
        0.1, 'pedal per speed error', unit='s/m', low=0.001, high=10.0
    )
    smoothing_m: float = parameter(
        10.0, 'length over which the curvature is averaged', unit='m', low=0.0, high=100.0
    )


class Expert:
    """Drives a `CarRacingWorld`; call `act` once per observation.

    Parameters
    ----------
    world : the world to drive; a new lap is noticed by its centre line
    config : see `ExpertConfig`
    """

    def __init__(self, world: CarRacingWorld, config: ExpertConfig | None = None) -> None:
        self.world = world
        self.config = config or ExpertConfig()
        self._line: CentreLine | None = None
        self._speed = np.zeros(0)

    def act(self) -> np.ndarray:
        """The action for the newest observation, (2,) float32 in [-1, 1].

        Steering is the target angle of the wheels in rad over 1 rad, positive to the left; the
        second is gas where positive, brake where negative.
        """
        line = self.world.centre_line
        if line is not self._line:
            self._line, self._speed = line, self._speed_profile(line)
        forward, left = self.world.velocity_m_s
        steering = self._steering(forward)
        pedal = self._pedal(forward, left, steering)
        return np.array([steering, pedal], dtype=np.float32)

    def _steering(self, forward: float) -> float:
        config, world, here = self.config, self.world, self.world.projection
        distance = config.lookahead_m + config.lookahead_s * max(forward, 0.0)
        aim_x, aim_y = world.centre_line.at(here.arc_m + distance)
        x, y = world.position_m
        bearing = wrapped(math.atan2(aim_y - y, aim_x - x) - world.heading_rad)
        reach = math.hypot(aim_x - x, aim_y - y)
        # Beyond a right angle the arc through the aim is no use: turn as hard as at a right angle.
        bearing = min(max(bearing, -0.5 * math.pi), 0.5 * math.pi)
        curvature = 2.0 * math.sin(bearing) / reach
        steering = math.atan(WHEELBASE_M * curvature)
        slip = world.yaw_rate_rad_s - curvature * forward
        steering -= config.yaw_damping_s * slip
        return min(max(steering, -MAX_WHEEL_ANGLE_RAD), MAX_WHEEL_ANGLE_RAD)

    def _pedal(self, forward: float, left: float, steering: float) -> float:
        config, line, here = self.config, self.world.centre_line, self.world.projection
        target = float(np.interp(here.arc_m, line.arc_m, self._speed, period=line.length_m))
        # Off the line or across it, slow down: the grass grips less, and the way back is a bend.
        error = wrapped(self.world.heading_rad - here.heading_rad)
        target *= max(0.35, math.cos(min(abs(error), 0.5 * math.pi)))
        target *= min(1.0, max(0.4, 1.6 - 0.8 * abs(here.lateral_m) / HALF_WIDTH_M))
        pedal = config.speed_gain_s_m * (target - forward)
        # Rear-wheel drive: gas takes the grip that the rear wheels need in a bend.
        use = abs(steering) / MAX_WHEEL_ANGLE_RAD + 0.1 * abs(left)
        most_gas = min(max(1.0 - 0.8 * use, 0.1), 1.0)
        return min(max(pedal, -0.8), most_gas)

    def _speed_profile(self, line: CentreLine) -> np.ndarray:
        """The speed at each vertex that bends and braking distances allow, (count,) m/s."""
        config = self.config
        spacing = line.length_m / len(line.points)
        reach = round(0.5 * config.smoothing_m / spacing)
        shifted = [np.roll(line.curvature_1_m, k) for k in range(-reach, reach + 1)]
        curvature = np.abs(np.mean(shifted, axis=0))
        speed = np.sqrt(config.lateral_acceleration_m_s2 / np.maximum(curvature, 1e-4))
        speed = np.minimum(speed, config.max_speed_m_s)
        step = np.diff(line.arc_m, append=line.length_m)
        for index in range(2 * len(speed) - 2, -1, -1):  # twice around: the line is closed
            i, after = index % len(speed), (index + 1) % len(speed)
            reachable = math.sqrt(speed[after] ** 2 + 2.0 * config.deceleration_m_s2 * step[i])
            speed[i] = min(speed[i], reachable)
        return speed
