"""Raw messages of many topics, taken in batches.

The subscriptions belong to a node that no executor knows. What the middleware received waits in
their queues until `take` fetches all of it, which costs half of what a callback per message does.
"""

import contextlib
import importlib
import operator
from collections.abc import Mapping, Sequence
from typing import Any

import rclpy
from rclpy.exceptions import InvalidTopicNameException
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.subscription import Subscription
from rclpy.topic_endpoint_info import TopicEndpointInfo

from ..bags.contract import Qos
from ..bags.recording.recorder import Arrival
from ..errors import UserError
from .listeners import INTAKE

VOLATILE = 'volatile'
#: messages that may wait between two calls of `take`
DEPTH = 1000
#: nothing waits so long for what was sent again; the clock was set back then
CLOCK_BACK_NS = 1_000_000_000
#: instead of a list: every topic but these
ALL = 'all'
NOT_OF_ALL = ('/rosout', '/parameter_events')


class TopicIntake:
    """Subscribes to topics.

    Parameters
    ----------
    node : whose view of the graph, namespace and remappings are used
    topics : names, relative ones in the namespace of the node; `ALL` among them: all there are
    expected : {name: (type, durability)}. Those of the topics that are in here are subscribed to
        before anybody publishes them, so that the first message is not missed: volatile topics
        keep nothing for those who come late. What turns out to be otherwise is adapted to

    Attributes
    ----------
    types : {topic: type} of what is published and subscribed to
    refused : {topic: why it is not}

    Raises
    ------
    UserError : one of the names cannot be that of a topic
    """

    def __init__(
        self, node: Node, topics: Sequence[str], expected: Mapping[str, tuple[str, str]]
    ) -> None:
        self._node = node
        self._all = ALL in topics
        names = [name for name in topics if name != ALL]
        self._wanted = [_full_name(node, name) for name in names]
        self.types: dict[str, str] = {}
        self.refused: dict[str, str] = {}
        self._subscriptions: dict[str, Subscription] = {}
        self._newest_ns: dict[str, int] = {}  # log time of the newest message of a topic
        self._own = rclpy.create_node(
            f'{node.get_name()}{INTAKE}',
            namespace=node.get_namespace(),
            context=node.context,
            use_global_arguments=False,  # a new name for the node is not meant for this one
            enable_rosout=False,
            start_parameter_services=False,
        )
        for name, full_name in zip(names, self._wanted, strict=True):
            if name in expected:
                type_name, durability = expected[name]
                with contextlib.suppress(LookupError):  # not installed, so it cannot come up
                    self._subscribe(full_name, type_name, _qos(True, durability != VOLATILE))

    def close(self) -> None:
        """Unsubscribe from everything."""
        self._subscriptions.clear()
        self._own.destroy_node()

    @property
    def missing(self) -> list[str]:
        """Topics that nobody publishes yet."""
        return [name for name in self._wanted if name not in self.types | self.refused]

    def discover(self) -> dict[str, tuple[str, tuple[Qos, ...]]]:
        """Subscribe to what has come up; returns type and offered qualities of the new topics."""
        new = {}
        wanted = self.missing
        if self._all:
            present = [name for name, _ in self._node.get_topic_names_and_types()]
            known = {*self.types, *self.refused, *wanted, *NOT_OF_ALL}
            wanted += [name for name in present if name not in known]
        for name in wanted:
            if not self._node.count_publishers(name):
                continue
            publishers = self._node.get_publishers_info_by_topic(name)
            types = sorted({publisher.topic_type for publisher in publishers})
            if not types:
                continue
            try:
                if len(types) > 1:
                    raise LookupError(f'is published as {" and as ".join(types)}')
                self._adapt(name, types[0], publishers)
            except LookupError as error:
                self.refused[name] = str(error)
            else:
                self.types[name] = types[0]
                new[name] = (types[0], offered_qos(publishers))
        return new

    def adapt(self) -> None:
        """Ask for less where a publisher has come up that does not offer what was asked for."""
        for name, type_name in self.types.items():
            publishers = self._node.get_publishers_info_by_topic(name)
            same = [publisher for publisher in publishers if publisher.topic_type == type_name]
            if same:
                self._adapt(name, type_name, same)

    def _adapt(self, name: str, type_name: str, publishers: Sequence[TopicEndpointInfo]) -> None:
        """Subscribe, again only if the present subscription would not hear all publishers."""
        qos, present = adapted_qos(publishers), self._subscriptions.get(name)
        if present is not None:
            now = present.qos_profile
            if (
                present.msg_type is message_class(type_name)
                and now.reliability in (qos.reliability, ReliabilityPolicy.BEST_EFFORT)
                and now.durability in (qos.durability, DurabilityPolicy.VOLATILE)
            ):
                return
            self._own.destroy_subscription(present)
        self._subscribe(name, type_name, qos)

    def take(self) -> list[Arrival]:
        """Everything that has come in, in the order of reception.

        Of a topic in the order in which the middleware hands it out: what was lost on the way and
        sent again bears the time at which it came at last, and everything behind it had to wait
        for it. Their own times of reception would put them in the wrong order; see `in_order`.
        """
        arrivals = []
        for name in self.types:
            subscription = self._subscriptions[name]
            handle = subscription.handle
            log_ns = self._newest_ns.get(name, 0)
            with handle:
                while (taken := handle.take_message(subscription.msg_type, True)) is not None:
                    data, info = taken
                    log_ns = in_order(log_ns, info['received_timestamp'])
                    arrivals.append(Arrival(name, log_ns, info['source_timestamp'], data))
            self._newest_ns[name] = log_ns
        arrivals.sort(key=operator.attrgetter('log_ns'))
        return arrivals

    def _subscribe(self, name: str, type_name: str, qos: QoSProfile) -> None:
        kind = message_class(type_name)
        self._subscriptions[name] = self._own.create_subscription(
            kind, name, lambda data: None, qos, raw=True
        )


