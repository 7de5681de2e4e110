"""When a message came is known although nobody listened at that time."""

import time

from std_msgs.msg import String

from rtrrl_ros.nodes.arrivals import take_waiting
from rtrrl_ros.nodes.qos import STREAM

BUSY_S = 0.3


def test_the_time_of_arrival_is_not_the_time_of_taking(graph):
    heard = []
    subscription = graph.peer.create_subscription(String, 'late', heard.append, STREAM)
    publisher = graph.publisher(String, 'late', STREAM)
    graph.until(lambda: publisher.get_subscription_count() > 0, 'the subscription')
    sent_s = time.monotonic()
    for word in ('one', 'two'):
        publisher.publish(String(data=word))
    time.sleep(BUSY_S)  # a callback that takes long
    taken = list(take_waiting(subscription))
    assert [message.data for message, _ in taken] == ['one', 'two']
    for _, arrived_s in taken:
        assert sent_s <= arrived_s + 1e-3 and arrived_s < sent_s + BUSY_S / 2
    assert list(take_waiting(subscription)) == []
    graph.for_seconds(0.1)
    assert heard == []  # taken is taken
