"""The reward of a real car: where it is on a recorded line, at the stamp of each observation.

A reward is published for every `features` message whose pose is known, with the same stamp. Where
the pose is missing there is no reward, and the learner learns nothing from that step.
"""

import collections
import dataclasses
import time
from collections.abc import Mapping
from typing import Any, NoReturn

from rtrrl_msgs.msg import Executed, Features, Reward

from ..driving.driver import CLOCK_BACK_NS
from ..driving.reward_signal import RewardSignal
from ..errors import UserError
from ..parameters import Checked, parameter
from ..safety.modes import Mode
from ..tracking.interventions import InterventionConfig
from ..tracking.line_tracker import LineTracker
from ..tracking.poses import Pose, PoseBuffer
from ..tracking.reference_line import load_reference_line
from ..worlds.rewards import RewardConfig, RewardFunction
from .diagnostics import ERROR, OK, WARN
from .managed_node import ManagedNode
from .messages import drive_command, reward_message, stamp_ns
from .pose_input import PoseInputConfig, subscribe_poses
from .process import run_node
from .qos import RECORD, STREAM

CHECK_PERIOD_S = 0.02
#: answers kept for features that come again
MEMORY = 256


@dataclasses.dataclass(frozen=True)
class TrackRewardNodeConfig(Checked):
    """Parameters of the node."""

    reference: str = parameter('', 'CSV file of the reference line; see line_recorder_node')
    max_gap_s: float = parameter(
        0.1, 'no pose is interpolated between two that are further apart', unit='s',
        low=0.005, high=1.0,
    )  # fmt: skip
    extrapolation_s: float = parameter(
        0.0, 'how far the newest pose may be carried on by its motion; 0: wait for the next one',
        unit='s', low=0.0, high=0.2,
    )  # fmt: skip
    patience_s: float = parameter(
        0.2, 'features wait for a pose for so long, then they get no reward', unit='s',
        low=0.01, high=2.0,
    )  # fmt: skip
    silence_s: float = parameter(
        0.5, 'without a pose for longer the source counts as broken', unit='s', low=0.02, high=60.0
    )


class TrackRewardNode(ManagedNode):
    """Gives poses to `LineTracker` and its states to `RewardFunction`."""

    sections = (TrackRewardNodeConfig, PoseInputConfig, InterventionConfig, RewardConfig)

    def __init__(self) -> None:
        super().__init__('track_reward_node')

    def configure(self) -> None:
        config = self._config = self.section(TrackRewardNodeConfig)
        self._source = self.section(PoseInputConfig)
        if not config.reference:
            raise UserError('reference: name the CSV file of the line (line_recorder_node)')
        self._reference = load_reference_line(config.reference)
        self._reward = RewardFunction(self.section(RewardConfig))
        self._publisher = self.advertise(Reward, 'reward', RECORD)
        self.subscribe(Features, 'features', self._on_features, STREAM)
        self.subscribe(Executed, 'executed', self._on_executed, RECORD)
        subscribe_poses(self, self._source, self._on_pose)
        self.every(CHECK_PERIOD_S, self._on_check)

    def activate(self) -> None:
        config = self._config
        self._tracker = LineTracker(
            self._reference, self.section(InterventionConfig), self._reward.config.closeness_m
        )
        self._poses = PoseBuffer(
            config.max_gap_s, config.extrapolation_s,
            differentiate=self._source.pose_source == 'pose',
        )  # fmt: skip
        self._waiting: collections.OrderedDict[int, float] = collections.OrderedDict()
        self._given: collections.OrderedDict[int, RewardSignal | None] = collections.OrderedDict()
        self._newest_ns = -1
        self._driven: bool | None = None
        self._heard_s = self._begun_s = time.monotonic()
        self._counts = dict.fromkeys(('poses', 'rewards', 'without_pose', 'interventions'), 0)
        self._lateral_m, self._missed_before = 0.0, 0

    def diagnose(self) -> tuple[bytes, str, Mapping[str, Any]]:
        values = {
            **self._counts, 'laps': self._tracker.counter.laps, 'pose_jumps': self._poses.jumps,
            'poses_refused': self._poses.refused, 'lateral_error_m': f'{self._lateral_m:+.3f}',
        }  # fmt: skip
        silent_s = time.monotonic() - self._heard_s
        if silent_s > self._config.silence_s:
            topic = self._source.pose_source
            line = 'no pose yet' if not self._counts['poses'] else f'no pose for {silent_s:.1f} s'
            return ERROR, f'{line}: is {topic} published?', values
        missed = self._counts['without_pose'] - self._missed_before
        self._missed_before += missed
        if missed:
            line = f'{missed} features without a pose: do the clocks of camera and pose agree?'
            return WARN, line, values
        reason = self._tracker.interventions.reason
        if reason:
            return WARN, f'{reason}; put the car back on the line, deadman released', values
        driven_m, length_m = self._tracker.counter.driven_m, self._reference.length_m
        return OK, f'lap {self._tracker.lap + 1}, {driven_m:.1f} of {length_m:.1f} m', values

    def _on_executed(self, message: Executed) -> None:
        command = drive_command(message)
        own = Mode(message.mode) in (Mode.PASSED, Mode.LIMITED)
        self._driven = own and (command.speed_m_s > 0.0 or command.acceleration_m_s2 > 0.0)

    def _on_pose(self, pose: Pose) -> None:
        self._poses.add(pose)
        self._counts['poses'] += 1
        self._heard_s = time.monotonic()
        self._answer()

    def _on_features(self, message: Features) -> None:
        stamp = stamp_ns(message)
        if self._newest_ns - stamp > CLOCK_BACK_NS:
            self._waiting.clear()
            self._given.clear()
            self._newest_ns = -1
        if stamp in self._given:
            self._publish(self._given[stamp])  # a world that repeats itself gets the same again
        elif stamp > self._newest_ns:
            self._newest_ns = stamp
            self._waiting[stamp] = time.monotonic()
            self._answer()

    def _on_check(self) -> None:
        """Give up on features that waited too long."""
        expired_s = time.monotonic() - self._config.patience_s
        while self._waiting and next(iter(self._waiting.values())) < expired_s:
            self._give(next(iter(self._waiting)), None)

    def _answer(self) -> None:
        """Rewards, in the order of stamps, for the features whose pose is known by now."""
        while self._waiting and self._poses.reaches(next(iter(self._waiting))):
            stamp = next(iter(self._waiting))
            self._give(stamp, self._poses.at(stamp))

    def _give(self, stamp: int, pose: Pose | None) -> None:
        del self._waiting[stamp]
        state = None if pose is None else self._tracker.observe(pose, self._driven)
        self._counts['without_pose'] += pose is None
        signal = None
        if state is not None:
            signal = RewardSignal.of(state, self._reward.reward(state))
            self._lateral_m = state.lateral_error_m
            self._tell_end(signal)
        self._given[stamp] = signal
        if len(self._given) > MEMORY:
            self._given.popitem(last=False)
        self._publish(signal)

    def _tell_end(self, signal: RewardSignal) -> None:
        if signal.terminated:
            self._counts['interventions'] += 1
            self.get_logger().warning(
                f'lap {signal.lap + 1} lost: {self._tracker.interventions.reason}'
            )
        elif signal.truncated:
            self.get_logger().info(f'lap {signal.lap + 1} complete')

    def _publish(self, signal: RewardSignal | None) -> None:
        if signal is not None:
            self._counts['rewards'] += 1
            self._publisher.publish(reward_message(signal))


def main() -> NoReturn:
    """Run the node."""
    run_node(TrackRewardNode)


if __name__ == '__main__':
    main()
