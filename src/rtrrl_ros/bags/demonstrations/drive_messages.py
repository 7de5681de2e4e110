"""What a simulated drive is recorded as: the messages of the graph's topics, without the graph."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ...perception.events.contract import EventBatch
from ...perception.events.packing import event_packets
from ...safety.command import Command
from ...safety.modes import Mode
from ...worlds.contract import WorldState
from ..message_types import MessageTypes

S_NS = 1_000_000_000
_COVARIANCE = np.zeros(36)


class DriveMessages:
    """Makes CDR of the messages that the nodes publish, field by field the same.

    Every method is given the stamp through its argument or `stamp_ns`, in nanoseconds.
    """

    def __init__(self) -> None:
        self._types = MessageTypes()

    def event_packets(self, batch: EventBatch, stamp_ns: int, seq: int) -> Iterator[bytes]:
        """event_camera_msgs/EventPacket: a batch, at least one packet, numbered from `seq`."""
        for packet in event_packets(batch, seq):
            yield self._cdr(
                'event_camera_msgs/msg/EventPacket',
                header=self._header(stamp_ns, 'event_camera'), height=packet.height,
                width=packet.width, seq=packet.seq, time_base=packet.time_base_ns,
                encoding=packet.encoding, is_bigendian=packet.is_bigendian,
                events=np.frombuffer(packet.events, np.uint8),
            )  # fmt: skip

    def command(self, command: Command) -> bytes:
        """ackermann_msgs/AckermannDriveStamped."""
        return self._cdr(
            'ackermann_msgs/msg/AckermannDriveStamped',
            header=self._header(command.stamp_ns, 'base_link'), drive=self._drive(command),
        )  # fmt: skip

    def executed(self, command: Command, mode: Mode, reason: str) -> bytes:
        """rtrrl_msgs/Executed."""
        return self._cdr(
            'rtrrl_msgs/msg/Executed', header=self._header(command.stamp_ns, 'base_link'),
            drive=self._drive(command), mode=int(mode), reason=reason,
        )  # fmt: skip

    def world_state(self, state: WorldState) -> bytes:
        """rtrrl_msgs/WorldState."""
        return self._cdr(
            'rtrrl_msgs/msg/WorldState', header=self._header(state.stamp_ns, 'map'),
            lap=state.lap, step_type=int(state.step_type), terminated=state.terminated,
            truncated=state.truncated, task_reward=state.task_reward,
            lateral_error_m=state.lateral_error_m, heading_error_rad=state.heading_error_rad,
            speed_m_s=state.speed_m_s, progress_m=state.progress_m,
        )  # fmt: skip

    def reward(self, state: WorldState, reward: float) -> bytes:
        """rtrrl_msgs/Reward."""
        return self._cdr(
            'rtrrl_msgs/msg/Reward', header=self._header(state.stamp_ns, 'base_link'),
            lap=state.lap, step_type=int(state.step_type), terminated=state.terminated,
            truncated=state.truncated, reward=reward, task_reward=state.task_reward,
            lateral_error_m=state.lateral_error_m,
        )  # fmt: skip

    def odometry(
        self, stamp_ns: int, pose: np.ndarray, speed_m_s: float, yaw_rate_rad_s: float
    ) -> bytes:
        """nav_msgs/Odometry of a pose (x, y, heading) in frame odom, and its motion."""
        x, y, heading = (float(value) for value in pose)
        turn = self._make(
            'geometry_msgs/msg/Quaternion', x=0.0, y=0.0, z=math.sin(0.5 * heading),
            w=math.cos(0.5 * heading),
        )  # fmt: skip
        place = self._make('geometry_msgs/msg/Point', x=x, y=y, z=0.0)
        pose_message = self._make('geometry_msgs/msg/Pose', position=place, orientation=turn)
        twist = self._make(
            'geometry_msgs/msg/Twist', linear=self._vector(x=speed_m_s),
            angular=self._vector(z=yaw_rate_rad_s),
        )  # fmt: skip
        return self._cdr(
            'nav_msgs/msg/Odometry', header=self._header(stamp_ns, 'odom'),
            child_frame_id='base_link',
            pose=self._make(
                'geometry_msgs/msg/PoseWithCovariance', pose=pose_message, covariance=_COVARIANCE
            ),
            twist=self._make(
                'geometry_msgs/msg/TwistWithCovariance', twist=twist, covariance=_COVARIANCE
            ),
        )  # fmt: skip

    def _make(self, type_name: str, **fields: Any) -> Any:
        return self._types.make(type_name, **fields)

    def _cdr(self, type_name: str, **fields: Any) -> bytes:
        return self._types.serialize(self._make(type_name, **fields), type_name)

    def _header(self, stamp_ns: int, frame_id: str) -> Any:
        stamp = self._make(
            'builtin_interfaces/msg/Time', sec=stamp_ns // S_NS, nanosec=stamp_ns % S_NS
        )
        return self._make('std_msgs/msg/Header', stamp=stamp, frame_id=frame_id)

    def _drive(self, command: Command) -> Any:
        return self._make(
            'ackermann_msgs/msg/AckermannDrive', steering_angle=command.steering_angle_rad,
            steering_angle_velocity=0.0, speed=command.speed_m_s,
            acceleration=command.acceleration_m_s2, jerk=0.0,
        )  # fmt: skip

    def _vector(self, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> Any:
        return self._make('geometry_msgs/msg/Vector3', x=x, y=y, z=z)
