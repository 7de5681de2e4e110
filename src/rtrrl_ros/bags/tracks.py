"""What the small topics of a drive said, as columns: commands, rewards, poses.

Half a million commands as messages would fill the memory; as columns they take a few megabytes.

Several runs in one bag may each begin their simulated time near 0: the same stamp then means
different moments. Epochs tell them apart; only what is of one epoch can be compared by stamps.
"""

import array
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .reading import Bag, Record, require

S_NS = 1_000_000_000
#: stamps that go back further than this begin anew: another epoch
RESTART_NS = S_NS
#: where demonstrations find what they need
TELEOP, ACKERMANN_CMD, EXECUTED = '/teleop', '/ackermann_cmd', '/executed'
REWARD, ODOM, DRIVE = '/reward', '/odom', '/drive'

_COMMAND = 'ackermann_msgs/msg/AckermannDriveStamped'


def header_stamp_ns(message: Any, log_ns: int) -> int:
    """The stamp of a message, or when it was recorded where nobody stamped it."""
    stamp = message.header.stamp
    return stamp.sec * S_NS + stamp.nanosec or log_ns


def _command(message: Any) -> tuple[float, ...]:
    return message.drive.steering_angle, message.drive.speed


def _executed(message: Any) -> tuple[float, ...]:
    return message.drive.steering_angle, message.drive.speed, message.mode


def _reward(message: Any) -> tuple[float, ...]:
    return (
        message.lap, message.step_type, message.terminated, message.reward, message.task_reward
    )  # fmt: skip


def _pose(message: Any) -> tuple[float, ...]:
    pose, motion, q = message.pose.pose, message.twist.twist, message.pose.pose.orientation
    heading = math.atan2(2.0 * (q.w * q.z + q.x * q.y), 1.0 - 2.0 * (q.y * q.y + q.z * q.z))
    return pose.position.x, pose.position.y, heading, motion.linear.x, motion.angular.z


#: {topic: (type, columns beside the stamp, from the message to them)}
_TOPICS: dict[str, tuple[str, tuple[str, ...], Callable[[Any], tuple[float, ...]]]] = {
    TELEOP: (_COMMAND, ('steering_rad', 'speed_m_s'), _command),
    ACKERMANN_CMD: (_COMMAND, ('steering_rad', 'speed_m_s'), _command),
    EXECUTED: ('rtrrl_msgs/msg/Executed', ('steering_rad', 'speed_m_s', 'mode'), _executed),
    REWARD: (
        'rtrrl_msgs/msg/Reward',
        ('lap', 'step_type', 'terminated', 'reward', 'task_reward'),
        _reward,
    ),
    ODOM: (
        'nav_msgs/msg/Odometry',
        ('x_m', 'y_m', 'heading_rad', 'speed_m_s', 'yaw_rate_rad_s'),
        _pose,
    ),
}
TRACK_TOPICS = tuple(_TOPICS)

#: of one topic: 'stamp_ns' (N,) int64, in order, 'epoch' (N,) int64, and the others (N,) float64
Columns = Mapping[str, np.ndarray]


class Tracks:
    """Collects columns; `columns` gives them in the order of their stamps.

    An epoch begins where the stamps of the sensor do, not those of each topic: one that is silent
    in a run, or begins late in the next, does not show it.
    """

    def __init__(self) -> None:
        self._stamps = {topic: array.array('q') for topic in _TOPICS}
        self._epochs = {topic: array.array('q') for topic in _TOPICS}
        self._values = {topic: array.array('d') for topic in _TOPICS}
        self._epoch = 0
        self._sensed_ns: int | None = None
        self._until_sensed = dict.fromkeys(_TOPICS, 0)  # messages up to that moment

    def on_sensor(self, message: Any) -> int:
        """Take the stamp of the next message of the sensor; returns its epoch."""
        stamp_ns = header_stamp_ns(message, 0)
        if not stamp_ns:  # nobody stamped it: when it was recorded is no time of that clock
            return self._epoch
        before_ns = self._sensed_ns
        if before_ns is not None and before_ns - stamp_ns > RESTART_NS:
            self._epoch += 1
            self._begin_before_sensor(before_ns, stamp_ns)
        self._sensed_ns = stamp_ns
        for topic, stamps in self._stamps.items():
            self._until_sensed[topic] = len(stamps)
        return self._epoch

    def _begin_before_sensor(self, before_ns: int, after_ns: int) -> None:
        """Other topics may begin anew before the sensor does: their stamps tell which."""
        for topic, stamps in self._stamps.items():
            for k in range(self._until_sensed[topic], len(stamps)):
                if abs(stamps[k] - after_ns) < abs(stamps[k] - before_ns):
                    self._epochs[topic][k] = self._epoch

    def add(self, bag: Bag, record: Record) -> None:
        """Take a message of one of `TRACK_TOPICS`."""
        message = bag.message(record)
        self._stamps[record.topic].append(header_stamp_ns(message, record.log_ns))
        self._epochs[record.topic].append(self._epoch)
        self._values[record.topic].extend(_TOPICS[record.topic][2](message))

    def columns(self) -> dict[str, dict[str, np.ndarray]]:
        """{topic: columns}, of the topics that had messages."""
        found: dict[str, dict[str, np.ndarray]] = {}
        for topic, (_, names, _) in _TOPICS.items():
            stamps = np.frombuffer(self._stamps[topic], np.int64)
            if len(stamps):
                order = np.argsort(stamps, kind='stable')
                values = np.frombuffer(self._values[topic]).reshape(-1, len(names))[order]
                epochs = np.frombuffer(self._epochs[topic], np.int64)
                found[topic] = {'stamp_ns': stamps[order], 'epoch': epochs[order]}
                found[topic] |= {name: values[:, k].copy() for k, name in enumerate(names)}
        return found


def require_types(bag: Bag) -> None:
    """Raise `UserError` where a topic of that name holds something else."""
    require(bag, {topic: _TOPICS[topic][0] for topic in _TOPICS if topic in bag.topics})


def save_columns(columns: Mapping[str, Columns]) -> dict[str, np.ndarray]:
    """The same in one level, for an .npz file."""
    return {f'{topic}:{name}': c[name] for topic, c in columns.items() for name in c}


def restore_columns(arrays: Mapping[str, np.ndarray]) -> dict[str, dict[str, np.ndarray]]:
    """What `save_columns` flattened."""
    found: dict[str, dict[str, np.ndarray]] = {}
    for key, values in arrays.items():
        topic, _, name = key.partition(':')
        if name:
            found.setdefault(topic, {})[name] = values
    return found
