"""Replays a recording onto topics below /replay and /recorded; see bags/playback/destinations.py.

At the recorded times, or in lock-step with a graph: the next observation is published once the
graph has answered the last one. What once was a command is never published where a car listens.
"""

import contextlib
import time
from collections.abc import Mapping
from typing import Any, NoReturn

from ackermann_msgs.msg import AckermannDriveStamped
from rtrrl_msgs.msg import Features, LearnerStatus

from ..bags.playback.destinations import CLOCK, ENCODED, PROPOSAL, REPLAY
from ..bags.reading import open_bag
from .bag_player_config import BagPlayerConfig
from .diagnostics import OK
from .managed_node import ManagedNode
from .messages import stamp_ns
from .pause_switch import PauseSwitch
from .process import run_node
from .qos import EVENTS_COMPLETE, RECORD, STREAM
from .replay_playback import graph_is_up, make_playback
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
        with contextlib.ExitStack() as stack:
            bag = self._bag = stack.enter_context(open_bag(config.bag))
            self._own.append(stack.pop_all().close)
        publishers = self._topics = ReplayPublishers(
            self, bag, clock=config.clock, features=config.sensor == 'features',
            relay=config.lockstep and config.sensor != 'features',
        )  # fmt: skip
        if bag.incomplete:
            self.get_logger().warning(bag.incomplete)
        for topic, reason in publishers.left_out.items():
            self.get_logger().warning(f'{topic} is left out: {reason}')
        self.every(CLOCK_PERIOD_S, self._on_clock)
        if config.lockstep:
            self.subscribe(AckermannDriveStamped, REPLAY + PROPOSAL, self._on_answer, STREAM)
            self.subscribe(LearnerStatus, f'{REPLAY}/learner_status', self._on_status, RECORD)
            features = self.create_subscription(
                Features, ENCODED, self._on_encoded, EVENTS_COMPLETE, raw=True
            )
            self._own.append(lambda: self.destroy_subscription(features))
        self._switch = PauseSwitch(self, config.paused)
        self._own.append(self._switch.close)
        self.every(POLL_S if config.lockstep else TICK_S, self._on_tick)
        self.every(PROGRESS_PERIOD_S, self._on_progress)
        self._playback = make_playback(config, bag, publishers)

    def activate(self) -> None:
        self._waiting_since_s = time.monotonic()
        self._begun_s: float | None = None
        self._ended_s: float | None = None

    def deactivate(self) -> None:
        self._playback = make_playback(self._config, self._bag, self._topics)  # from the beginning

    def diagnose(self) -> tuple[bytes, str, Mapping[str, Any]]:
        return OK, self._progress(), {'paused': self._playback.paused}

    def _on_tick(self) -> None:
        now_s = time.monotonic()
        self._switch.flip(self._playback, now_s)
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
        ready = (
            graph_is_up(self, config, self._topics) if config.graph else waited_s >= config.delay_s
        )
        if ready and config.clock and self.count_publishers(CLOCK) > 1:
            self.finish(1, f'somebody else publishes {CLOCK}: end it, or set clock:=false')
        elif ready:
            self._begun_s = now_s
            self._playback.begin(now_s)
            self._notice_end()
        elif config.graph and waited_s > config.start_timeout_s:
            self.finish(1, f'no encoder or agent below {REPLAY} after {waited_s:.0f} s')

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
        if self._begun_s is not None:
            self._topics.tell_time(self._playback.clock_ns(time.monotonic()))

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
