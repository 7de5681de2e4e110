"""The steps of a recorded run: all that belongs to one observation, put together by its stamp.

A bag holds messages in the order in which a recorder happened to hear them; the driver pairs them
by stamp. Here they are paired again, streamed: a run may be longer than the memory.
"""

import dataclasses
import heapq
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from ...driving.driver import MEMORY
from ...driving.reward_signal import RewardSignal
from ...errors import UserError
from ...safety.command import Command
from ...safety.modes import Mode
from ...worlds.contract import StepType, WorldState
from ..reading import Bag, require
from .runs import RecordedRun
from .sight import KEPT, Sight

#: what a step is made of, and the types of these topics
TYPES = {
    '/features': 'rtrrl_msgs/msg/Features',
    '/reward': 'rtrrl_msgs/msg/Reward',
    '/executed': 'rtrrl_msgs/msg/Executed',
    '/drive_proposal': 'ackermann_msgs/msg/AckermannDriveStamped',
    '/learner_status': 'rtrrl_msgs/msg/LearnerStatus',
    '/world_state': 'rtrrl_msgs/msg/WorldState',
}
_S_NS = 1_000_000_000
#: observations that wait for their last message
DEPTH = 2 * MEMORY
#: messages of a camera that wait for one that was sent before them: where one is sent again, the
#: middleware receives it, and a recorder logs it, after those that follow
CAMERA_DEPTH = 200


class Executed(NamedTuple):
    """What the car was really told to do, and by whom."""

    command: Command
    mode: Mode


@dataclasses.dataclass
class Step:
    """One observation; None where the bag holds nothing with its stamp.

    Attributes
    ----------
    features : (latent,) float32 as recorded
    seq : number of these features
    encoded : the same, computed again from what the camera sent
    past : what that remembers, see `Sight`
    signal : the reward of the transition into it
    proposal : what the agent answered
    executed : what the car was told then; the last word, where a watchdog had one
    status : the learner's own report, a rtrrl_msgs/LearnerStatus
    state : of the world
    """

    stamp_ns: int
    features: np.ndarray | None = None
    seq: int = -1
    encoded: np.ndarray | None = None
    past: str = KEPT
    signal: RewardSignal | None = None
    proposal: Command | None = None
    executed: Executed | None = None
    status: Any = None
    state: WorldState | None = None

    @property
    def first(self) -> bool:
        """A lap begins, as far as is known."""
        return self.signal is not None and self.signal.step_type is StepType.FIRST

    @property
    def last(self) -> bool:
        """A lap ends, as far as is known."""
        return self.signal is not None and self.signal.step_type is StepType.LAST


class Pairing:
    """Puts messages together; the oldest step is complete when `depth` later ones have begun.

    Attributes
    ----------
    late : messages that came when their step had been handed out
    """

    def __init__(self, depth: int = DEPTH) -> None:
        self._depth = depth
        self._steps: dict[int, Step] = {}
        self._order: list[int] = []
        self._newest_ns = -1  # handed out
        self.late = 0

    def step(self, stamp_ns: int) -> Step | None:
        """The step to add to; None if it has been handed out."""
        step = self._steps.get(stamp_ns)
        if step is None and stamp_ns <= self._newest_ns:
            self.late += 1
        elif step is None:
            step = self._steps[stamp_ns] = Step(stamp_ns)
            heapq.heappush(self._order, stamp_ns)
        return step

    def ready(self) -> Iterator[Step]:
        """Complete steps in the order of their stamps."""
        while len(self._order) > self._depth:
            yield self._next()

    def rest(self) -> Iterator[Step]:
        """All that is left, at the end."""
        while self._order:
            yield self._next()

    def _next(self) -> Step:
        self._newest_ns = heapq.heappop(self._order)
        return self._steps.pop(self._newest_ns)


