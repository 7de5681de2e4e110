"""Small recordings, message by message."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rtrrl_ros.bags.message_types import MessageTypes
from rtrrl_ros.bags.writing import BagWriter
from rtrrl_ros.perception.events.codecs import EventPacket
from rtrrl_ros.perception.events.contract import EventBatch
from rtrrl_ros.perception.events.packing import event_packets

START_NS = 1_790_000_000 * 10**9
MS = 1_000_000


class Recording:
    """Collects messages and writes them; times are in ns after `START_NS`."""

    def __init__(self) -> None:
        self._types = MessageTypes()
        self.messages: list[tuple[str, str, int, bytes]] = []
        self.silent: dict[str, str] = {}

    def put(self, topic: str, kind: str, log: int, **fields: Any) -> None:
        data = self._types.serialize(self._types.make(kind, **fields), kind)
        self.messages.append((topic, kind, START_NS + log, data))

    def header(self, stamp: int | None) -> Any:
        """`stamp` None: nobody stamped it."""
        sec, nanosec = (0, 0) if stamp is None else divmod(START_NS + stamp, 10**9)
        time = self._types.make('builtin_interfaces/msg/Time', sec=sec, nanosec=nanosec)
        return self._types.make('std_msgs/msg/Header', stamp=time, frame_id='')

    def drive(self, angle: float, speed: float) -> Any:
        return self._types.make(
            'ackermann_msgs/msg/AckermannDrive', steering_angle=angle, steering_angle_velocity=0.0,
            speed=speed, acceleration=0.0, jerk=0.0,
        )  # fmt: skip

    def command(self, topic: str, log: int, stamp: int | None, angle: float, speed=1.6) -> None:
        kind = 'ackermann_msgs/msg/AckermannDriveStamped'
        self.put(topic, kind, log, header=self.header(stamp), drive=self.drive(angle, speed))

    def executed(self, log: int, stamp: int, mode: int, angle: float = 0.1) -> None:
        self.put(
            '/executed', 'rtrrl_msgs/msg/Executed', log, header=self.header(stamp),
            drive=self.drive(angle, 1.6), mode=mode, reason='',
        )  # fmt: skip

    def features(self, log: int, stamp: int, seq: int, values: np.ndarray) -> None:
        self.put(
            '/features', 'rtrrl_msgs/msg/Features', log, header=self.header(stamp), seq=seq,
            data=np.asarray(values, np.float32),
        )  # fmt: skip

    def reward(self, log: int, stamp: int, lap: int, step_type: int, error_m: float) -> None:
        self.put(
            '/reward', 'rtrrl_msgs/msg/Reward', log, header=self.header(stamp), lap=lap,
            step_type=step_type, terminated=False, truncated=step_type == 2, reward=0.1,
            task_reward=1.0, lateral_error_m=error_m,
        )  # fmt: skip

    def text(self, topic: str, log: int, text: str) -> None:
        self.put(topic, 'std_msgs/msg/String', log, data=text)

    def odometry(self, log: int, stamp: int, x: float, y: float, heading: float) -> None:
        make = self._types.make
        none = make('geometry_msgs/msg/Vector3', x=0.0, y=0.0, z=0.0)
        pose = make(
            'geometry_msgs/msg/Pose',
            position=make('geometry_msgs/msg/Point', x=x, y=y, z=0.0),
            orientation=make(
                'geometry_msgs/msg/Quaternion', x=0.0, y=0.0, z=np.sin(heading / 2),
                w=np.cos(heading / 2),
            ),
        )  # fmt: skip
        twist = make('geometry_msgs/msg/Twist', linear=none, angular=none)
        zeros = np.zeros(36)
        self.put(
            '/odom', 'nav_msgs/msg/Odometry', log, header=self.header(stamp), child_frame_id='',
            pose=make('geometry_msgs/msg/PoseWithCovariance', pose=pose, covariance=zeros),
            twist=make('geometry_msgs/msg/TwistWithCovariance', twist=twist, covariance=zeros),
        )  # fmt: skip

    def packet(self, log: int, stamp: int, packet: EventPacket, topic='/event_camera/events'):
        self.put(
            topic, 'event_camera_msgs/msg/EventPacket', log, header=self.header(stamp),
            height=packet.height, width=packet.width, seq=packet.seq,
            time_base=packet.time_base_ns, encoding=packet.encoding,
            is_bigendian=packet.is_bigendian, events=np.frombuffer(packet.events, np.uint8),
        )  # fmt: skip

    def events(self, log: int, stamp: int, batch: EventBatch, seq: int) -> None:
        for packet in event_packets(batch, seq):
            self.packet(log, stamp, packet)

    def write(self, folder: Path) -> Path:
        with BagWriter(folder) as bag:
            for topic, kind in self.silent.items():
                bag.add_topic(topic, kind)
            for topic, kind, log_ns, data in sorted(self.messages, key=lambda m: m[2]):
                bag.add_topic(topic, kind)
                bag.write(topic, log_ns, data)
        return folder


def some_events(start_us: int, count: int = 20, on: int = 12) -> EventBatch:
    """`count` events spread over 10 ms, the first `on` of them ON; 64 x 48 pixels."""
    random = np.random.default_rng(start_us)
    return EventBatch(
        start_us + np.sort(random.integers(0, 10_000, count)),
        random.integers(0, 64, count).astype(np.uint16),
        random.integers(0, 48, count).astype(np.uint16),
        np.arange(count) < on,
        64, 48, until_us=start_us + 10_000,
    )  # fmt: skip


def drive(seconds: float = 6.0, without: tuple[str, ...] = (), takeover: bool = True) -> Recording:
    """Everything that a drive has at 100 Hz, two laps of it, a person steering."""
    recording = Recording()
    steps = round(100 * seconds)
    random = np.random.default_rng(0)
    for step in range(steps):
        at = 10 * MS * step
        place = step % (steps // 2)
        kind = 0 if place == 0 else 2 if place == steps // 2 - 1 else 1
        angle = 0.2 * np.sin(step / 20.0)
        turn = 2.0 * np.pi * (place + 0.5) / (steps // 2)
        if '/event_camera/events' not in without:
            recording.events(at + MS, at, some_events(10_000 * step), step)
        if '/features' not in without:
            recording.features(at + 2 * MS, at, step, random.normal(size=4))
        if '/teleop' not in without:
            recording.command('/teleop', at + 3 * MS, at + MS, angle)
        if '/executed' not in without:
            recording.executed(at + 4 * MS, at, 2 if takeover else 0, angle)
        if '/reward' not in without:
            recording.reward(at + 4 * MS, at, 2 * step // steps, kind, 0.02)
        if '/odom' not in without:
            place_m = 3.0 * np.cos(turn), 3.0 * np.sin(turn)
            recording.odometry(at + MS, at, *place_m, turn + np.pi / 2)
    if '/learner_run' not in without:
        recording.text('/learner_run', 0, '{}')
    return recording


@pytest.fixture
def recording() -> Recording:
    return Recording()


@pytest.fixture
def make_drive() -> Callable[..., Recording]:
    return drive


@pytest.fixture
def make_events() -> Callable[..., EventBatch]:
    return some_events