def in_order(newest_ns: int, received_ns: int) -> int:
    """The log time of a message that comes after one with the log time `newest_ns`.

    Not earlier than that, unless the clock was set back.
    """
    return max(newest_ns, received_ns) if newest_ns - received_ns < CLOCK_BACK_NS else received_ns


def _full_name(node: Node, name: str) -> str:
    try:
        return node.resolve_topic_name(name)
    except (InvalidTopicNameException, RuntimeError):  # the latter is what rclpy does raise
        raise UserError(
            f'topics: {name!r} is no name of a topic: words of letters, digits and _ between '
            'slashes, none beginning with a digit'
        ) from None


def message_class(type_name: str) -> Any:
    """The class of 'package/msg/Name'; `LookupError` where it is not installed."""
    package, _, name = type_name.partition('/msg/')
    try:
        return getattr(importlib.import_module(f'{package}.msg'), name)
    except (ImportError, AttributeError):
        raise LookupError(f'{type_name} is not installed here') from None


def adapted_qos(publishers: Sequence[TopicEndpointInfo]) -> QoSProfile:
    """The most that all these publishers offer, as `ros2 bag record` asks for."""
    reliable = all(
        publisher.qos_profile.reliability == ReliabilityPolicy.RELIABLE for publisher in publishers
    )
    kept = all(
        publisher.qos_profile.durability == DurabilityPolicy.TRANSIENT_LOCAL
        for publisher in publishers
    )
    return _qos(reliable, kept)


def _qos(reliable: bool, kept: bool) -> QoSProfile:
    return QoSProfile(
        depth=DEPTH,
        reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if kept else DurabilityPolicy.VOLATILE,
    )


def offered_qos(publishers: Sequence[TopicEndpointInfo]) -> tuple[Qos, ...]:
    """What the publishers offer, each once. Discovery does not tell their depth."""
    return tuple(
        dict.fromkeys(
            Qos(
                publisher.qos_profile.reliability.name.lower(),
                publisher.qos_profile.durability.name.lower(),
                publisher.qos_profile.depth or 10,
            )
            for publisher in publishers
        )
    )
