"""Raw messages of many topics, taken in batches.

The subscriptions belong to a node that no executor knows. What the middleware received waits in
their queues until `take` fetches all of it, which costs half of what a callback per message does.
"""

import importlib
import operator
from collections.abc import Sequence
from typing import Any

import rclpy
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.subscription import Subscription
from rclpy.topic_endpoint_info import TopicEndpointInfo

from ..bags.contract import Qos
from ..bags.recorder import Arrival

#: messages that may wait between two calls of `take`
DEPTH = 1000
#: instead of a list: every topic but these
ALL = 'all'
NOT_OF_ALL = ('/rosout', '/parameter_events')


class TopicIntake:
    """Subscribes to topics when somebody publishes them.

    Parameters
    ----------
    node : whose view of the graph, namespace and remappings are used
    topics : names, relative ones in the namespace of the node; `ALL` among them: all there are

    Attributes
    ----------
    types : {topic: type} of what is subscribed to
    refused : {topic: why it is not}
    """

    def __init__(self, node: Node, topics: Sequence[str]) -> None:
        self._node = node
        self._all = ALL in topics
        self._wanted = [node.resolve_topic_name(name) for name in topics if name != ALL]
        self.types: dict[str, str] = {}
        self.refused: dict[str, str] = {}
        self._subscriptions: dict[str, Subscription] = {}
        self._own = rclpy.create_node(
            f'{node.get_name()}_intake',
            namespace=node.get_namespace(),
            context=node.context,
            use_global_arguments=False,  # a new name for the node is not meant for this one
            enable_rosout=False,
            start_parameter_services=False,
        )

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
                self._subscribe(name, types[0], adapted_qos(publishers))
            except LookupError as error:
                self.refused[name] = str(error)
            else:
                new[name] = (types[0], offered_qos(publishers))
        return new

    def adapt(self) -> None:
        """Ask for less where a publisher has come up that does not offer what was asked for."""
        for name, subscription in list(self._subscriptions.items()):
            publishers = self._node.get_publishers_info_by_topic(name)
            if any(publisher.topic_type != self.types[name] for publisher in publishers):
                continue
            qos, now = adapted_qos(publishers), subscription.qos_profile
            demanding = (
                now.reliability == ReliabilityPolicy.RELIABLE != qos.reliability
                or now.durability == DurabilityPolicy.TRANSIENT_LOCAL != qos.durability
            )
            if publishers and demanding:
                self._own.destroy_subscription(subscription)
                self._subscribe(name, self.types[name], qos)

    def take(self) -> list[Arrival]:
        """Everything that has come in, in the order of reception."""
        arrivals = []
        for name, subscription in self._subscriptions.items():
            handle = subscription.handle
            with handle:
                while (taken := handle.take_message(subscription.msg_type, True)) is not None:
                    data, info = taken
                    times = info['received_timestamp'], info['source_timestamp']
                    arrivals.append(Arrival(name, *times, data))
        arrivals.sort(key=operator.attrgetter('log_ns'))
        return arrivals

    def _subscribe(self, name: str, type_name: str, qos: QoSProfile) -> None:
        kind = message_class(type_name)
        self._subscriptions[name] = self._own.create_subscription(
            kind, name, lambda data: None, qos, raw=True
        )
        self.types[name] = type_name


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
