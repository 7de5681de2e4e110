"""Laps of the simulated driver as a bag: what recording a person on the car would give.

The driver's wish is on `teleop`, what was done, pushes included, on `executed`, where it counts as
a takeover: no policy drives. Laps are those that `rtrrl pretrain line` drives in memory with the
same seed, one after the other in simulated time.
"""

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path

from ..bags.demonstrations.drive_messages import DriveMessages
from ..bags.demonstrations.frame_streams import EVENT_PACKET, EVENTS
from ..bags.tracks import EXECUTED, ODOM, REWARD, TELEOP
from ..bags.writing import BagWriter
from ..errors import UserError
from ..safety.command import Command
from ..safety.modes import Mode
from ..worlds.contract import Observation
from ..worlds.line import LineWorld
from .demonstrations import Demonstration
from .line_laps import LapJob, record

WORLD_STATE = '/world_state'
TOPICS = {
    EVENTS: EVENT_PACKET,
    TELEOP: 'ackermann_msgs/msg/AckermannDriveStamped',
    EXECUTED: 'rtrrl_msgs/msg/Executed',
    REWARD: 'rtrrl_msgs/msg/Reward',
    WORLD_STATE: 'rtrrl_msgs/msg/WorldState',
    ODOM: 'nav_msgs/msg/Odometry',
}


class _Recorder:
    """Writes what it is told of one lap; times are moved to after the laps before."""

    def __init__(self, bag: BagWriter, lap: int, begin_ns: int) -> None:
        self._bag, self._lap, self._begin_ns = bag, lap, begin_ns
        self._messages = DriveMessages()
        self._seq = 0  # each lap, as line_node does: a driver that starts anew
        self.end_ns = begin_ns

    def on_observation(
        self, observation: Observation, label: Command, reward: float, world: LineWorld
    ) -> None:
        stamp_ns = self._begin_ns + observation.stamp_ns
        state = dataclasses.replace(observation.state, stamp_ns=stamp_ns, lap=self._lap)
        begin_us, seen = self._begin_ns // 1000, observation.events
        events = dataclasses.replace(
            seen, t_us=seen.t_us + begin_us, until_us=seen.until_us + begin_us
        )
        for packet in self._messages.event_packets(events, stamp_ns, self._seq):
            self._write(EVENTS, stamp_ns, packet)
            self._seq += 1
        car = world.car
        odometry = self._messages.odometry(stamp_ns, car.pose, state.speed_m_s, car.yaw_rate_rad_s)
        self._write(ODOM, stamp_ns, odometry)
        self._write(WORLD_STATE, stamp_ns, self._messages.world_state(state))
        self._write(REWARD, stamp_ns, self._messages.reward(state, reward))
        asked = dataclasses.replace(label, stamp_ns=stamp_ns)
        self._write(TELEOP, stamp_ns, self._messages.command(asked))
        self.end_ns = stamp_ns

    def on_command(self, command: Command) -> None:
        stamp_ns = self._begin_ns + command.stamp_ns
        done = dataclasses.replace(command, stamp_ns=stamp_ns)
        self._write(EXECUTED, stamp_ns, self._messages.executed(done, Mode.TAKEOVER, 'takeover'))

    def _write(self, topic: str, stamp_ns: int, data: bytes) -> None:
        self._bag.write(topic, stamp_ns, data)


def record_laps(
    folder: Path, jobs: list[LapJob], pause_s: float = 1.0,
    on_lap: Callable[[Demonstration], None] = lambda lap: None,
) -> list[Demonstration]:  # fmt: skip
    """Drive these laps and write them into a new bag, with a pause between two.

    The bag is there when all of them are; else nothing is.

    Raises
    ------
    UserError
        the bag exists, or cannot be written
    """
    bag = BagWriter(folder)
    try:
        with bag:
            return _record_laps(bag, jobs, pause_s, on_lap)
    except BaseException as error:  # also Ctrl-C: with laps missing it would look complete
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, UserError):
            raise UserError(f'{error} (laps are missing: the bag was removed)') from error
        raise


def _record_laps(
    bag: BagWriter, jobs: list[LapJob], pause_s: float, on_lap: Callable[[Demonstration], None]
) -> list[Demonstration]:
    for topic, type_name in TOPICS.items():
        bag.add_topic(topic, type_name, need_definition=True)
    laps, begin_ns = [], 0
    for index, job in enumerate(jobs):
        recorder = _Recorder(bag, index, begin_ns)
        laps.append(record(job, recorder))
        on_lap(laps[-1])
        begin_ns = recorder.end_ns + round(pause_s * 1e9)
    return laps
