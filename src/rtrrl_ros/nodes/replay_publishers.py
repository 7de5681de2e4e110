"""The publishers of a replay. Nothing else publishes what a bag holds, and each is checked."""

from typing import Any

from rclpy.duration import Duration
from rclpy.exceptions import InvalidTopicNameException
from rclpy.publisher import Publisher
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rosgraph_msgs.msg import Clock as ClockMessage
from rtrrl_msgs.msg import Features

from ..bags.playback.destinations import (
    CLOCK,
    CLOCK_TYPE,
    ENCODED,
    EVENTS,
    EXECUTED,
    FEATURES,
    HEARD,
    REPLAY,
    REWARD,
    check_permitted,
    destination,
)
from ..bags.reading import Bag, Record, Topic
from .managed_node import ManagedNode
from .messages import make_header
from .qos import LEDGER, STREAM
from .recorded_types import UnfitError, has_header, message_class

_EVENT_DEPTH, _DEPTH = 1000, 100
#: heard by subscribers that want what was sent before they came up, however late that is: who is
#: announced while much else is going on may be found only seconds after the replay has begun
_LEDGERS = (REWARD, EXECUTED, '/world_state', '/learner_status', '/learner_run')


class ReplayPublishers:
    """One publisher for each topic of a bag, see `bags.playback.destinations`; raw bytes only.

    Parameters
    ----------
    node : owns the publishers
    bag : with the topics to be replayed
    clock : whether to publish /clock: the recorded one, where the bag has it, else by `tell_time`
    features : whether recorded features are for a graph to hear
    relay : whether features of an encoder are relayed to the graph

    Attributes
    ----------
    topics : recorded topics that can be replayed
    left_out : {recorded topic: why it cannot}

    Raises
    ------
    UserError : a remapping would take a topic to where a replay never publishes
    """

    def __init__(
        self, node: ManagedNode, bag: Bag, clock: bool, features: bool, relay: bool
    ) -> None:
        self._node, self._features = node, features
        self._publishers: dict[str, Publisher] = {}
        self._stamped: set[str] = set()
        self.left_out: dict[str, str] = {}
        for topic in bag.topics.values():
            if topic.name == CLOCK and not clock:
                continue
            try:
                self._advertise(topic, message_class(bag, topic.type))
            except UnfitError as error:
                self.left_out[topic.name] = str(error)
        self._time = None
        if clock and CLOCK not in self._publishers:
            self._time = self._checked(ClockMessage, CLOCK, CLOCK_TYPE, STREAM)
        if relay:
            self._publishers[ENCODED] = self._checked(
                Features, REPLAY + FEATURES, HEARD[FEATURES], STREAM
            )

    @property
    def topics(self) -> list[str]:
        return [topic for topic in self._publishers if topic != ENCODED]

    def has_stamp(self, topic: str) -> bool:
        """Whether messages of a recorded topic begin with a header."""
        return topic in self._stamped

    def publish(self, record: Record) -> None:
        """Publish a message as it was recorded."""
        self._publishers[record.topic].publish(record.data)

    def relay(self, features: bytes) -> None:
        """Publish features (CDR) for the graph to hear."""
        self._publishers[ENCODED if ENCODED in self._publishers else FEATURES].publish(features)

    def tell_time(self, time_ns: int) -> None:
        """Publish /clock, unless the bag does or nobody shall."""
        if self._time is not None:
            self._time.publish(ClockMessage(clock=make_header(time_ns, '').stamp))

    def listeners(self, topic: str) -> int:
        """How many subscribers a recorded topic has now; 0 for one that is not replayed."""
        publisher = self._publishers.get(topic)
        return 0 if publisher is None else publisher.get_subscription_count()

    def flush(self, timeout_s: float) -> None:
        """Wait until everybody has everything, for so long at most."""
        for publisher in self._publishers.values():
            publisher.wait_for_all_acked(Duration(seconds=timeout_s / len(self._publishers)))

    def _advertise(self, topic: Topic, kind: Any) -> None:
        name = destination(topic.name, topic.type, self._features)
        self._publishers[topic.name] = self._checked(kind, name, topic.type, _qos(topic))
        if has_header(kind):
            self._stamped.add(topic.name)

    def _checked(self, kind: Any, name: str, type_name: str, qos: QoSProfile) -> Publisher:
        """A publisher on a topic that is still permitted after every remapping."""
        try:
            check_permitted(self._node.resolve_topic_name(name), type_name)
        except (InvalidTopicNameException, RuntimeError):  # the latter is what rclpy does raise
            raise UnfitError(f'{name!r} is no name of a topic') from None
        publisher = self._node.advertise(kind, name, qos)
        check_permitted(publisher.topic_name, type_name)  # what rclpy made of it in the end
        return publisher


def _qos(topic: Topic) -> QoSProfile:
    """Reliable, so that any subscriber hears it; latched where it was, or for who comes up late."""
    if topic.name in _LEDGERS:
        return LEDGER
    latched = any(qos.durability == 'transient_local' for qos in topic.qos)
    return QoSProfile(
        depth=_EVENT_DEPTH if topic.name == EVENTS else _DEPTH,
        reliability=ReliabilityPolicy.RELIABLE,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
    )
