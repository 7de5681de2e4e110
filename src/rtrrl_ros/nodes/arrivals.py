"""Messages that came while the node was busy, and when they really came."""

import time
from collections.abc import Iterator
from typing import Any

from rclpy.subscription import Subscription


def take_waiting(subscription: Subscription) -> Iterator[tuple[Any, float]]:
    """Take what waits for the callback of this subscription, which then never sees it.

    Yields
    ------
    message, the reading of `time.monotonic()` when the middleware received it

    A callback that starts after a long other one cannot tell how long its message has waited, and
    the EventsExecutor fails on callbacks that ask for the message's info; rclpy's own call, which
    every executor makes, can and does not.
    """
    handle = subscription.handle
    with handle:  # it is not destroyed meanwhile
        while (taken := handle.take_message(subscription.msg_type, subscription.raw)) is not None:
            message, info = taken
            # two clocks: what lies between two readings is short, so that their drift is nothing
            waited_s = max(0.0, (time.time_ns() - info['received_timestamp']) * 1e-9)
            yield message, time.monotonic() - waited_s
