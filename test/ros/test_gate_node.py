"""The gate as a process: what it lets out on `drive`, and when it insists on zero."""

import math
import signal

import pytest
from ackermann_msgs.msg import AckermannDriveStamped
from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rtrrl_msgs.msg import Executed
from sensor_msgs.msg import Joy

from rtrrl_ros.nodes.diagnostics import status_values
from rtrrl_ros.nodes.messages import drive_message, stamp_ns
from rtrrl_ros.nodes.qos import RECORD, STREAM
from rtrrl_ros.safety.command import Command

PERIOD_NS = 50_000_000


def is_zero(message) -> bool:
    drive = message.drive
    return (drive.steering_angle, drive.speed, drive.acceleration) == (0.0, 0.0, 0.0)


class Rig:
    """A gate node with the test on both sides of it."""

    def __init__(self, graph, **parameters):
        self.graph = graph
        self.process = graph.start('gate_node', **parameters)
        self.proposals = graph.publisher(AckermannDriveStamped, 'drive_proposal', STREAM)
        self.teleop = graph.publisher(AckermannDriveStamped, 'teleop', STREAM)
        self.drive = graph.collect(AckermannDriveStamped, 'drive', STREAM)
        self.executed = graph.collect(Executed, 'executed', RECORD)
        graph.until_matched()
        graph.until(lambda: self.drive, 'the first zero of the watchdog')
        self.step = 0

    def propose(self, steering=0.1, speed=1.0) -> None:
        self.step += 1
        command = Command(self.step * PERIOD_NS, steering, speed, 0.0)
        self.proposals.publish(drive_message(command))

    def answers(self) -> list:
        """The `drive` messages with the stamp of the newest proposal."""
        return [m for m in self.drive if stamp_ns(m) == self.step * PERIOD_NS]

    def answer(self):
        self.graph.until(self.answers, 'an answer to the proposal')
        return self.answers()[0]

    def record(self):
        """The `executed` message with the stamp of the newest proposal."""
        self.graph.until(
            lambda: any(stamp_ns(m) == self.step * PERIOD_NS for m in self.executed), 'executed'
        )
        return next(m for m in self.executed if stamp_ns(m) == self.step * PERIOD_NS)


@pytest.fixture
def rig(graph):
    # in lock-step no clock is compared with the stamps, which here begin at zero
    return Rig(graph, lockstep=True, max_steering_angle_rad=0.3)


def test_proposals_pass_are_limited_or_refused_and_always_answered(rig):
    rig.propose(steering=0.2)
    assert rig.answer().drive.steering_angle == pytest.approx(0.2)
    assert rig.record().mode == Executed.PASSED
    rig.propose(steering=-9.0)
    assert rig.answer().drive.steering_angle == pytest.approx(-0.3)
    assert rig.record().mode == Executed.LIMITED
    assert 'steering_angle_rad' in rig.record().reason
    rig.propose(steering=math.nan)
    assert is_zero(rig.answer())
    assert (rig.record().mode, rig.record().reason) == (Executed.STOPPED, 'not finite')


def test_a_repeated_proposal_gets_the_same_answer_again(rig):
    rig.propose(steering=0.2)
    first = rig.answer()
    rig.step -= 1
    rig.propose(steering=-0.2)
    rig.graph.until(lambda: len(rig.answers()) == 2, 'another answer')
    assert rig.answers()[1].drive == first.drive


def test_explicit_zeros_before_anything_was_proposed(rig):
    rig.graph.until(lambda: len(rig.drive) >= 3, 'zeros of the watchdog')
    assert all(map(is_zero, rig.drive))
    assert rig.executed == []  # nothing was driven in lock-step


def test_a_person_takes_over(rig):
    rig.teleop.publish(drive_message(Command(0, -0.2, 0.5, 0.0)))
    takeovers = []
    while not takeovers:  # the two topics have no common order
        rig.propose(steering=0.2)
        rig.answer()
        takeovers = [m for m in rig.executed if m.mode == Executed.TAKEOVER]
    assert takeovers[0].drive.steering_angle == pytest.approx(-0.2)


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_the_last_word_before_an_orderly_end_is_zero(rig, number):
    rig.propose()
    assert not is_zero(rig.answer())
    rig.process.send_signal(number)
    rig.process.send_signal(signal.SIGINT)  # it may come twice
    assert rig.graph.exit_status(rig.process) == 0
    assert is_zero(rig.drive[-1])
    assert 'Traceback' not in rig.graph.output(rig.process)


