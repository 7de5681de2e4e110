"""The node of the line car: what it publishes is the world itself, to the last event."""

import math
import time

import numpy as np
import pytest
from ackermann_msgs.msg import AckermannDriveStamped
from event_camera_msgs.msg import EventPacket
from nav_msgs.msg import Odometry
from rtrrl_msgs.msg import WorldState

from rtrrl_ros.nodes.event_messages import event_packet
from rtrrl_ros.nodes.messages import drive_message, stamp_ns, world_state
from rtrrl_ros.nodes.odometry import odometry_pose
from rtrrl_ros.nodes.qos import EVENTS, EVENTS_COMPLETE, RECORD, STREAM
from rtrrl_ros.nodes.world_course import WorldCourse
from rtrrl_ros.perception.events.contract import EventBatch
from rtrrl_ros.perception.events.packets import PacketSource
from rtrrl_ros.safety.command import Command
from rtrrl_ros.worlds.contract import StepType
from rtrrl_ros.worlds.line import LineConfig, LineShift, LineWorld

SHORT = {'time_limit_s': 0.15, 'seed': 3}
LIGHT = 4.0
SETTLE_S = 0.3


class Rig:
    """The node with a test that drives it."""

    def __init__(self, graph, qos=EVENTS_COMPLETE, **parameters):
        self.graph = graph
        self.packets = graph.collect(EventPacket, '/event_camera/events', qos)
        self.states = graph.collect(WorldState, 'world_state', RECORD)
        self.odometry = graph.collect(Odometry, 'odom', STREAM)
        self.drive = graph.publisher(AckermannDriveStamped, 'drive', STREAM)
        self.process = graph.start('line_node', **{**SHORT, **parameters})
        graph.until_matched()

    def wait(self, count: int) -> None:
        everything = (self.packets, self.states, self.odometry)
        self.graph.until(
            lambda: all(len(messages) >= count for messages in everything), f'observation {count}'
        )

    def drive_one_period(self, stamp: int) -> None:
        """Answer the newest observation; wait for a packet of the next, then for its end."""
        assert not self.newer_than(stamp), 'sensed before it is known what the car does'
        assert self.told < stamp, 'told while others need the processors'
        self.send(stamp, steering=0.1)
        self.graph.until(lambda: self.told == stamp, 'what the car measures')
        self.graph.until(lambda: self.newer_than(stamp), 'an early packet')
        assert len(self.newer_than(stamp)) == 1, 'shown before the end of the period'
        self.graph.until(lambda: len(self.newer_than(stamp)) == 2, 'the end of the period')

    @property
    def told(self) -> int:
        return min(stamp_ns(self.states[-1]), stamp_ns(self.odometry[-1]))

    def newer_than(self, stamp: int) -> list[EventPacket]:
        return [packet for packet in self.packets if stamp_ns(packet) > stamp]

    def send(self, stamp: int, steering=0.0, speed=1.5) -> Command:
        command = Command(stamp, float(np.float32(steering)), speed, 0.0)
        self.drive.publish(drive_message(command))
        return command


def test_packets_decode_to_exactly_the_events_of_the_world(graph):
    rig = Rig(graph, laps=2, steering_offset=0.1, light=LIGHT, retry_period_s=50.0)
    shift = LineShift(steering_offset=0.1, light=LIGHT)
    world = LineWorld(LineConfig(time_limit_s=SHORT['time_limit_s']), shift, seed=SHORT['seed'])
    course, source = WorldCourse(world, laps=2), PacketSource(346, 260)
    source.open()
    total = 0
    for count in range(1, 33):
        rig.wait(count)
        packet, state, odometry = (
            messages[count - 1] for messages in (rig.packets, rig.states, rig.odometry)
        )
        expected = course.observation
        assert world_state(state) == expected.state
        assert stamp_ns(packet) == stamp_ns(odometry) == expected.stamp_ns
        events = source.feed(event_packet(packet))
        for name in ('t_us', 'x', 'y', 'polarity', 'until_us'):
            assert np.array_equal(getattr(events, name), getattr(expected.events, name)), name
        first = expected.state.step_type is StepType.FIRST
        assert packet.seq == 0 if first else packet.seq > 0
        x, y, heading = world.car.pose
        pose = odometry_pose(odometry)
        assert pose[:2] == (x, y)
        assert math.cos(pose[2] - heading) == pytest.approx(1.0, abs=1e-12)
        assert odometry.twist.twist.linear.x == pytest.approx(expected.state.speed_m_s, rel=1e-6)
        total += len(events)
        course.advance(rig.send(expected.stamp_ns, steering=0.3 * math.sin(count)))
    assert course.finished and total > 1000
    assert source.counters.restarts == 1  # of the second lap


