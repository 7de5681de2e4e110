"""Bags of a made-up drive in which a bright spot wanders, one step to the right in each frame."""

from collections.abc import Callable, Collection, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from rtrrl_ros.bags.demonstrations.drive_messages import DriveMessages
from rtrrl_ros.bags.demonstrations.frame_streams import EVENT_PACKET, EVENTS
from rtrrl_ros.bags.demonstrations.laps import RecordedConfig
from rtrrl_ros.bags.lerobot.export import GAP_WINDOWS, ExportConfig
from rtrrl_ros.bags.tracks import ODOM, REWARD, TELEOP
from rtrrl_ros.bags.writing import BagWriter
from rtrrl_ros.perception.events.contract import EventBatch
from rtrrl_ros.perception.events.frames import FrameConfig
from rtrrl_ros.perception.events.windows import WindowConfig
from rtrrl_ros.safety.command import Command
from rtrrl_ros.worlds.contract import StepType, WorldState

TYPES = {
    EVENTS: EVENT_PACKET,
    TELEOP: 'ackermann_msgs/msg/AckermannDriveStamped',
    REWARD: 'rtrrl_msgs/msg/Reward',
    ODOM: 'nav_msgs/msg/Odometry',
}


class Track:
    """What the made-up drive is at frame k, counted from 0; all that tests compare with."""

    width, height = 32, 24
    #: pixels along one side of the spots
    spot = 4
    period_ns, start_ns = 10_000_000, 1_700_000_000_000_000_000
    on_row, off_row = 4, 16

    def stamp_ns(self, frame: int) -> int:
        return self.start_ns + frame * self.period_ns

    def column(self, frame: int) -> int:
        """Left edge of the spots, pixels."""
        return frame % (self.width - self.spot)

    def steering(self, frame: int) -> float:
        return 0.3 * np.sin(0.05 * frame)

    def speed(self, frame: int) -> float:
        return 1.0 + 0.001 * frame

    def motion(self, frame: int) -> tuple[float, float]:
        """Speed, m/s, and yaw rate, rad/s."""
        return 0.5 + 0.001 * frame, -0.01 * frame

    def reward(self, frame: int) -> float:
        return float(frame % 17)


class _Drive:
    """Writes messages with the stamps of frames."""

    def __init__(self, track: Track, bag: BagWriter) -> None:
        self._track, self._bag, self._messages, self._seq = track, bag, DriveMessages(), 0

    def _write(self, topic: str, frame: int, data: bytes) -> None:
        self._bag.add_topic(topic, TYPES[topic])
        self._bag.write(topic, self._track.stamp_ns(frame), data)

    def events(self, frame: int) -> None:
        """A spot of ON events above one of OFF events, at the end of the frame's window."""
        track = self._track
        end_us = track.stamp_ns(frame) // 1000
        y, x = np.divmod(np.arange(track.spot**2), track.spot)
        x = np.tile(x + track.column(frame), 2).astype(np.uint16)
        y = np.concatenate([y + track.on_row, y + track.off_row]).astype(np.uint16)
        on = np.repeat([True, False], track.spot**2)
        t_us = np.full(len(x), end_us - 10)
        batch = EventBatch(t_us, x, y, on, track.width, track.height, end_us)
        for packet in self._messages.event_packets(batch, track.stamp_ns(frame), self._seq):
            self._write(EVENTS, frame, packet)
            self._seq += 1

    def teleop(self, frame: int) -> None:
        track = self._track
        command = Command(track.stamp_ns(frame), track.steering(frame), track.speed(frame), 0.0)
        self._write(TELEOP, frame, self._messages.command(command))

    def odom(self, frame: int) -> None:
        stamp_ns, motion = self._track.stamp_ns(frame), self._track.motion(frame)
        self._write(ODOM, frame, self._messages.odometry(stamp_ns, np.zeros(3), *motion))

    def reward(self, frame: int, lap: int, kind: StepType, lost: bool) -> None:
        state = WorldState(
            self._track.stamp_ns(frame), lap, kind, lost, kind is StepType.LAST and not lost,
            0.0, 0.0, 0.0, 1.0, 0.01,
        )  # fmt: skip
        self._write(REWARD, frame, self._messages.reward(state, self._track.reward(frame)))


@pytest.fixture
def track() -> Track:
    return Track()


@pytest.fixture
def bag_of(track: Track, tmp_path: Path) -> Callable[..., Path]:
    """Makes a bag: `bag_of('name', laps=[(0, 120), (200, 320)], lost=[1], without={ODOM})`.

    laps : first and last frame (excluded) of each
    lost : laps that end in a failure
    without : topics that are not recorded
    missing : {topic: frames that have no message}
    """

    def make(
        name: str, laps: Sequence[tuple[int, int]], lost: Collection[int] = (),
        without: Collection[str] = (), missing: dict[str, Collection[int]] | None = None,
    ) -> Path:  # fmt: skip
        with BagWriter(tmp_path / name, least_free_bytes=0) as bag:
            drive = _Drive(track, bag)
            for lap, (first, end) in enumerate(laps):
                for frame in range(first, end):
                    kind = StepType.MID if frame > first else StepType.FIRST
                    kind = StepType.LAST if frame == end - 1 else kind
                    ended = kind is StepType.LAST and lap in lost
                    for topic, write in (
                        (REWARD, partial(drive.reward, lap=lap, kind=kind, lost=ended)),
                        (ODOM, drive.odom),
                        (TELEOP, drive.teleop),
                        (EVENTS, drive.events),
                    ):
                        if topic not in without and frame not in (missing or {}).get(topic, ()):
                            write(frame)
        return tmp_path / name

    return make


@pytest.fixture
def config() -> ExportConfig:
    """100 frames per second of the whole sensor."""
    window = WindowConfig()
    gap_s = GAP_WINDOWS * window.window_ms / 1e3
    frames = FrameConfig(representation='time_surface', tau_ms=5.0)
    return ExportConfig(window, frames, RecordedConfig(max_gap_s=gap_s), 'follow the spot')
