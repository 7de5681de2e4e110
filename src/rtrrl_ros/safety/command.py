"""The drive command as it crosses the graph."""

import ctypes
import dataclasses
import math


@dataclasses.dataclass(frozen=True)
class Command:
    """One drive command (REP-103), with the fields of ackermann_msgs/AckermannDrive in use.

    Values are rounded to float32 when constructed, because the message carries float32: the loop
    with and without ROS then computes with the same bits.

    Attributes
    ----------
    stamp_ns : stamp of the observation the command answers
    steering_angle_rad : positive turns left
    speed_m_s : target speed; 0 where the vehicle is driven by acceleration
    acceleration_m_s2 : positive is throttle, negative is brake
    """

    stamp_ns: int
    steering_angle_rad: float
    speed_m_s: float
    acceleration_m_s2: float

    def __post_init__(self) -> None:
        for name in ('steering_angle_rad', 'speed_m_s', 'acceleration_m_s2'):
            # as C rounds: to nearest even, and to infinity beyond the largest float32
            object.__setattr__(self, name, ctypes.c_float(getattr(self, name)).value)

    @property
    def finite(self) -> bool:
        return all(
            math.isfinite(value)
            for value in (self.steering_angle_rad, self.speed_m_s, self.acceleration_m_s2)
        )

    @classmethod
    def zero(cls, stamp_ns: int) -> 'Command':
        """Stand still, wheels straight."""
        return cls(stamp_ns, 0.0, 0.0, 0.0)
