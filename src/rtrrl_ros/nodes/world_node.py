"""A simulated world in the graph, in lock-step or in real time.

In lock-step the world waits for the command stamped with its newest observation; if none comes it
publishes the observation again, and in the end gives up. In real time it computes the next
observation as soon as the newest is answered, and publishes it at the end of the period, by the
steady clock; if there is no answer by then it drives on with the newest command if that is fresh,
otherwise with zero. The state, and what the car measures of itself, it tells once there is an
answer, at the latest at the end of the period: on the way to the answer nobody waits for them.
Until somebody has driven for `settle_s` it stays at the start, and the time that the other nodes
need to come up is nobody's latency.
"""

import time
from collections.abc import Iterable, Mapping
from typing import Any

from ackermann_msgs.msg import AckermannDriveStamped
from rclpy.publisher import Publisher
from rosgraph_msgs.msg import Clock as ClockMessage
from rtrrl_msgs.msg import WorldState

from ..safety.command import Command
from ..worlds.contract import Observation, StepType, World
from .arrivals import take_waiting
from .diagnostics import OK
from .latencies import Latencies
from .listeners import count_listeners
from .managed_node import ManagedNode
from .messages import drive_command, make_header, world_state_message
from .priority import giving_way
from .qos import RECORD, STREAM
from .world_course import WorldCourse
from .world_node_config import WorldNodeConfig

POLL_S = 0.05
#: of the time that the others have to come up: after this part of it, it says who is missing
TELL = 0.2
#: real time: this part of a period an observation has to be answered, even if it was shown late
ANSWER = 0.5


