"""The messages of interfaces/: what they say, and that they cross Fast DDS unchanged."""

import dataclasses
import os
import subprocess
import sys
import textwrap
import uuid

import pytest
from ackermann_msgs.msg import AckermannDrive, AckermannDriveStamped
from event_camera_msgs.msg import EventPacket
from rtrrl_msgs.msg import Executed, Features, LearnerStatus, Reward, WorldState

from rtrrl_ros.safety.modes import Mode
from rtrrl_ros.worlds import contract

HEADER = {'header': 'std_msgs/Header'}
LAP = {'lap': 'uint32', 'step_type': 'uint8', 'terminated': 'boolean', 'truncated': 'boolean'}

FIELDS = {
    WorldState: {
        **HEADER, **LAP, 'task_reward': 'float', 'lateral_error_m': 'float',
        'heading_error_rad': 'float', 'speed_m_s': 'float', 'progress_m': 'float',
    },
    Features: {**HEADER, 'seq': 'uint64', 'data': 'sequence<float>'},
    Reward: {
        **HEADER, **LAP, 'reward': 'float', 'task_reward': 'float', 'lateral_error_m': 'float',
    },
    Executed: {
        **HEADER, 'drive': 'ackermann_msgs/AckermannDrive', 'mode': 'uint8', 'reason': 'string',
    },
    LearnerStatus: {
        **HEADER, 'lap': 'uint32', 'step': 'uint64', 'learning': 'boolean', 'td_error': 'float',
        'value': 'float', 'reward': 'float', 'drift': 'float', 'act_latency_s': 'float',
        'learn_latency_s': 'float', 'updates': 'uint64', 'refused': 'uint64', 'missed': 'uint64',
        'rollbacks': 'uint32', 'frozen': 'boolean', 'note': 'string',
    },
    AckermannDrive: {
        'steering_angle': 'float', 'steering_angle_velocity': 'float', 'speed': 'float',
        'acceleration': 'float', 'jerk': 'float',
    },
    AckermannDriveStamped: {**HEADER, 'drive': 'ackermann_msgs/AckermannDrive'},
    EventPacket: {
        **HEADER, 'height': 'uint32', 'width': 'uint32', 'seq': 'uint64', 'time_base': 'uint64',
        'encoding': 'string', 'is_bigendian': 'boolean', 'events': 'sequence<uint8>',
    },
}  # fmt: skip


@pytest.mark.parametrize('message', FIELDS, ids=lambda message: message.__name__)
def test_fields_are_those_agreed(message: type) -> None:
    # The order counts too: it is part of the type's hash, by which ROS tells types apart.
    assert list(message.get_fields_and_field_types().items()) == list(FIELDS[message].items())


def test_world_state_is_the_message_of_the_contract() -> None:
    fields = {field.name for field in dataclasses.fields(contract.WorldState)} - {'stamp_ns'}
    assert set(WorldState.get_fields_and_field_types()) == fields | {'header'}


@pytest.mark.parametrize('message', [WorldState, Reward])
def test_step_types_are_those_of_the_contract(message: type) -> None:
    assert {step.name: getattr(message, step.name) for step in contract.StepType} == {
        step.name: step.value for step in contract.StepType
    }


def test_modes_are_those_of_the_gate() -> None:
    assert {mode.name: getattr(Executed, mode.name) for mode in Mode} == {
        mode.name: mode.value for mode in Mode
    }


TALKER = textwrap.dedent("""
    import sys
    import rclpy
    from rtrrl_msgs.msg import Executed

    rclpy.init()
    node = rclpy.create_node('talker')
    publisher = node.create_publisher(Executed, sys.argv[1], 10)
    clock = rclpy.clock.Clock(clock_type=rclpy.clock.ClockType.STEADY_TIME)
    deadline = clock.now() + rclpy.duration.Duration(seconds=20)
    while not publisher.get_subscription_count() and clock.now() < deadline:
        rclpy.spin_once(node, timeout_sec=0.02)
    message = Executed(mode=Executed.STOPPED, reason='no deadman')
    message.header.stamp.sec, message.header.stamp.nanosec = 7, 250_000_001
    message.drive.steering_angle = -0.25
    message.drive.acceleration = 1.5
    publisher.publish(message)
    publisher.wait_for_all_acked(rclpy.duration.Duration(seconds=20))
    rclpy.shutdown()
""")

LISTENER = textwrap.dedent("""
    import sys
    import rclpy
    from rclpy.task import Future
    from rtrrl_msgs.msg import Executed

    rclpy.init()
    node = rclpy.create_node('listener')
    received = Future()
    node.create_subscription(Executed, sys.argv[1], received.set_result, 10)
    rclpy.spin_until_future_complete(node, received, timeout_sec=30)
    message = received.result()
    print(message.header.stamp.sec, message.header.stamp.nanosec, message.drive.steering_angle,
          message.drive.acceleration, message.mode, message.reason)
    rclpy.shutdown()
""")


def test_a_message_crosses_fast_dds_between_two_processes() -> None:
    environment = {
        **os.environ,
        'ROS_DOMAIN_ID': '71',
        'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST',
        'RMW_IMPLEMENTATION': 'rmw_fastrtps_cpp',
    }
    # Two test runs on one machine share the domain, so the topic is this run's own.
    topic = f'executed_{uuid.uuid4().hex}'
    with subprocess.Popen(
        [sys.executable, '-c', LISTENER, topic],
        stdout=subprocess.PIPE, text=True, env=environment,
    ) as listener:  # fmt: skip
        try:
            subprocess.run(
                [sys.executable, '-c', TALKER, topic], env=environment, check=True, timeout=60
            )
            output, _ = listener.communicate(timeout=60)
        finally:
            listener.kill()
    assert output.split(maxsplit=5) == [
        '7', '250000001', '-0.25', '1.5', str(Executed.STOPPED.real), 'no deadman\n'
    ]  # fmt: skip
