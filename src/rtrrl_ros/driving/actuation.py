"""From the policy's action in [-1, 1] to a drive command in SI units."""

import dataclasses

import numpy as np

from ..parameters import Checked, parameter
from ..safety.command import Command


@dataclasses.dataclass(frozen=True)
class Actuation(Checked):
    """What an action of 1 means on this vehicle. Action: [steering (+ left), throttle or brake]."""

    max_steering_angle_rad: float = parameter(
        1.0, 'steering angle at action 1', unit='rad', low=0, low_open=True
    )
    max_acceleration_m_s2: float = parameter(
        1.0, 'acceleration at action 1 (throttle), deceleration at -1 (brake)', unit='m/s^2',
        low=0, low_open=True,
    )  # fmt: skip

    def command(self, stamp_ns: int, action: np.ndarray) -> Command:
        """The command for action (2,)."""
        return Command(
            stamp_ns,
            steering_angle_rad=float(action[0]) * self.max_steering_angle_rad,
            speed_m_s=0.0,
            acceleration_m_s2=float(action[1]) * self.max_acceleration_m_s2,
        )
