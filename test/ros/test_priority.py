"""Nodes between sensor and motor go ahead of everything else, where the system permits it."""

import os
import subprocess
import sys

import pytest
from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState

from rtrrl_ros.nodes.priority import WATCHING
from rtrrl_ros.nodes.qos import DEVICE
from rtrrl_ros.resources import find_resource


def permitted() -> bool:
    """Whether this user may schedule real-time work."""
    trial = 'import os; os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))'
    command = [sys.executable, '-c', trial]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def policies(process: subprocess.Popen) -> set[int]:
    """How the threads of a process are scheduled."""
    threads = os.listdir(f'/proc/{process.pid}/task')
    return {os.sched_getscheduler(int(thread)) for thread in threads}


def until_active(graph, process) -> None:
    """Only active nodes publish diagnostics."""
    said = graph.collect(DiagnosticArray, '/diagnostics', DEVICE)
    graph.until(lambda: said or process.poll() is not None, 'diagnostics')
    assert process.poll() is None


@pytest.mark.parametrize('lockstep', [True, False])
@pytest.mark.parametrize('node', ['gate_node', 'encoder_node', 'agent_node'])
def test_who_drives_goes_ahead_unless_everybody_waits(graph, node, lockstep):
    model = {} if node == 'gate_node' else {'model': str(find_resource('models', 'line-lrcssm'))}
    process = graph.start(node, lockstep=lockstep, **model)
    until_active(graph, process)
    ahead = permitted() and not lockstep
    assert policies(process) == {os.SCHED_FIFO if ahead else os.SCHED_OTHER}
    request = ChangeState.Request(transition=Transition(id=Transition.TRANSITION_DEACTIVATE))
    assert graph.call(ChangeState, f'/{node}/change_state', request).success
    assert policies(process) == {os.SCHED_OTHER}


def test_who_watches_gives_way(graph):
    process = graph.start('monitor_node', laps=0)
    until_active(graph, process)
    assert os.getpriority(os.PRIO_PROCESS, process.pid) == WATCHING
