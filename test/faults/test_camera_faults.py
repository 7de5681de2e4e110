"""The event camera or its driver fails while the car drives: it stops, says why, and recovers."""

import signal
import sys
import time

import numpy as np
import pytest
from ackermann_msgs.msg import AckermannDriveStamped
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from event_camera_msgs.msg import EventPacket

from rtrrl_ros.nodes.event_messages import event_packet_messages
from rtrrl_ros.nodes.qos import EVENTS, STREAM
from rtrrl_ros.perception.events.contract import EventBatch

WIDTH, HEIGHT = 346, 260
PERIOD_S = 0.01
#: from the last packet to the first explicit zero on `drive`
LIMIT_S = 0.2

DRIVER = f"""
import sys, time
import rclpy
sys.path.insert(0, {__file__.rpartition('/')[0]!r})
from test_camera_faults import EVENTS, EventPacket, PERIOD_S, packets

rclpy.init()
node = rclpy.create_node('driver')
publisher = node.create_publisher(EventPacket, '/event_camera/events', EVENTS)
sent = packets(node)
node.create_timer(PERIOD_S, lambda: publisher.publish(next(sent)))
rclpy.spin(node)
"""


def packets(node):
    """As a driver sends them that has just been started: `seq` and sensor time begin at 0."""
    random, seq = np.random.default_rng(0), 0
    period_us = round(PERIOD_S * 1e6)
    while True:
        until_us, count = (seq + 1) * period_us, 2000
        events = EventBatch(
            np.sort(random.integers(until_us - period_us, until_us, count)),
            random.integers(0, WIDTH, count, np.uint16),
            random.integers(0, HEIGHT, count, np.uint16),
            random.random(count) < 0.5, WIDTH, HEIGHT, until_us,
        )  # fmt: skip
        stamp_ns = node.get_clock().now().nanoseconds
        yield from event_packet_messages(events, stamp_ns, seq)
        seq += 1


class Car:
    """Encoder, agent and gate as on the car; the camera is the test's."""

    def __init__(self, graph, model) -> None:
        self.graph = graph
        self.drive = graph.collect_timed(AckermannDriveStamped, 'drive', STREAM)
        self.diagnostics = graph.collect(DiagnosticArray, '/diagnostics', 100)
        self.nodes = [
            graph.start('gate_node', max_age_s=0.1),
            graph.start('encoder_node', model=str(model)),
            graph.start('agent_node', model=str(model), lockstep=False, speed_m_s=1.5),
        ]

    def until_driving(self) -> None:
        def driving() -> bool:
            newest = [message.drive.speed for _, message in self.drive[-5:]]
            return len(newest) == 5 and all(newest)

        self.drive.clear()
        self.graph.until(driving, 'the car to drive')

    def first_zero_s(self, since_s: float) -> float:
        def zeros() -> list[float]:
            return [at_s for at_s, m in self.drive if at_s >= since_s and m.drive.speed == 0.0]

        self.graph.until(zeros, 'a zero on drive', timeout_s=20.0)
        return zeros()[0] - since_s

    def until_it_says(self, level: bytes, line: str) -> None:
        def said() -> bool:
            return any(
                status.level == level and line in status.message
                for array in self.diagnostics for status in array.status
                if status.name == '/encoder_node'
            )  # fmt: skip

        self.diagnostics.clear()
        self.graph.until(said, f'{line!r} in a diagnostic')

    def assert_nobody_ended(self) -> None:
        assert [node.poll() for node in self.nodes] == [None] * 3


@pytest.mark.parametrize('number', [signal.SIGKILL, signal.SIGSTOP])
def test_packets_stop_and_come_back(graph, untrained_line_model, number):
    """The camera is unplugged or its driver dies; it hangs; it restarts."""
    car = Car(graph, untrained_line_model)
    driver = graph.run([sys.executable, '-c', DRIVER])
    car.until_driving()
    died_s = time.time()
    driver.send_signal(number)
    assert car.first_zero_s(died_s) < LIMIT_S
    car.until_it_says(DiagnosticStatus.ERROR, 'event packets have stopped')
    told = len(car.drive)
    graph.until(lambda: len(car.drive) >= told + 20, 'commands of a car that stands')
    assert all(message.drive.speed == 0.0 for _, message in car.drive[told:])
    if number == signal.SIGSTOP:
        driver.send_signal(signal.SIGCONT)
    else:
        graph.run([sys.executable, '-c', DRIVER])  # `seq` and time begin anew
    car.until_driving()
    car.until_it_says(DiagnosticStatus.OK, 'active')
    car.assert_nobody_ended()


class Camera:
    """A driver within the test, whose packets can be spoilt."""

    def __init__(self, graph) -> None:
        self.spoilt: dict[str, object] = {}
        self._publisher = graph.publisher(EventPacket, '/event_camera/events', EVENTS)
        self._packets = packets(graph.peer)
        graph.peer.create_timer(PERIOD_S, self._send)

    def _send(self) -> None:
        message = next(self._packets)
        for name, value in self.spoilt.items():
            setattr(message, name, value)
        self._publisher.publish(message)


@pytest.mark.parametrize(
    ('spoilt', 'said'),
    [
        ({'width': 640, 'height': 480}, 'sensor of 640 x 480 pixels, not 346 x 260'),
        ({'encoding': 'h264'}, "unknown encoding 'h264' of event packets"),
        ({'events': b'\x01\x80\x03'}, 'is damaged'),
    ],
)
def test_packets_that_cannot_be_used(graph, untrained_line_model, spoilt, said):
    car, camera = Car(graph, untrained_line_model), Camera(graph)
    car.until_driving()
    camera.spoilt, since_s = spoilt, time.time()
    assert car.first_zero_s(since_s) < LIMIT_S
    car.until_it_says(DiagnosticStatus.ERROR, said)
    camera.spoilt = {}
    car.until_driving()
    car.until_it_says(DiagnosticStatus.OK, 'active')
    car.assert_nobody_ended()
    log = graph.output(car.nodes[1])
    assert said in log and 'event packets are good again' in log
    assert 'Traceback' not in log
