"""The limits of the command gate, declared once, and the arithmetic that keeps to them."""

import dataclasses
import math

import numpy as np

from ..parameters import Checked, parameter
from .command import Command


@dataclasses.dataclass(frozen=True)
class GateLimits(Checked):
    """What may reach the motors, and how long silence is tolerated. A rate of 0 sets no limit."""

    max_steering_angle_rad: float = parameter(
        0.4, 'largest steering angle to either side', unit='rad', low=0.0, high=1.6
    )
    max_speed_m_s: float = parameter(
        2.0, 'largest target speed; the gate never passes a reverse speed', unit='m/s', low=0.0
    )
    max_acceleration_m_s2: float = parameter(3.0, 'strongest throttle', unit='m/s^2', low=0.0)
    max_brake_m_s2: float = parameter(3.0, 'strongest brake', unit='m/s^2', low=0.0)
    max_steering_rate_rad_s: float = parameter(
        0.0, 'fastest change of the steering angle; 0: no limit', unit='rad/s', low=0.0
    )
    max_speed_rate_m_s2: float = parameter(
        0.0, 'fastest change of the target speed; 0: no limit', unit='m/s^2', low=0.0
    )
    max_jerk_m_s3: float = parameter(
        0.0, 'fastest change of the acceleration; 0: no limit', unit='m/s^3', low=0.0
    )
    max_age_s: float = parameter(
        0.15,
        'oldest proposal to be passed, longest silence before the car is stopped, and the longest '
        'gap that counts towards a rate',
        unit='s',
        low=0.0,
        low_open=True,
        high=0.17,
    )
    takeover_timeout_s: float = parameter(
        0.2,
        'how long after the last command of a person the person is taken to drive',
        unit='s',
        low=0.0,
        low_open=True,
        high=1.0,
    )
    require_deadman: bool = parameter(
        False, 'stop unless a person holds the deadman: true on every real car'
    )
    deadman_timeout_s: float = parameter(
        0.3,
        'longest silence of the joystick before its deadman counts as released',
        unit='s',
        low=0.0,
        low_open=True,
        high=2.0,
    )
    lockstep: bool = parameter(
        False, 'the world waits for each command, so simulated time stands still meanwhile'
    )


class Limiter:
    """Clamps commands into the range and rates of `GateLimits`, on float32 values.

    A limit is never passed by rounding: every result is the float32 on the safe side of it.
    """

    def __init__(self, limits: GateLimits) -> None:
        steering = limits.max_steering_angle_rad
        brake, throttle = -limits.max_brake_m_s2, limits.max_acceleration_m_s2
        # field of Command: lowest, highest, rate
        self._bounds = {
            'steering_angle_rad': (-steering, steering, limits.max_steering_rate_rad_s),
            'speed_m_s': (0.0, limits.max_speed_m_s, limits.max_speed_rate_m_s2),
            'acceleration_m_s2': (brake, throttle, limits.max_jerk_m_s3),
        }

    def __call__(
        self, command: Command, previous: Command, elapsed_s: float
    ) -> tuple[Command, str]:
        """Return the nearest permitted command, and what was limited in words ('': nothing).

        Parameters
        ----------
        command : finite
        previous : the command that counts as the last one sent; within the limits
        elapsed_s : time between the two, >= 0
        """
        values, reasons = [], []
        for field, (lowest, highest, rate) in self._bounds.items():
            wanted, before = getattr(command, field), getattr(previous, field)
            value = _clamp(wanted, lowest, highest)
            if value != wanted:
                reasons.append(f'{field} beyond its range')
            if rate > 0.0:
                reach = rate * elapsed_s
                slewed = _clamp(value, before - reach, before + reach)
                if slewed != value:
                    reasons.append(f'{field} changes too fast')
                value = slewed
            values.append(value)
        if not reasons:
            return command, ''
        return Command(command.stamp_ns, *values), ', '.join(reasons)


def _clamp(value: float, low: float, high: float) -> float:
    """The float32 in [low, high] nearest to the float32 `value`."""
    if value > high:
        return _float32_beside(high, towards=-math.inf)
    if value < low:
        return _float32_beside(low, towards=math.inf)
    return value


def _float32_beside(bound: float, towards: float) -> float:
    """The float32 nearest to `bound` that does not lie beyond it, seen from `towards`."""
    rounded = np.float32(bound)
    exact = float(rounded)  # compared as float64: NumPy would round `bound` first
    if (exact > bound) if towards < bound else (exact < bound):
        return float(np.nextafter(rounded, np.float32(towards)))
    return exact