def test_a_decision_that_is_not_answered_is_shown_again(graph):
    rig = Rig(graph, retry_period_s=0.2, lockstep_timeout_s=50.0)
    rig.wait(2)
    assert stamp_ns(rig.packets[0]) == stamp_ns(rig.packets[1])
    assert rig.packets[0].events == rig.packets[1].events
    assert rig.packets[1].seq == rig.packets[0].seq == 0


def test_in_real_time_it_drives_on_and_counts_what_came_late(graph):
    # best effort, as camera drivers publish
    rig = Rig(
        graph, EVENTS, lockstep=False, real_time_factor=0.2, time_limit_s=2.0, laps=1, settle_s=0.0
    )
    rig.wait(2)
    for count in range(3, 40):
        rig.send(stamp_ns(rig.packets[-1]), steering=0.1)
        rig.wait(count)
    assert rig.states[-1].speed_m_s > 0.2
    rig.wait(len(rig.packets) + 5)  # nobody answers, and all is told
    rig.process.terminate()
    assert rig.graph.exit_status(rig.process) == 0
    said = rig.graph.output(rig.process).splitlines()[-1]
    assert 'commands came late' in said and 'latency_p99_ms' in said


def test_in_real_time_an_observation_comes_in_packets_and_the_last_one_completes_it(graph):
    """They decode to what is one packet in lock-step, and only the last waits for the clock."""
    rig = Rig(
        graph, EVENTS, lockstep=False, real_time_factor=0.2, time_limit_s=2.0, laps=1, settle_s=0.0,
        packet_ms=3.0,
    )  # fmt: skip
    world = LineWorld(LineConfig(time_limit_s=2.0), seed=SHORT['seed'])
    course, source = WorldCourse(world, laps=1), PacketSource(346, 260)
    source.open()
    rig.wait(1)
    answered = [course.observation.stamp_ns]
    graph.insist(
        lambda: rig.send(answered[0], steering=0.1),
        lambda: len(rig.newer_than(answered[0])) == 2,
        'the start',
    )
    for _ in range(20):
        stamp = stamp_ns(rig.packets[-1])
        rig.drive_one_period(stamp)
        answered.append(stamp)
    seen = {stamp_ns(message): [] for message in rig.packets}
    for packet in rig.packets:
        if packet.seq or not source.counters.packets:
            seen[stamp_ns(packet)].append(source.feed(event_packet(packet)))
    for stamp in answered[1:]:
        parts = seen[stamp]
        assert [part.until_us * 1000 - stamp for part in parts] == [-3e6, 0]
    expected = course.advance(Command(answered[0], 0.1, 1.5, 0.0))
    joined = EventBatch.join(seen[expected.stamp_ns], 346, 260)
    for name in ('t_us', 'x', 'y', 'polarity'):
        assert np.array_equal(getattr(joined, name), getattr(expected.events, name)), name
    assert source.counters.lost_packets == 0


def test_in_real_time_it_waits_at_the_start_until_somebody_drives(graph):
    rig = Rig(graph, EVENTS, lockstep=False, time_limit_s=2.0, laps=1, settle_s=SETTLE_S)
    rig.wait(5)
    rig.send(0, speed=0.0)  # the watchdog of the gate
    rig.wait(len(rig.packets) + 5)
    first = stamp_ns(rig.packets[0])
    assert {stamp_ns(packet) for packet in rig.packets} == {first}
    begin_s = time.monotonic()
    rig.send(0, steering=0.1)  # by hand: the stamp of no observation
    graph.until(lambda: stamp_ns(rig.packets[-1]) > first, 'the car to go')
    assert time.monotonic() - begin_s >= SETTLE_S


@pytest.mark.parametrize(
    ('name', 'value', 'said'),
    [
        ('light', 0.0, 'light = 0.0: must be in [0.1, 16]'),
        ('floor', 'lava', "floor = 'lava': must be one of"),
        ('floor_texture', 'lava', "floor_texture = 'lava': must be one of"),
    ],
)
def test_bad_parameters(graph, name, value, said):
    process = graph.start('line_node', **{name: value})
    assert graph.exit_status(process) == 2
    assert said in graph.output(process)
