"""A node that hangs while it holds the interpreter's lock, so that nothing in Python can end it."""

import signal
import sys
import time

import pytest
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState

PROGRAM = """
import ctypes, sys
from rtrrl_ros.nodes import process, watchdog
from rtrrl_ros.nodes.managed_node import ManagedNode

class Hanging(ManagedNode):
    def __init__(self):
        super().__init__('hanging')

    def configure(self):
        self.every(2.0, self.hang)

    def hang(self):
        print('hangs', flush=True)
        ctypes.PyDLL(None).sleep(int(sys.argv[1]))  # unlike CDLL it keeps the lock

watchdog.HANG_S, watchdog.PERIOD_S = 1.5, 0.2
process.run_node(Hanging)
"""


def test_it_is_ended_and_says_where_it_was(graph):
    process = graph.run([sys.executable, '-c', PROGRAM, '60'])
    graph.until(lambda: 'hangs' in graph.output(process), 'it to hang')
    begin_s = time.monotonic()
    process.terminate()  # which it cannot hear
    assert graph.exit_status(process, 20.0) == 1
    assert time.monotonic() - begin_s < 15.0
    said = graph.output(process)
    assert 'Timeout' in said and 'in hang' in said


def test_one_that_is_only_slow_goes_on(graph):
    process = graph.run([sys.executable, '-c', PROGRAM, '1'])
    graph.until(lambda: graph.output(process).count('hangs') >= 3, 'it to go on')
    process.send_signal(signal.SIGINT)
    assert graph.exit_status(process, 20.0) == 0


@pytest.mark.parametrize(
    'transition', [Transition.TRANSITION_DEACTIVATE, Transition.TRANSITION_ACTIVE_SHUTDOWN]
)
def test_one_that_has_nothing_to_do_any_more_does_not_hang(graph, transition):
    process = graph.run([sys.executable, '-c', PROGRAM, '0'])
    graph.until(lambda: 'hangs' in graph.output(process), 'it to be active')
    request = ChangeState.Request(transition=Transition(id=transition))
    assert graph.call(ChangeState, '/hanging/change_state', request).success
    graph.for_seconds(3.0)  # twice as long as it takes to be ended
    assert process.poll() is None
