"""A node whose transition raises says so in one line, and is as if it had never been configured."""

import signal
import sys

import pytest
from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import SetParameters
from std_msgs.msg import String

from rtrrl_ros.nodes.qos import RECORD, STREAM

PROGRAM = """
import pathlib, sys
from rclpy.duration import Duration
from std_msgs.msg import String
from rtrrl_ros.errors import UserError
from rtrrl_ros.nodes.managed_node import ManagedNode
from rtrrl_ros.nodes.process import run_node
from rtrrl_ros.nodes.qos import RECORD, STREAM

WHERE, KIND, MENDED = sys.argv[1:4]

class Faulty(ManagedNode):
    made = 0

    def __init__(self):
        super().__init__('faulty')

    def configure(self):
        self.made += 1
        self.said = self.advertise(String, 'said', RECORD)
        self._own.append(lambda: self.fail('cleanup'))
        self.subscribe(String, 'heard', self.on_heard, STREAM)
        self.every(0.02, lambda made=self.made: self.say(f'tick {made}'))
        self.fail('configure')

    def on_heard(self, message):
        self.fail('callback')
        self.finish(0)

    def activate(self):
        self.fail('activate')

    def deactivate(self):
        self.say('last word')
        self.said.wait_for_all_acked(Duration(seconds=1.0))
        self.fail('deactivate')

    def say(self, text):
        self.said.publish(String(data=text))

    def fail(self, where):
        if where in WHERE.split('+') and not pathlib.Path(MENDED).exists():
            raise UserError(where + ': mend') if KIND == 'user' else ValueError(where + ':\\nbad')

run_node(Faulty)
"""

TRANSITIONS = {
    'configure': ['configure'],
    'activate': ['configure', 'activate'],
    'deactivate': ['configure', 'activate', 'deactivate'],
    'shutdown': ['configure', 'activate', 'active_shutdown'],
    'cleanup': ['configure', 'cleanup'],
}


class Faulty:
    """The program above, and what it says."""

    def __init__(self, graph, where: str, kind: str, autostart: bool) -> None:
        self.graph, self.mended = graph, graph.folder / 'mended'
        path = graph.folder / 'faulty.py'
        path.write_text(PROGRAM)
        arguments = ['--ros-args', '-p', f'autostart:={str(autostart).lower()}']
        self.process = graph.run(
            [sys.executable, str(path), where, kind, str(self.mended), *arguments]
        )
        self.messages = graph.collect(String, 'said', RECORD)

    def said(self) -> list[str]:
        return [message.data for message in self.messages]

    def change(self, transition: str) -> int:
        """Ask for a transition; the state afterwards."""
        number = getattr(Transition, f'TRANSITION_{transition.upper()}')
        request = ChangeState.Request(transition=Transition(id=number))
        self.graph.call(ChangeState, '/faulty/change_state', request)
        answer = self.graph.call(GetState, '/faulty/get_state', GetState.Request())
        return answer.current_state.id

    def until_nothing_is_left(self) -> None:
        peer = self.graph.peer

        def left() -> int:
            topics = ('said', '/diagnostics')
            return sum(map(peer.count_publishers, topics)) + peer.count_subscribers('heard')

        self.graph.until(lambda: not left(), 'an end of its publishers and subscriptions')

    def line(self) -> str:
        """The one that it has logged."""
        (line,) = self.graph.output(self.process).splitlines()
        return line


