"""Replays a recording onto topics below /replay and /recorded; see bags/destinations.py.

At the recorded times, or in lock-step with a graph: the next observation is published once the
graph has answered the last one. What once was a command is never published where a car listens.
"""

import contextlib
import signal
import time
from collections.abc import Mapping
from types import FrameType
from typing import Any, NoReturn

from ackermann_msgs.msg import AckermannDriveStamped
from rosgraph_msgs.msg import Clock as ClockMessage
from rtrrl_msgs.msg import Features, LearnerStatus
from std_srvs.srv import SetBool

from ..bags.destinations import CLOCK, ENCODED, EXECUTED, PROPOSAL, REPLAY, REWARD
from ..bags.lockstep import LockstepPlayback
from ..bags.playback import Playback
from ..bags.reading import open_bag
from ..bags.replay_plan import SENSOR_TOPICS
from ..errors import UserError
from .bag_player_config import BagPlayerConfig
from .diagnostics import OK
from .managed_node import ManagedNode
from .messages import make_header, stamp_ns
from .process import run_node
from .qos import EVENTS_COMPLETE, RECORD, STREAM
from .replay_playback import make_lockstep, make_playback
from .replay_publishers import ReplayPublishers
from .run_record import PROGRESS

TICK_S, POLL_S, CLOCK_PERIOD_S, PROGRESS_PERIOD_S = 0.001, 0.05, 0.01, 1.0
#: after the last message, for those who still work on it; longer for a learner
LINGER_S, LEARN_S, FLUSH_S = 0.3, 2.0, 1.0


class BagPlayerNode(ManagedNode):
    """Lets a `Playback` or `LockstepPlayback` publish through `ReplayPublishers`."""

    sections = (BagPlayerConfig,)

    def __init__(self) -> None:
        super().__init__('bag_player_node')

    def configure(self) -> None:
        config = self._config = self.section(BagPlayerConfig)
        bag = self._bag = self._open(config.bag)
        recorded, relay = config.sensor == 'features', config.lockstep
        publishers = self._topics = ReplayPublishers(
            self, bag, clock=config.clock, features=recorded, relay=relay and not recorded
        )
        if bag.incomplete:
            self.get_logger().warning(bag.incomplete)
        for topic, reason in publishers.left_out.items():
            self.get_logger().warning(f'{topic} is left out: {reason}')
        self._time = None
        if config.clock and CLOCK not in publishers.topics:
            self._time = self.advertise(ClockMessage, CLOCK, STREAM)
            self.every(CLOCK_PERIOD_S, self._on_clock)
        if config.lockstep:
            self.subscribe(AckermannDriveStamped, REPLAY + PROPOSAL, self._on_answer, STREAM)
            self.subscribe(LearnerStatus, f'{REPLAY}/learner_status', self._on_status, RECORD)
            features = self.create_subscription(
                Features, ENCODED, self._on_encoded, EVENTS_COMPLETE, raw=True
            )
            self._own.append(lambda: self.destroy_subscription(features))
        service = self.create_service(SetBool, '~/pause', self._on_pause)
        self._own.append(lambda: self.destroy_service(service))
        self.every(POLL_S if config.lockstep else TICK_S, self._on_tick)
        self.every(PROGRESS_PERIOD_S, self._on_progress)
        make = make_lockstep if config.lockstep else make_playback
        self._playback: Playback | LockstepPlayback = make(config, bag, publishers)

    def _open(self, path: str) -> Any:
        with contextlib.ExitStack() as stack:
            bag = stack.enter_context(open_bag(path))
            if not any(topic.count for topic in bag.topics.values()):
                raise UserError(f'{path}: there is not a single message to play')
            self._own.append(stack.pop_all().close)
            return bag

    def activate(self) -> None:
        self._waiting_since_s = time.monotonic()
        self._begun_s: float | None = None
        self._ended_s: float | None = None
        self._toggle = self._config.paused
        signal.signal(signal.SIGUSR1, self._on_signal)

    def diagnose(self) -> tuple[bytes, str, Mapping[str, Any]]:
        return OK, self._progress(), {'paused': self._playback.paused}

    def _on_tick(self) -> None:
        now_s = time.monotonic()
        if self._toggle:
            self._toggle = False
            self._pause(not self._playback.paused)
        if self._begun_s is None:
            self._begin(now_s)
        elif self._ended_s is None:
            self._playback.tick(now_s)
            self._notice_end()
        elif self.exit_status is None and now_s > self._ended_s + (
            LINGER_S if self._playback.learned else LEARN_S
        ):
            self._topics.flush(FLUSH_S)
            self.get_logger().info(self._progress())
            self.finish(0)

    def _begin(self, now_s: float) -> None:
        """Begin once everybody is there who must not miss the first message."""
        config, waited_s = self._config, now_s - self._waiting_since_s
        ready = self._graph_is_up() if config.graph else waited_s >= config.delay_s
        if ready and config.clock and self.count_publishers(CLOCK) > 1:
            self.finish(1, f'somebody else publishes {CLOCK}: end it, or set clock:=false')
        elif ready:
            self._begun_s = now_s
            self._playback.begin(now_s)
            self._notice_end()
        elif config.graph and waited_s > config.start_timeout_s:
            self.finish(1, f'no encoder or agent below {REPLAY} after {waited_s:.0f} s')

    def _graph_is_up(self) -> bool:
        """Whether somebody answers, and everything that the bag has for them is heard."""
        needed = {SENSOR_TOPICS[self._config.sensor], REWARD, EXECUTED} & {*self._topics.topics}
        answers = [PROPOSAL]
        if self._config.lockstep and self._config.sensor != 'features':
            needed, answers = needed | {ENCODED}, [PROPOSAL, ENCODED.removeprefix(REPLAY)]
        return all(self.count_publishers(REPLAY + topic) for topic in answers) and all(
            self._topics.listeners(topic) for topic in needed
        )

    def _notice_end(self) -> None:
        if self._playback.fault:
            self.finish(1, self._playback.fault)
        elif self._playback.finished and self._ended_s is None:
            self._ended_s = time.monotonic()

    def _on_encoded(self, data: bytes) -> None:
        if self.active:
            self._playback.encoded(data, time.monotonic())

    def _on_answer(self, message: AckermannDriveStamped) -> None:
        self._playback.answer(stamp_ns(message), time.monotonic())
        self._notice_end()

    def _on_status(self, message: LearnerStatus) -> None:
        self._playback.learn(stamp_ns(message))

    def _on_clock(self) -> None:
        if self._time is not None and self._begun_s is not None:
            header = make_header(self._playback.clock_ns(time.monotonic()), '')
            self._time.publish(ClockMessage(clock=header.stamp))

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._toggle = True  # acted on where nothing is interrupted

    def _on_pause(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        self._pause(request.data)
        response.success, response.message = True, self._progress()
        return response

    def _pause(self, wanted: bool) -> None:
        now_s = time.monotonic()
        (self._playback.pause if wanted else self._playback.resume)(now_s)

    def _progress(self) -> str:
        if self._begun_s is None:
            return 'waiting for the graph' if self._config.graph else 'waiting for subscribers'
        until_s = time.monotonic() if self._ended_s is None else self._ended_s
        return self._playback.progress(until_s - self._begun_s)

    def _on_progress(self) -> None:
        print(PROGRESS + self._progress(), flush=True)


def main() -> NoReturn:
    """Run the node."""
    run_node(BagPlayerNode)


if __name__ == '__main__':
    main()
