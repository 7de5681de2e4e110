"""Recordings of a made-up drive: few events, a known command at each frame."""

import dataclasses
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest

from rtrrl_ros.bags.demonstrations.drive_messages import DriveMessages
from rtrrl_ros.bags.demonstrations.frame_streams import EVENT_PACKET, EVENTS
from rtrrl_ros.bags.tracks import ACKERMANN_CMD, EXECUTED, ODOM, REWARD, TELEOP
from rtrrl_ros.bags.writing import BagWriter
from rtrrl_ros.perception.events.contract import EventBatch
from rtrrl_ros.safety.command import Command
from rtrrl_ros.safety.modes import Mode
from rtrrl_ros.worlds.contract import StepType, WorldState

WIDTH, HEIGHT = 64, 48
PERIOD_NS = 10_000_000
#: stamp of the first frame
START_NS = 1_700_000_000_000_000_000
COMMAND = 'ackermann_msgs/msg/AckermannDriveStamped'
TYPES = {
    EVENTS: EVENT_PACKET,
    TELEOP: COMMAND,
    ACKERMANN_CMD: COMMAND,
    '/drive': COMMAND,
    EXECUTED: 'rtrrl_msgs/msg/Executed',
    REWARD: 'rtrrl_msgs/msg/Reward',
    ODOM: 'nav_msgs/msg/Odometry',
}


def steering(frame: int) -> float:
    """What the person does at a frame, rad."""
    return 0.3 * np.sin(0.05 * frame)


def events_at(frame: int) -> EventBatch:
    """A few events of the window that ends at the stamp of a frame; never the same."""
    random = np.random.default_rng(frame)
    begin_us = START_NS // 1000 - 10_000 + 10_000 * frame
    t_us = np.sort(random.integers(begin_us, begin_us + 10_000, 20))
    return EventBatch(
        t_us, random.integers(0, WIDTH, 20).astype(np.uint16),
        random.integers(0, HEIGHT, 20).astype(np.uint16), random.random(20) < 0.5,
        WIDTH, HEIGHT, begin_us + 10_000,
    )  # fmt: skip


@dataclasses.dataclass
class Drive:
    """Writes a drive message by message; frames are counted from 0, 10 ms apart.

    `recorded_later_ns` after its stamp each message is recorded: see `run`.
    """

    bag: BagWriter
    messages: DriveMessages = dataclasses.field(default_factory=DriveMessages)
    seq: int = 0
    recorded_later_ns: int = 0

    def run(self) -> None:
        """Another run begins: the same stamps come again, a minute later."""
        self.recorded_later_ns += 60_000_000_000
        self.seq = 0

    @staticmethod
    def stamp(frame: float) -> int:
        return START_NS + round(frame * PERIOD_NS)

    def write(self, topic: str, frame: float, data: bytes) -> None:
        self.bag.add_topic(topic, TYPES[topic])
        self.bag.write(topic, self.stamp(frame) + self.recorded_later_ns, data)

    def events(self, frames: Iterable[int]) -> None:
        for frame in frames:
            for packet in self.messages.event_packets(
                events_at(frame), self.stamp(frame), self.seq
            ):
                self.write(EVENTS, frame, packet)
                self.seq += 1

    def events_again(self, batch: EventBatch, frame: int) -> None:
        """Events of another frame, moved to this one."""
        later_us = self.stamp(frame) // 1000 - batch.until_us
        moved = dataclasses.replace(
            batch, t_us=batch.t_us + later_us, until_us=batch.until_us + later_us
        )
        for packet in self.messages.event_packets(moved, self.stamp(frame), self.seq):
            self.write(EVENTS, frame, packet)
            self.seq += 1

    def command(
        self, frame: float, topic: str = TELEOP, angle: float | None = None, speed: float = 1.0
    ) -> None:
        angle = steering(round(frame)) if angle is None else angle
        command = Command(self.stamp(frame), angle, speed, 0.0)
        self.write(topic, frame, self.messages.command(command))

    def executed(self, frame: float, mode: Mode, angle: float | None = None) -> None:
        angle = steering(round(frame)) if angle is None else angle
        command = Command(self.stamp(frame), angle, 1.0, 0.0)
        self.write(EXECUTED, frame, self.messages.executed(command, mode, ''))

    def reward(
        self, frame: int, lap: int, kind: StepType, reward: float = 1.0, terminated: bool = False
    ) -> None:
        state = WorldState(
            self.stamp(frame), lap, kind, terminated, kind is StepType.LAST and not terminated,
            2.0 * reward, 0.0, 0.0, 1.0, 0.01,
        )  # fmt: skip
        self.write(REWARD, frame, self.messages.reward(state, reward))

    def pose(self, frame: float, x_m: float, y_m: float, heading_rad: float) -> None:
        pose = np.array([x_m, y_m, heading_rad])
        self.write(ODOM, frame, self.messages.odometry(self.stamp(frame), pose, 1.0, 0.0))

    def ordinary(self, frames: Iterable[int]) -> 'Drive':
        """Events and a command with the stamp of each."""
        for frame in frames:
            self.events([frame])
            self.command(frame)
        return self


@pytest.fixture
def drive_in(tmp_path: Path) -> Callable[..., Path]:
    """Makes a bag: `drive_in(fill, name)`, where `fill` is given a `Drive`."""

    def make(fill: Callable[[Drive], object], name: str = 'drive') -> Path:
        with BagWriter(tmp_path / name, least_free_bytes=0) as bag:
            fill(Drive(bag))
        return tmp_path / name

    return make


@pytest.fixture
def command_at() -> Callable[[int], float]:
    """The steering angle in rad that the person asks for at a frame."""
    return steering


@pytest.fixture
def events_of() -> Callable[[int], EventBatch]:
    """The events of the window that ends at the stamp of a frame."""
    return events_at
