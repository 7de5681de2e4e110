"""Nodes between sensor and motor go ahead of everything else, where the system permits it."""

import os
import struct
import subprocess
import sys

import pytest
from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState

from rtrrl_ros.nodes.priority import WAKE_UP_LATENCY, WATCHING, fall_back, stay_awake
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


def holds_awake(process: subprocess.Popen) -> bool:
    """Whether a process keeps the processors awake."""
    folder = f'/proc/{process.pid}/fd'
    files = (f'{folder}/{name}' for name in os.listdir(folder))
    return any(os.path.islink(file) and os.readlink(file) == WAKE_UP_LATENCY for file in files)


def accepted_latency_us() -> int:
    """The shortest time for waking up that anybody asks for now."""
    file = os.open(WAKE_UP_LATENCY, os.O_RDONLY)
    try:
        return struct.unpack('i', os.read(file, 4))[0]
    finally:
        os.close(file)


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
    awake = os.access(WAKE_UP_LATENCY, os.W_OK) and not lockstep
    assert holds_awake(process) == awake
    request = ChangeState.Request(transition=Transition(id=Transition.TRANSITION_DEACTIVATE))
    assert graph.call(ChangeState, f'/{node}/change_state', request).success
    assert policies(process) == {os.SCHED_OTHER}
    assert not holds_awake(process)


@pytest.mark.skipif(not os.access(WAKE_UP_LATENCY, os.R_OK | os.W_OK), reason='not permitted')
def test_no_processor_may_sleep_until_it_falls_back():
    before_us = accepted_latency_us()
    assert stay_awake() and stay_awake()
    assert accepted_latency_us() == 0
    fall_back()
    assert accepted_latency_us() == before_us > 0


def test_where_it_may_not_keep_them_awake_it_says_so(monkeypatch):
    monkeypatch.setattr('rtrrl_ros.nodes.priority.WAKE_UP_LATENCY', '/dev/none')
    assert not stay_awake()


def test_who_watches_gives_way(graph):
    process = graph.start('monitor_node', laps=0)
    until_active(graph, process)
    assert os.getpriority(os.PRIO_PROCESS, process.pid) == WATCHING
