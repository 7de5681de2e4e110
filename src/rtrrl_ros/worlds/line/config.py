"""What is fixed about the line world, and what a shift changes."""

import dataclasses
import math

from ...errors import UserError
from ...parameters import Checked, parameter
from .camera import CameraConfig
from .event_sensor import SensorConfig
from .floor import TEXTURES, FloorConfig
from .track import TrackConfig, tightest_curvature
from .vehicle import VehicleConfig

#: longest step of the vehicle's integration
_STEP_US = 1000


@dataclasses.dataclass(frozen=True)
class LineConfig(TrackConfig, VehicleConfig, CameraConfig, FloorConfig, SensorConfig, Checked):
    """Everything about the world: its parts' parameters in one flat list, as ROS knows them."""

    decision_ms: int = parameter(
        10, 'time for which a command is held, and length of a window of events', unit='ms',
        low=1, high=100,
    )  # fmt: skip
    subframe_us: int = parameter(
        2000, 'time between two pictures that the pixels see; divides decision_ms', unit='us',
        low=100, high=2000,
    )  # fmt: skip
    off_line_m: float = parameter(
        0.3, 'intervention when the rear axle is further from the line', unit='m',
        low=0.05, high=1.0,
    )  # fmt: skip
    backwards_angle_rad: float = parameter(
        0.5 * math.pi, 'intervention when the heading error is larger', unit='rad',
        low=0.2, high=math.pi,
    )  # fmt: skip
    stalled_time_s: float = parameter(
        2.0, 'intervention when the car stood still for longer', unit='s', low=0.0, high=3600.0
    )
    stalled_speed_m_s: float = parameter(
        0.05, 'slower than this counts as standing still', unit='m/s', low=0.0, high=1.0
    )
    time_limit_s: float = parameter(
        60.0, 'simulated time after which a lap is truncated', unit='s', low=0.01, high=3600.0
    )
    start_speed_m_s: float = parameter(
        0.0, 'speed at the start of a lap', unit='m/s', low=0.0, high=5.0
    )
    start_lateral_std_m: float = parameter(
        0.02, 'how well the car is put on the line', unit='m', low=0.0, high=0.1
    )
    start_heading_std_rad: float = parameter(
        0.05, 'how well it is aligned', unit='rad', low=0.0, high=0.3
    )
    closeness_m: float = parameter(
        0.15, 'lateral error at which the task reward is 0', unit='m', low=0.01, high=1.0
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.decision_ms * 1000 % self.subframe_us:
            raise UserError(
                f'subframe_us = {self.subframe_us}: must divide decision_ms = {self.decision_ms}'
            )
        if self.min_length_m > self.max_length_m:
            raise UserError(
                f'min_length_m = {self.min_length_m:g}: must not be above max_length_m = '
                f'{self.max_length_m:g}'
            )

    @property
    def subframes(self) -> int:
        """Pictures in one decision."""
        return self.decision_ms * 1000 // self.subframe_us

    @property
    def steps_per_subframe(self) -> int:
        """Steps of the vehicle between two pictures, of 1 ms at most."""
        return -(-self.subframe_us // _STEP_US)

    @property
    def step_s(self) -> float:
        return self.subframe_us * 1e-6 / self.steps_per_subframe

    @property
    def curvature_limit_1_m(self) -> float:
        return tightest_curvature(self.wheelbase_m, self.max_steering_angle_rad)


@dataclasses.dataclass(frozen=True)
class LineShift(Checked):
    """What is different from the world the policy was trained in; the default is no shift."""

    steering_offset: float = parameter(
        0.0, 'added to the angle that the servo is told, positive to the left', unit='rad',
        low=-0.4, high=0.4,
    )  # fmt: skip
    light: float = parameter(
        1.0, 'factor on the light in sunlit bands and, less, across the room; with it comes '
        'flicker of 100 Hz', low=0.1, high=16.0,
    )  # fmt: skip
    contrast_threshold: float = parameter(
        1.0, 'factor on the thresholds of the pixels', low=0.1, high=10.0
    )
    speed: float = parameter(
        0.0, 'driven instead of any commanded speed above 0; 0: as commanded', unit='m/s',
        low=0.0, high=5.0,
    )  # fmt: skip
    latency: float = parameter(0.0, 'added to command_latency_s', unit='s', low=0.0, high=0.5)
    floor_texture: str = parameter(
        '', 'another floor; empty: as configured', choices=('', *TEXTURES)
    )