class _Camera:
    """Hands the messages of a camera to a sight in the order in which they were sent."""

    def __init__(self, sight: Sight, pairing: Pairing) -> None:
        self._sight, self._pairing = sight, pairing
        self._waiting: list[tuple[tuple[int, int], int, Any]] = []
        self._count = 0
        self._newest = (-1, -1)

    def add(self, stamp_ns: int, message: Any) -> None:
        self._count += 1
        key = stamp_ns, int(getattr(message, 'seq', 0))
        heapq.heappush(self._waiting, (key, self._count, message))
        if len(self._waiting) > CAMERA_DEPTH:
            self._see()

    def finish(self) -> None:
        while self._waiting:
            self._see()

    def _see(self) -> None:
        key, _, message = heapq.heappop(self._waiting)
        if key == self._newest:  # a world that waits sends what it sent again
            return
        self._newest, (stamp_ns, _) = key, key
        features = self._sight.feed(message, stamp_ns)
        if features is None:
            return
        step = self._pairing.step(stamp_ns + self._sight.offset_ns)
        if step is not None and step.encoded is None:
            step.encoded, step.past = features, self._sight.past


def recorded_steps(
    bag: Bag, run: RecordedRun, sight: Sight | None = None, remarks: list[str] | None = None
) -> Iterator[Step]:
    """The steps of a run in the order of their stamps.

    Parameters
    ----------
    sight : encodes again what the camera sent
    remarks : what is wrong with the recording is added to these

    Raises
    ------
    UserError
        a topic has another type than it must, or a message cannot be read
    """
    types = {name: kind for name, kind in TYPES.items() if name in bag.topics}
    if sight is not None:
        types[sight.topic] = sight.type
    require(bag, types)
    pairing = Pairing()
    camera = None if sight is None else _Camera(sight, pairing)
    for record in bag.records(list(types), run.begin_ns, run.end_ns):
        message = bag.message(record)
        stamp_ns = message.header.stamp.sec * _S_NS + message.header.stamp.nanosec
        if camera is not None and sight is not None and record.topic == sight.topic:
            camera.add(stamp_ns, message)
        else:
            step = pairing.step(stamp_ns)
            try:
                if step is not None:
                    _add(step, record.topic, message)
            except ValueError as error:  # a mode or a kind of step that does not exist
                raise UserError(f'{bag.path}: {record.topic}: {error}') from None
        yield from pairing.ready()
    if camera is not None:
        camera.finish()
    yield from pairing.rest()
    if pairing.late and remarks is not None:
        remarks.append(
            f'{pairing.late} messages left out: stamped more than {DEPTH} observations before '
            'others that came earlier'
        )


def _add(step: Step, topic: str, message: Any) -> None:
    """Put a message into its step; of repeated ones the first counts.

    An answer is repeated as it was; but what was executed may have been replaced since.
    """
    if topic == '/executed':
        step.executed = Executed(_command(step.stamp_ns, message.drive), Mode(message.mode))
    elif topic == '/features' and step.features is None:
        step.features, step.seq = np.array(message.data, np.float32), message.seq
    elif topic == '/reward' and step.signal is None:
        step.signal = RewardSignal(
            step.stamp_ns, message.lap, StepType(message.step_type), bool(message.terminated),
            bool(message.truncated), float(message.reward), float(message.task_reward),
            float(message.lateral_error_m),
        )  # fmt: skip
    elif topic == '/drive_proposal' and step.proposal is None:
        step.proposal = _command(step.stamp_ns, message.drive)
    elif topic == '/learner_status' and step.status is None:
        step.status = message
    elif topic == '/world_state' and step.state is None:
        step.state = WorldState(
            step.stamp_ns, message.lap, StepType(message.step_type), bool(message.terminated),
            bool(message.truncated), float(message.task_reward), float(message.lateral_error_m),
            float(message.heading_error_rad), float(message.speed_m_s),
            float(message.progress_m),
        )  # fmt: skip


def _command(stamp_ns: int, drive: Any) -> Command:
    return Command(stamp_ns, drive.steering_angle, drive.speed, drive.acceleration)