def test_in_real_time_stale_stamps_are_refused(graph):
    rig = Rig(graph)  # its clock says this year, the stamps 1970
    rig.propose()
    assert is_zero(rig.answer())
    assert rig.record().reason == 'stale'


def test_a_deadman_must_be_held(graph):
    rig = Rig(graph, lockstep=True, require_deadman=True, deadman_timeout_s=2.0)
    joy = graph.publisher(Joy, 'joy', STREAM)
    graph.until_matched()
    rig.propose()
    assert is_zero(rig.answer())
    assert rig.record().reason == 'deadman not held'

    def press(held: int, mode: int) -> None:
        while True:  # joy and proposals have no common order
            joy.publish(Joy(buttons=[0, 0, 0, 0, 0, held]))
            rig.propose()
            rig.answer()
            if rig.record().mode == mode:
                return

    press(1, Executed.PASSED)
    press(0, Executed.STOPPED)
    joy.publish(Joy(buttons=[1]))  # a joystick without that button holds no deadman
    rig.propose()
    assert is_zero(rig.answer())


REACHED = {
    Transition.TRANSITION_CONFIGURE: State.PRIMARY_STATE_INACTIVE,
    Transition.TRANSITION_ACTIVATE: State.PRIMARY_STATE_ACTIVE,
    Transition.TRANSITION_DEACTIVATE: State.PRIMARY_STATE_INACTIVE,
    Transition.TRANSITION_CLEANUP: State.PRIMARY_STATE_UNCONFIGURED,
}


def change(graph, transition: int) -> bool:
    request = ChangeState.Request(transition=Transition(id=transition))
    response = graph.call(ChangeState, '/gate_node/change_state', request)
    if response.success:
        return True
    # a repeated request is refused when the response to the first one was lost
    state = graph.call(GetState, '/gate_node/get_state', GetState.Request()).current_state
    return state.id == REACHED[transition]


def test_lifecycle(graph):
    process = graph.start('gate_node', autostart=False, lockstep=True)
    drive = graph.collect(AckermannDriveStamped, 'drive', STREAM)
    proposals = graph.publisher(AckermannDriveStamped, 'drive_proposal', STREAM)
    assert change(graph, Transition.TRANSITION_CONFIGURE)
    graph.until_matched()
    proposals.publish(drive_message(Command(PERIOD_NS, 0.1, 1.0, 0.0)))
    graph.for_seconds(0.3)
    assert drive == []  # loaded, but it does not drive
    assert change(graph, Transition.TRANSITION_ACTIVATE)
    command = drive_message(Command(2 * PERIOD_NS, 0.1, 1.0, 0.0))
    graph.insist(
        lambda: proposals.publish(command), lambda: not all(map(is_zero, drive)), 'a command'
    )
    assert change(graph, Transition.TRANSITION_DEACTIVATE)
    graph.until(lambda: is_zero(drive[-1]), 'the stop')
    count = len(drive)
    proposals.publish(drive_message(Command(3 * PERIOD_NS, 0.1, 1.0, 0.0)))
    graph.for_seconds(0.3)
    assert len(drive) == count
    assert change(graph, Transition.TRANSITION_CLEANUP)
    assert change(graph, Transition.TRANSITION_CONFIGURE)
    assert process.poll() is None


def test_diagnostics_say_how_it_is(rig):
    messages = rig.graph.collect(DiagnosticArray, '/diagnostics', STREAM)
    rig.propose()

    def statuses() -> list:
        return [status for message in messages for status in message.status]

    rig.graph.until(statuses, 'diagnostics')
    status = statuses()[0]
    assert (status.name, status.hardware_id) == ('/gate_node', 'rtrrl_ros')
    values = status_values(status)
    # lock-step: it needs nobody awake
    assert values.pop('processors_awake') == 'False'
    assert set(values) == {'passed', 'limited', 'takeover', 'stopped'}
    assert values['passed'] == '1'
