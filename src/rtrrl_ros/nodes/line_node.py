"""The simulated car on its line in the graph: the topics of the real one.

Out: /event_camera/events, odom and world_state; in: drive. In lock-step every observation is one
packet, and arrives; in real time packets are sent as camera drivers send theirs: most of what was
sensed has been sent before the last packet completes it, and they may be lost.
"""

import dataclasses
import os
from collections.abc import Iterator
from typing import Any, NoReturn

from event_camera_msgs.msg import EventPacket
from nav_msgs.msg import Odometry
from rclpy.publisher import Publisher

from ..parameters import Checked, parameter
from ..safety.command import Command
from ..worlds.contract import Observation, StepType
from ..worlds.line import LineConfig, LineShift, LineWorld
from .event_messages import event_packet_messages
from .odometry import odometry_message
from .priority import SIMULATING, OrdinaryThreads
from .process import run_node
from .qos import EVENTS, EVENTS_COMPLETE, STREAM
from .world_node import WorldNode
from .world_node_config import WorldNodeConfig

TOPIC = '/event_camera/events'
WARM_UP_STEPS = 3
#: The node's name for a field of LineShift; the field's own is taken by LineConfig.
SHIFT_NAMES = {'floor_texture': 'floor'}

#: the shift as parameters of the node
LineShiftParameters = dataclasses.make_dataclass(
    'LineShiftParameters',
    [
        (
            SHIFT_NAMES.get(field.name, field.name),
            type(field.default),
            dataclasses.field(default=field.default, metadata=field.metadata),
        )
        for field in dataclasses.fields(LineShift)
    ],
    bases=(Checked,),
    frozen=True,
)


@dataclasses.dataclass(frozen=True)
class LineNodeConfig(Checked):
    """Parameters of the node beside those of world and shift."""

    packet_ms: float = parameter(
        2.0, 'real time: sensor time in the event packet that completes an observation; drivers of '
        'real cameras send packets of 1 ms and more', unit='ms', low=0.5, high=1000.0,
    )  # fmt: skip


class LineNode(WorldNode):
    """Bridges `LineWorld`; see `WorldNode`."""

    sections = (WorldNodeConfig, LineNodeConfig, LineConfig, LineShiftParameters)

    def __init__(self) -> None:
        super().__init__('line_node')

    def make_world(self, config: WorldNodeConfig) -> LineWorld:
        parts = self.section(LineConfig), self._shift()
        # whoever drives needs little more than one processor while this computes
        threads = OrdinaryThreads(1) if (os.cpu_count() or 1) > 1 else None
        # they share the floor, which takes long to paint
        spare, self._line = (
            LineWorld(*parts, config.seed, config.split, threads) for _ in range(2)
        )
        spare.reset(0)
        for _ in range(WARM_UP_STEPS):
            spare.step(Command(0, 0.0, 1.0, 0.0))
        spare.close()
        return self._line

    def _shift(self) -> LineShift:
        given: Any = self.section(LineShiftParameters)
        names = [field.name for field in dataclasses.fields(LineShift)]
        return LineShift(**{name: getattr(given, SHIFT_NAMES.get(name, name)) for name in names})

    def advertise_camera(self, config: WorldNodeConfig) -> Publisher:
        self._seq = 0
        self._sent: list[EventPacket] = []
        self._packet_us = round(1000 * self.section(LineNodeConfig).packet_ms)
        if config.lockstep:
            self._packet_us = 1000 * self._line.config.decision_ms
        self._odometry = self.advertise(Odometry, 'odom', STREAM)
        return self.advertise(EventPacket, TOPIC, EVENTS_COMPLETE if config.lockstep else EVENTS)

    def camera_messages(self, observation: Observation, again: bool) -> Iterator[EventPacket]:
        if again:
            yield from self._sent
            return
        events, ends_us = observation.events, list[int]()
        if observation.state.step_type is StepType.FIRST:
            self._seq = 0  # as a driver that starts anew: what was seen before is of no use
        elif self._packet_us < 1000 * self._line.config.decision_ms:
            # what can be sent at once is one packet, although a driver would have sent several
            ends_us = [events.until_us - self._packet_us]
        self._sent = []
        for message in event_packet_messages(events, observation.stamp_ns, self._seq, ends_us):
            self._seq += 1
            self._sent.append(message)
            yield message

    def publish_measured(self, observation: Observation) -> None:
        if not self._odometry.get_subscription_count():  # it is the costliest message to make
            return
        car = self._line.car
        self._odometry.publish(
            odometry_message(
                observation.stamp_ns, car.pose, observation.state.speed_m_s, car.yaw_rate_rad_s
            )
        )


def main() -> NoReturn:
    """Run the node."""
    run_node(LineNode, SIMULATING)


if __name__ == '__main__':
    main()
