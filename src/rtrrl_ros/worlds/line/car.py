"""The simulated car: what becomes of a command, and where the car is in each sub-frame."""

import math

import numpy as np

from ...safety.command import Command
from .config import LineConfig, LineShift
from .vehicle import SLIP, SPEED, STEERING, YAW, YAW_RATE, X, Y, integrate


class Car:
    """A vehicle that does what it was told some time ago.

    Only steering angle and speed of a command count: as on the RoboRacer, a motor controller of its
    own turns speed into acceleration.

    Attributes
    ----------
    state : (7,) float64, see `vehicle`; its place is the centre of mass
    """

    def __init__(self, config: LineConfig, shift: LineShift) -> None:
        self._config, self._shift = config, shift
        self._constants = config.constants()
        self._steps = config.subframes * config.steps_per_subframe
        latency_s = config.command_latency_s + shift.latency
        self._delay = round(latency_s / config.step_s)
        self._pending = np.zeros((self._delay, 2))
        self.state = np.zeros(7)

    def place(self, x_m: float, y_m: float, heading_rad: float, speed_m_s: float) -> None:
        """Put the rear axle somewhere, wheels straight, nothing commanded but that speed."""
        back = self._config.rear_axle_m
        self.state[:] = 0.0
        self.state[X] = x_m + back * math.cos(heading_rad)
        self.state[Y] = y_m + back * math.sin(heading_rad)
        self.state[YAW], self.state[SPEED] = heading_rad, speed_m_s
        self._pending[:] = 0.0, speed_m_s

    def drive(self, command: Command) -> np.ndarray:
        """Hold a command for one decision.

        Returns the rear axle's x, y and heading at the end of each sub-frame, (subframes, 3).
        """
        config, shift = self._config, self._shift
        most = config.max_steering_angle_rad
        steering = min(max(command.steering_angle_rad + shift.steering_offset, -most), most)
        speed = max(command.speed_m_s, 0.0)
        if shift.speed > 0.0 and speed > 0.0:
            speed = shift.speed
        targets = np.vstack([self._pending, np.full((self._steps, 2), (steering, speed))])
        self._pending = targets[self._steps :]
        states = integrate(self.state, targets[: self._steps], self._constants, config.step_s)
        return self._rear_axle(states[config.steps_per_subframe :: config.steps_per_subframe])

    def _rear_axle(self, states: np.ndarray) -> np.ndarray:
        back, yaw = self._config.rear_axle_m, states[:, YAW]
        return np.stack(
            [states[:, X] - back * np.cos(yaw), states[:, Y] - back * np.sin(yaw), yaw], axis=1
        )

    @property
    def pose(self) -> np.ndarray:
        """The rear axle's x, y in m and heading in rad (not wrapped), (3,) float64."""
        return self._rear_axle(self.state[None])[0]

    @property
    def speed_m_s(self) -> float:
        """Forward speed."""
        return float(self.state[SPEED] * math.cos(self.state[SLIP]))

    @property
    def yaw_rate_rad_s(self) -> float:
        return float(self.state[YAW_RATE])

    @property
    def steering_angle_rad(self) -> float:
        return float(self.state[STEERING])
