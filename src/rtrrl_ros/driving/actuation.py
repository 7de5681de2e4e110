"""From the policy's action in [-1, 1] to a drive command in SI units."""

import dataclasses

import numpy as np

from ..parameters import Checked, parameter
from ..safety.command import Command


@dataclasses.dataclass(frozen=True)
class Actuation(Checked):
    """What an action of 1 means on this vehicle.

    Action: [steering (+ left)], the speed being fixed, or [steering, throttle or brake].
    """

    max_steering_angle_rad: float = parameter(
        1.0, 'steering angle at action 1', unit='rad', low=0, low_open=True
    )
    max_acceleration_m_s2: float = parameter(
        1.0, 'acceleration at action 1 (throttle), deceleration at -1 (brake)', unit='m/s^2',
        low=0, low_open=True,
    )  # fmt: skip

    speed_m_s: float = parameter(0.0, 'speed that is asked for in every command', unit='m/s', low=0)

    def command(self, stamp_ns: int, action: np.ndarray) -> Command:
        """The command for action (1,) or (2,)."""
        throttle = float(action[1]) if len(action) > 1 else 0.0
        return Command(
            stamp_ns,
            steering_angle_rad=float(action[0]) * self.max_steering_angle_rad,
            speed_m_s=self.speed_m_s,
            acceleration_m_s2=throttle * self.max_acceleration_m_s2,
        )
