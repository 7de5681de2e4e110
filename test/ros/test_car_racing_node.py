"""The CarRacing bridge: the lock-step protocol, real time, and how it gives up."""

import math

import numpy as np
import pytest
from ackermann_msgs.msg import AckermannDriveStamped
from rosgraph_msgs.msg import Clock
from rtrrl_msgs.msg import WorldState
from sensor_msgs.msg import Image

from rtrrl_ros.nodes.messages import drive_message, image_pixels, stamp_ns, world_state
from rtrrl_ros.nodes.qos import RECORD, STREAM
from rtrrl_ros.nodes.world_course import WorldCourse
from rtrrl_ros.safety.command import Command
from rtrrl_ros.worlds.car_racing import CarRacingConfig, CarRacingShift, CarRacingWorld
from rtrrl_ros.worlds.contract import StepType

SHORT = {'time_limit_s': 0.2, 'seed': 3}  # laps of five decisions


class Rig:
    """The node with a test that drives it."""

    def __init__(self, graph, **parameters):
        self.graph = graph
        self.images = graph.collect(Image, 'image_raw', STREAM)
        self.states = graph.collect(WorldState, 'world_state', RECORD)
        self.drive = graph.publisher(AckermannDriveStamped, 'drive', STREAM)
        self.process = graph.start('car_racing_node', **{**SHORT, **parameters})
        graph.until_matched()

    def newest(self, count: int):
        """Image and state of the observation with this number, from 1."""
        self.graph.until(
            lambda: len(self.images) >= count and len(self.states) >= count, f'observation {count}'
        )
        return self.images[count - 1], self.states[count - 1]

    def send(self, stamp: int, steering=0.0, acceleration=8.0) -> Command:
        command = Command(stamp, steering, 0.0, acceleration)
        self.drive.publish(drive_message(command))
        return command


def test_lockstep_is_the_world_itself_bit_for_bit(graph):
    rig = Rig(graph, laps=2, steering_offset=0.1, retry_period_s=30.0)
    world = CarRacingWorld(
        CarRacingConfig(time_limit_s=0.2), CarRacingShift(steering_offset=0.1), seed=3
    )
    course = WorldCourse(world, laps=2)
    kinds = []
    for count in range(1, 13):
        image, state = rig.newest(count)
        expected = course.observation
        assert world_state(state) == expected.state
        assert np.array_equal(image_pixels(image), expected.image)
        assert stamp_ns(image) == stamp_ns(state) == expected.stamp_ns
        kinds.append(expected.state.step_type)
        course.advance(rig.send(expected.stamp_ns, steering=0.4 * math.sin(count)))
    lap = [StepType.FIRST, *[StepType.MID] * 4, StepType.LAST]
    assert kinds == lap + lap
    assert course.finished
    graph.for_seconds(0.3)
    assert len(rig.images) == 12 and rig.process.poll() is None  # done, and patient


def test_lockstep_waits_for_the_right_stamp_and_asks_again(graph):
    rig = Rig(graph, retry_period_s=0.2, lockstep_timeout_s=60.0)
    image, _ = rig.newest(1)
    rig.send(0)  # the gate's watchdog
    rig.send(stamp_ns(image) + 1)
    again, state = rig.newest(2)
    assert stamp_ns(again) == stamp_ns(state) == stamp_ns(image)
    assert again.data == image.data
    rig.send(stamp_ns(image))
    graph.until(lambda: stamp_ns(rig.images[-1]) > stamp_ns(image), 'the next observation')


def test_lockstep_gives_up_with_a_clear_line(graph):
    rig = Rig(graph, lockstep_timeout_s=0.4, retry_period_s=0.1)
    rig.send(stamp_ns(rig.newest(1)[0]))
    assert graph.exit_status(rig.process) == 1
    assert 'no command for the observation at 0.08 s within 0.4 s' in graph.output(rig.process)


def test_it_gives_up_where_nobody_is_there(graph):
    process = graph.start('car_racing_node', start_timeout_s=2.0)
    assert graph.exit_status(process) == 1
    said = graph.output(process)
    assert 'waiting: there is no encoder, no reward node, no gate yet' in said
    assert 'no encoder, no reward node, no gate after' in said


def test_a_command_that_no_gate_has_passed_is_refused(graph):
    rig = Rig(graph)
    rig.send(stamp_ns(rig.newest(1)[0]), steering=math.nan)
    assert graph.exit_status(rig.process) == 1
    assert 'not finite' in graph.output(rig.process)


def test_real_time_drives_on_without_commands_but_not_with_old_ones(graph):
    clock = graph.collect(Clock, '/clock', STREAM)
    rig = Rig(graph, lockstep=False, laps=0, time_limit_s=60.0, publish_clock=True,
              real_time_factor=2.0, command_timeout_s=0.1)  # fmt: skip
    rig.newest(3)

    def speed() -> float:
        return rig.states[-1].speed_m_s

    def push() -> bool:
        rig.send(stamp_ns(rig.images[-1]), acceleration=32.0)
        return speed() > 10.0

    assert speed() == pytest.approx(0.0, abs=0.1)  # no command: it stands
    graph.until(push, 'the car to go')
    count = len(rig.images)
    rig.newest(count + 60)  # 0.1 s after the last command the throttle is released
    speeds = [state.speed_m_s for state in rig.states]
    assert speeds[-1] == pytest.approx(speeds[-20], rel=0.02)  # with throttle it doubles
    assert stamp_ns(rig.images[-1]) <= clock[-1].clock.sec * 10**9 + clock[-1].clock.nanosec


@pytest.mark.parametrize(
    ('name', 'value', 'said'),
    [
        ('friction', 0.0, 'friction = 0.0: must be in (0, 4]'),
        ('split', 'holidays', "split = 'holidays': must be one of training, evaluation"),
    ],
)
def test_bad_parameters(graph, name, value, said):
    process = graph.start('car_racing_node', **{name: value})
    assert graph.exit_status(process) == 2
    assert said in graph.output(process)
