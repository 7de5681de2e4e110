"""A drive recorded without the graph holds the messages that the graph would have carried."""

import warnings

import numpy as np
import pytest
from rclpy.serialization import deserialize_message, serialize_message

from rtrrl_ros.bags.demonstrations.drive_messages import DriveMessages
from rtrrl_ros.driving.reward_signal import RewardSignal
from rtrrl_ros.nodes.event_messages import event_packet_messages
from rtrrl_ros.nodes.messages import (
    drive_message,
    executed_message,
    reward_message,
    world_state_message,
)
from rtrrl_ros.nodes.odometry import odometry_message
from rtrrl_ros.perception.events.contract import EventBatch
from rtrrl_ros.safety.command import Command
from rtrrl_ros.safety.gate import GateOutput
from rtrrl_ros.safety.modes import Mode
from rtrrl_ros.worlds.contract import StepType, WorldState


@pytest.fixture(autouse=True, scope='module')
def _type_support() -> None:
    with warnings.catch_warnings():  # its parser imports a module that Python deprecates
        warnings.simplefilter('ignore', DeprecationWarning)
        import rosidl_generator_py  # noqa: F401


STAMP_NS = 12_345_678_901
COMMAND = Command(STAMP_NS, 0.1234, 1.6, -0.5)
STATE = WorldState(STAMP_NS, 3, StepType.LAST, True, False, 0.5, -0.25, 0.125, 1.5, 0.0625)


def assert_reads(ours: bytes, theirs: object) -> None:
    """The middleware reads our bytes as this message; padding may hold anything."""
    assert deserialize_message(ours, type(theirs)) == theirs
    assert len(ours) == len(serialize_message(theirs))


def test_commands() -> None:
    ours = DriveMessages()
    assert_reads(ours.command(COMMAND), drive_message(COMMAND))
    output = GateOutput(COMMAND, Mode.TAKEOVER, 'takeover')
    theirs = executed_message(output, drive_message(COMMAND))
    assert_reads(ours.executed(COMMAND, Mode.TAKEOVER, 'takeover'), theirs)


def test_states_and_rewards() -> None:
    ours = DriveMessages()
    assert_reads(ours.world_state(STATE), world_state_message(STATE))
    assert_reads(ours.reward(STATE, 0.75), reward_message(RewardSignal.of(STATE, 0.75)))


def test_odometry() -> None:
    motion = STAMP_NS, np.array([1.5, -2.0, 0.7]), 1.25, -0.5
    assert_reads(DriveMessages().odometry(*motion), odometry_message(*motion))


def test_events() -> None:
    t_us = np.array([5, 5, 9], np.int64)
    x, y = np.array([1, 2, 9], np.uint16), np.array([0, 0, 4], np.uint16)
    batch = EventBatch(t_us, x, y, np.array([True, True, False]), 346, 260, 10_000)
    for events in (batch, EventBatch.empty(346, 260, 20_000)):
        (theirs,) = event_packet_messages(events, STAMP_NS, 7)
        (ours,) = DriveMessages().event_packets(events, STAMP_NS, 7)
        assert_reads(ours, theirs)
