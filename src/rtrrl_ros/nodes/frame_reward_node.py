"""The reward from the event frame alone: no odometry, no map, no recorded line.

Windows are cut as the encoder cuts them, so that a reward bears the stamp of the features of the
same window. A frame that shows no line gives no reward.
"""

import collections
import dataclasses
import math
import time
from collections.abc import Mapping
from typing import Any, NoReturn, cast

import numpy as np
from event_camera_msgs.msg import EventPacket
from rtrrl_msgs.msg import Executed, Reward

from ..driving.reward_signal import RewardSignal
from ..errors import UserError
from ..parameters import Checked, parameter
from ..perception.encoder import FrameEncoder
from ..perception.event_stream import EventStream
from ..perception.events.frames import FrameConfig
from ..perception.events.windows import WindowConfig
from ..perception.pipeline import EventPipeline
from ..safety.modes import Mode
from ..tracking.floor_view import CameraConfig
from ..tracking.frame_tracker import FrameTracker, FrameTrackerConfig
from ..tracking.interventions import InterventionConfig
from ..tracking.line_sight import LineSight, LineSightConfig
from ..worlds.rewards import RewardConfig, RewardFunction
from .diagnostics import ERROR, OK, WARN
from .event_messages import event_packet
from .managed_node import ManagedNode
from .messages import S_NS, reward_message, stamp_ns
from .process import run_node
from .qos import EVENTS, EVENTS_COMPLETE, RECORD

#: answers kept for packets that come again
MEMORY = 256


@dataclasses.dataclass(frozen=True)
class FrameRewardNodeConfig(Checked):
    """Parameters of the node."""

    lockstep: bool = parameter(
        False, 'lose nothing of a simulation that waits; false: hear any device, as best it can'
    )
    stamp_offset_s: float = parameter(
        0.0, 'added to the stamps of the camera, as by encoder_node', unit='s', low=-0.1, high=0.1
    )
    silence_s: float = parameter(
        0.1, 'without a packet for longer the stream counts as broken', unit='s',
        low=0.01, high=10.0,
    )  # fmt: skip


class _AsItIs:
    """In place of an encoder: the features are the frame itself."""

    def encode(self, frame: np.ndarray) -> np.ndarray:
        return frame


class FrameRewardNode(ManagedNode):
    """Gives frames to `LineSight`, sightings to `FrameTracker`, states to `RewardFunction`."""

    sections = (
        FrameRewardNodeConfig, WindowConfig, CameraConfig, LineSightConfig, FrameTrackerConfig,
        InterventionConfig, RewardConfig,
    )  # fmt: skip

    def __init__(self) -> None:
        super().__init__('frame_reward_node')

    def configure(self) -> None:
        config = self.section(FrameRewardNodeConfig)
        reward = self.section(RewardConfig)
        if reward.kind == 'line':
            raise UserError("kind = 'line': a frame alone tells no progress; set 'closeness'")
        self._camera = self.section(CameraConfig)
        self._offset_ns = round(config.stamp_offset_s * S_NS)
        self._lockstep, self._silence_s = config.lockstep, config.silence_s
        self._reward = RewardFunction(reward)
        self._sight = LineSight(self._camera, self.section(LineSightConfig))
        self._publisher = self.advertise(Reward, 'reward', RECORD)
        qos = EVENTS_COMPLETE if config.lockstep else EVENTS
        self.subscribe(EventPacket, '/event_camera/events', self._on_packet, qos)
        self.subscribe(Executed, 'executed', self._on_executed, RECORD)

    def activate(self) -> None:
        size = self._camera.width, self._camera.height
        encoder = cast(FrameEncoder, _AsItIs())
        frames = FrameConfig(representation='histogram', normalise='none')
        pipeline = EventPipeline(self.section(WindowConfig), frames, *size, encoder=encoder)
        silence_s = math.inf if self._lockstep else self._silence_s
        self._stream = EventStream(pipeline, *size, silence_s, time.monotonic())
        self._tracker = FrameTracker(
            self.section(FrameTrackerConfig), self.section(InterventionConfig),
            self._reward.config.closeness_m,
        )  # fmt: skip
        self._given: collections.OrderedDict[int, RewardSignal] = collections.OrderedDict()
        self._newest_ns = -1
        self._driven: bool | None = None
        self._rewards = self._interventions = 0
        self._confidence = 0.0

    def diagnose(self) -> tuple[bytes, str, Mapping[str, Any]]:
        tracker, now_s = self._tracker, time.monotonic()
        values = {
            'rewards': self._rewards, 'interventions': self._interventions,
            'frames_with_line': tracker.seen, 'frames_without_line': tracker.unseen,
            'confidence': f'{self._confidence:.2f}',
            **self._stream.values(now_s),
        }  # fmt: skip
        fault = self._stream.fault(now_s)
        if fault:
            return ERROR, fault, values
        reason = tracker.interventions.reason
        if reason:
            return WARN, f'{reason}; put the car back on the line, deadman released', values
        return OK, f'lap {tracker.lap + 1}', values

    def _on_executed(self, message: Executed) -> None:
        self._driven = Mode(message.mode) in (Mode.PASSED, Mode.LIMITED)

    def _on_packet(self, message: EventPacket) -> None:
        stamp = stamp_ns(message) + self._offset_ns
        frame = self._stream.feed(event_packet(message), stamp, time.monotonic())
        if frame is None:
            return
        if stamp > self._newest_ns:
            self._newest_ns = stamp
            self._look(stamp, frame)
        elif stamp in self._given:  # a world that repeats itself gets the same again
            self._publisher.publish(reward_message(self._given[stamp]))

    def _look(self, stamp: int, frame: np.ndarray) -> None:
        sighting = self._sight.look(frame)
        self._confidence = 0.0 if sighting is None else sighting.confidence
        state = self._tracker.observe(stamp, sighting, int(frame.sum()), self._driven)
        if state is None:
            return
        signal = RewardSignal.of(state, self._reward.reward(state))
        self._given[stamp] = signal
        if len(self._given) > MEMORY:
            self._given.popitem(last=False)
        self._rewards += 1
        self._publisher.publish(reward_message(signal))
        if signal.terminated:
            self._interventions += 1
            self.get_logger().warning(
                f'lap {signal.lap + 1} lost: {self._tracker.interventions.reason}'
            )


def main() -> NoReturn:
    """Run the node."""
    run_node(FrameRewardNode)


if __name__ == '__main__':
    main()
