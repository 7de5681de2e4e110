"""Who listens to a topic, as opposed to who only records it."""

from rclpy.node import Node

#: ends the name of a node that takes messages in for a recorder
INTAKE = '_intake'


def count_listeners(node: Node, topic: str) -> int:
    """Subscriptions to a topic, those of recorders left out: nobody waits for a recorder.

    One whose node has not been discovered yet does not count either.
    """
    names = [info.node_name for info in node.get_subscriptions_info_by_topic(topic)]
    return sum(not name.endswith(INTAKE) and not name.startswith('_') for name in names)