class WorldNode(ManagedNode):
    """Bridges a `World` to the topic of its camera, world_state and drive.

    A subclass fills in the hooks, and lists `WorldNodeConfig` among its sections.
    """

    def make_world(self, config: WorldNodeConfig) -> World:
        """The world, warmed up."""
        raise NotImplementedError

    def advertise_camera(self, config: WorldNodeConfig) -> Publisher:
        """The publisher of what the camera senses."""
        raise NotImplementedError

    def camera_messages(self, observation: Observation, again: bool) -> Iterable[Any]:
        """What the camera sends of an observation; `again`: it was published before.

        At least one message. The last one completes the observation; those before are sent as soon
        as they are there, since a camera does not keep what it has sensed.
        """
        raise NotImplementedError

    def publish_measured(self, observation: Observation) -> None:
        """Publish what the car measures of itself."""

    def configure(self) -> None:
        self._config = config = self.section(WorldNodeConfig)
        self._world = self.make_world(config)
        self._camera = self.advertise_camera(config)
        self._states = self.advertise(WorldState, 'world_state', RECORD)
        self._clock_topic = None
        if config.publish_clock:
            self._clock_topic = self.advertise(ClockMessage, '/clock', STREAM)
        self._drive = self.subscribe(AckermannDriveStamped, 'drive', self._on_drive, STREAM)
        self.every(POLL_S, self._on_poll)
        self._period_s = self._world.decision_period_s / config.real_time_factor
        if not config.lockstep:
            self.every(self._period_s, self._on_period)

    def activate(self) -> None:
        self._course = WorldCourse(self._world, self._config.laps)
        self._newest = Command.zero(0)
        self._newest_s = -float('inf')
        self._late = self._repeated = self._steps = self._skipped = 0
        self._coming: tuple[Observation, Any] | None = None  # computed, but not yet shown
        self._untold: Observation | None = None  # shown, but for what the car measures
        self._overdue = False  # the end of its period has come without it
        self._latencies = Latencies(self._period_s)
        self._started = self._answered = self._told = False
        self._settled_s = float('inf')  # when real time begins
        self._waiting_since_s = self._published_s = self._due_s = time.monotonic()

    def deactivate(self) -> None:
        if not self._config.lockstep:
            self.get_logger().info(
                f'{self._late} of {self._steps} commands came late, the world itself left out '
                f'{self._skipped} periods; from observation to drive: {self._latencies}'
            )

    @property
    def real_time(self) -> bool:
        return not self._config.lockstep

    def diagnose(self) -> tuple[bytes, str, Mapping[str, Any]]:
        line = f'lap {self._course.lap}'
        if not self._started:
            line = 'waiting for the other nodes'
        elif not self._answered:
            line = 'at the start, waiting for the first command'
        elif not self._config.lockstep and not self._settled:
            line = 'at the start, until every way has been taken once'
        values: dict[str, Any] = {'steps': self._steps}
        if self._config.lockstep:
            values['repeated'] = self._repeated
        else:
            values |= {'late': self._late, 'skipped': self._skipped} | self._latencies.values()
        return OK, 'finished' if self._course.finished else line, values

    def _sense(self, observation: Observation, again: bool = False) -> None:
        """Have the camera send all of an observation but the last message."""
        last = None
        # Not giving way: whom each message wakes would be scheduled in place of this thread, and
        # not beside it.
        for message in self.camera_messages(observation, again):
            if last is not None:
                self._camera.publish(last)
            last = message
        self._coming = observation, last

    def _show(self) -> None:
        """Publish the last message of what comes."""
        assert self._coming is not None
        (observation, message), self._coming = self._coming, None
        self._published_s = time.monotonic()
        self._overdue = False
        if self._settled:
            self._latencies.ask(observation.stamp_ns, self._published_s)
        self._camera.publish(message)  # first: everybody waits for its features
        if self._clock_topic is not None:  # nobody asks for the time before there is a proposal
            header = make_header(observation.stamp_ns, '')
            self._clock_topic.publish(ClockMessage(clock=header.stamp))
        self._untold = observation
        if self._config.lockstep or not self._settled:
            self._tell_state()

    def _tell_state(self) -> None:
        """Publish everything else about the observation that was shown, unless that is done."""
        if self._untold is None:
            return
        observation, self._untold = self._untold, None
        self.publish_measured(observation)
        self._states.publish(world_state_message(observation.state))
        if not self._config.lockstep and observation.state.step_type is StepType.LAST:
            self.publish_diagnostics()  # so that the monitor knows before the run is over

    @property
    def _settled(self) -> bool:
        """Whether it is driven, and not only shown what it sees at the start."""
        return time.monotonic() >= self._settled_s

    def _advance(self, command: Command) -> None:
        self._tell_state()
        with giving_way():  # cameras and motors are prompt, but what simulates them takes its time
            observation = self._course.advance(command)
        if not self._config.lockstep:
            # that took a while: commands that came meanwhile did not come now
            for message, arrived_s in take_waiting(self._drive):
                self._hear(message, arrived_s)
        if observation is not None:
            self._steps += 1
            self._sense(observation)
            if self._config.lockstep or self._overdue:
                self._show()
            self._waiting_since_s = self._published_s

    def _on_drive(self, message: AckermannDriveStamped) -> None:
        self._hear(message, time.monotonic())

    def _hear(self, message: AckermannDriveStamped, arrived_s: float) -> None:
        command = drive_command(message)
        if not command.finite:
            self.finish(1, 'a command on `drive` is not finite: it did not come from the gate')
            return
        self._latencies.answer(command.stamp_ns, arrived_s)
        answers = command.stamp_ns == self._course.stamp_ns
        if not self._config.lockstep:
            self._newest, self._newest_s = command, arrived_s
            stands = command == Command.zero(command.stamp_ns)  # the watchdog of the gate
            if not self._answered and (answers or not stands):
                self._answered, self._settled_s = True, arrived_s + self._config.settle_s
            elif self._settled and self._coming is None and answers:
                self._advance(command)
        elif self._started and answers:
            self._answered = True
            self._advance(command)

    def _on_period(self) -> None:
        """Real time: one decision period is over."""
        before_s, self._due_s = self._due_s, time.monotonic()
        if not self._started or self._course.finished:
            return
        # a timer that comes late does not come twice: simulated time then lags behind
        if not self._settled:
            self._show_again()
            return
        self._skipped += max(0, round((self._due_s - before_s) / self._period_s) - 1)
        if self._coming is None:
            if self._due_s - self._published_s < ANSWER * self._period_s:
                self._skipped += self._overdue
                self._overdue = True
                return
            stamp_ns = self._course.stamp_ns
            self._late += self._newest.stamp_ns != stamp_ns
            fresh = self._due_s - self._newest_s <= self._config.command_timeout_s
            self._advance(self._newest if fresh else Command.zero(stamp_ns))
        if self._coming is not None:
            self._show()

    def _on_poll(self) -> None:
        """Begin when the others are there; in lock-step, repeat and in the end give up."""
        waited_s = time.monotonic() - self._waiting_since_s
        if not self._started:
            self._begin(waited_s)
        elif self._config.lockstep and not self._course.finished:
            self._insist(waited_s)

    def _begin(self, waited_s: float) -> None:
        missing = self._missing()
        self._started = not missing
        if self._started:
            self._sense(self._course.observation)
            self._show()
        elif waited_s > self._config.start_timeout_s:
            self.finish(1, f'no {", no ".join(missing)} after {waited_s:.0f} s')
        elif waited_s > TELL * self._config.start_timeout_s and not self._told:
            self._told = True
            self.get_logger().info(f'waiting: there is no {", no ".join(missing)} yet')

    def _missing(self) -> list[str]:
        """Who has to be there before the first observation, and is not."""
        there = {
            'encoder': count_listeners(self, self._camera.topic_name) > 0,
            'reward node': count_listeners(self, self._states.topic_name) > 0,
            'gate': self.count_publishers('drive') > 0,
        }
        return [name for name, present in there.items() if not present]

    def _insist(self, waited_s: float) -> None:
        # the first answer may take as long as the slowest node needs to load
        timeout_s = self._config.lockstep_timeout_s
        if not self._answered:
            timeout_s = max(timeout_s, self._config.start_timeout_s)
        if waited_s > timeout_s:
            stamp_s = self._course.stamp_ns * 1e-9
            self.finish(
                1, f'no command for the observation at {stamp_s:.2f} s within {timeout_s:g} s'
            )
        elif time.monotonic() - self._published_s > self._config.retry_period_s:
            self._repeated += 1
            self._show_again()

    def _show_again(self) -> None:
        self._sense(self._course.observation, again=True)
        self._show()