@pytest.mark.parametrize(
    ('where', 'last'),
    [
        ('configure', 'configure'),
        ('activate', 'activate'),
        ('deactivate', 'deactivate'),
        ('deactivate', 'shutdown'),
        ('deactivate+cleanup', 'deactivate'),
        ('cleanup', 'cleanup'),
    ],
)
def test_a_manager_can_configure_it_again(graph, where, last):
    node = Faulty(graph, where, 'bug', autostart=False)
    *before, fails = TRANSITIONS[last]
    for transition in before:
        assert node.change(transition) != State.PRIMARY_STATE_UNCONFIGURED
        if transition == 'activate':
            graph.until(lambda: 'tick 1' in node.said(), 'an active node')
    assert node.change(fails) == State.PRIMARY_STATE_UNCONFIGURED
    node.until_nothing_is_left()
    if 'activate' in before:
        graph.until(lambda: node.said()[-1] == 'last word', 'its last word')
    assert 'bug: ValueError' in graph.output(node.process)

    node.mended.touch()
    value = ParameterValue(type=ParameterType.PARAMETER_BOOL, bool_value=False)
    request = SetParameters.Request(parameters=[Parameter(name='autostart', value=value)])
    answer = graph.call(SetParameters, '/faulty/set_parameters', request)
    assert answer.results[0].successful
    count = len(node.messages)
    assert node.change('configure') == State.PRIMARY_STATE_INACTIVE
    graph.for_seconds(0.3)
    assert len(node.messages) == count  # loaded, but not active
    assert node.change('activate') == State.PRIMARY_STATE_ACTIVE
    graph.until(lambda: len(node.messages) > count + 20, 'an active node')
    (tick,) = set(node.said()[count:])  # one timer, none from before
    assert tick != 'tick 1'
    node.process.send_signal(signal.SIGINT)
    assert graph.exit_status(node.process) == 0


RAISED_AT = 1 + PROGRAM[: PROGRAM.index('raise ')].count('\n')
#: rclpy adds lines of its own before these
LINES_OF_CALLBACK = {'user': 'callback: mend', 'bug': 'callback: bad'}
LINES = {'user': '{}: mend', 'bug': f'bug: ValueError: {{}}: bad (faulty.py:{RAISED_AT} in fail)'}


@pytest.mark.parametrize('where', ['configure', 'configure+cleanup', 'activate'])
@pytest.mark.parametrize('kind', ['user', 'bug'])
def test_a_failure_at_the_start_is_one_line(graph, where, kind):
    node = Faulty(graph, where, kind, autostart=True)
    refused = kind == 'user' and 'configure' in where
    assert graph.exit_status(node.process) == (2 if refused else 1)
    assert node.line().endswith(LINES[kind].format(where.split('+')[0]))


@pytest.mark.parametrize('where', ['deactivate', 'deactivate+cleanup'])
@pytest.mark.parametrize('finished', [False, True])
@pytest.mark.parametrize('kind', ['user', 'bug'])
def test_a_failure_at_the_end_is_one_line_and_no_success(graph, where, kind, finished):
    node = Faulty(graph, where, kind, autostart=True)
    graph.until(lambda: 'tick 1' in node.said(), 'an active node')
    if finished:
        heard = graph.publisher(String, 'heard', STREAM)
        graph.insist(
            lambda: heard.publish(String()), lambda: node.process.poll() is not None, 'the end'
        )
    else:
        node.process.send_signal(signal.SIGINT)
    assert graph.exit_status(node.process) == 1
    graph.until(lambda: node.said()[-1] == 'last word', 'its last word')
    assert node.line().endswith(LINES[kind].format('deactivate'))


@pytest.mark.parametrize('kind', ['user', 'bug'])
def test_a_callback_that_raises_ends_the_node_in_order(graph, kind):
    node = Faulty(graph, 'callback', kind, autostart=True)
    graph.until(lambda: 'tick 1' in node.said(), 'an active node')
    heard = graph.publisher(String, 'heard', STREAM)
    graph.insist(
        lambda: heard.publish(String()), lambda: node.process.poll() is not None, 'the end'
    )
    assert graph.exit_status(node.process) == (2 if kind == 'user' else 1)
    graph.until(lambda: node.said()[-1] == 'last word', 'its last word')
    assert LINES_OF_CALLBACK[kind] in graph.output(node.process).splitlines()[-1]
