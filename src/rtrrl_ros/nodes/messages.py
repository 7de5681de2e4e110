"""Between the messages of the graph and the values of the core."""

import array

import numpy as np
from ackermann_msgs.msg import AckermannDrive, AckermannDriveStamped
from builtin_interfaces.msg import Time
from rtrrl_msgs import msg as rtrrl
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from ..driving.reward_signal import RewardSignal
from ..perception.rgb import rgb_pixels
from ..safety.command import Command
from ..safety.gate import GateOutput
from ..worlds.contract import Observation, StepType, WorldState

S_NS = 1_000_000_000


def make_header(stamp_ns: int, frame_id: str) -> Header:
    """A header with this stamp."""
    return Header(stamp=Time(sec=stamp_ns // S_NS, nanosec=stamp_ns % S_NS), frame_id=frame_id)


def stamp_ns(message: object) -> int:
    """The stamp of a message with a header."""
    stamp = message.header.stamp  # type: ignore[attr-defined]
    return stamp.sec * S_NS + stamp.nanosec


def image_message(observation: Observation) -> Image:
    """The camera image of an observation, rgb8."""
    height, width, channels = observation.image.shape
    data = array.array('B')  # NumPy would be copied element by element
    data.frombytes(observation.image.tobytes())
    return Image(
        header=make_header(observation.stamp_ns, 'camera'),
        height=height,
        width=width,
        encoding='rgb8',
        step=width * channels,
        data=data,
    )


def image_pixels(message: Image) -> np.ndarray:
    """(height, width, 3) uint8 without a copy; `UserError` unless it is a complete rgb8 image."""
    return rgb_pixels(message.encoding, message.width, message.height, message.step, message.data)


def world_state_message(state: WorldState) -> rtrrl.WorldState:
    return rtrrl.WorldState(
        header=make_header(state.stamp_ns, 'map'),
        lap=state.lap,
        step_type=int(state.step_type),
        terminated=state.terminated,
        truncated=state.truncated,
        task_reward=state.task_reward,
        lateral_error_m=state.lateral_error_m,
        heading_error_rad=state.heading_error_rad,
        speed_m_s=state.speed_m_s,
        progress_m=state.progress_m,
    )


def world_state(message: rtrrl.WorldState) -> WorldState:
    return WorldState(
        stamp_ns=stamp_ns(message),
        lap=message.lap,
        step_type=StepType(message.step_type),
        terminated=message.terminated,
        truncated=message.truncated,
        task_reward=message.task_reward,
        lateral_error_m=message.lateral_error_m,
        heading_error_rad=message.heading_error_rad,
        speed_m_s=message.speed_m_s,
        progress_m=message.progress_m,
    )


def reward_message(signal: RewardSignal) -> rtrrl.Reward:
    return rtrrl.Reward(
        header=make_header(signal.stamp_ns, 'base_link'),
        lap=signal.lap,
        step_type=int(signal.step_type),
        terminated=signal.terminated,
        truncated=signal.truncated,
        reward=signal.reward,
        task_reward=signal.task_reward,
        lateral_error_m=signal.lateral_error_m,
    )


def reward_signal(message: rtrrl.Reward) -> RewardSignal:
    return RewardSignal(
        stamp_ns=stamp_ns(message),
        lap=message.lap,
        step_type=StepType(message.step_type),
        terminated=message.terminated,
        truncated=message.truncated,
        reward=message.reward,
        task_reward=message.task_reward,
        lateral_error_m=message.lateral_error_m,
    )


def drive_message(command: Command) -> AckermannDriveStamped:
    return AckermannDriveStamped(
        header=make_header(command.stamp_ns, 'base_link'),
        drive=AckermannDrive(
            steering_angle=command.steering_angle_rad,
            speed=command.speed_m_s,
            acceleration=command.acceleration_m_s2,
        ),
    )


def drive_command(message: AckermannDriveStamped) -> Command:
    drive = message.drive
    return Command(stamp_ns(message), drive.steering_angle, drive.speed, drive.acceleration)


def executed_message(output: GateOutput, sent: AckermannDriveStamped) -> rtrrl.Executed:
    """The account of an output; `sent` is the message made of its command."""
    return rtrrl.Executed(
        header=sent.header, drive=sent.drive, mode=int(output.mode), reason=output.reason
    )


def features_message(stamp: int, seq: int, features: np.ndarray) -> rtrrl.Features:
    data = array.array('f')
    data.frombytes(features.tobytes())
    return rtrrl.Features(header=make_header(stamp, 'camera'), seq=seq, data=data)


def features_vector(message: rtrrl.Features) -> np.ndarray:
    """(latent,) float32; a copy, since the agent keeps it."""
    return np.array(message.data, dtype=np.float32)
