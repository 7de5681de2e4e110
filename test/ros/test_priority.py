"""Nodes between sensor and motor go ahead of everything else, where the system permits it."""

import os
import subprocess
import sys

import pytest
from ackermann_msgs.msg import AckermannDriveStamped
from diagnostic_msgs.msg import DiagnosticArray
from event_camera_msgs.msg import EventPacket
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rtrrl_msgs.msg import WorldState

from rtrrl_ros.nodes.messages import drive_message
from rtrrl_ros.nodes.priority import REAL_TIME_PRIORITY, WATCHING
from rtrrl_ros.nodes.qos import DEVICE, EVENTS, RECORD, STREAM
from rtrrl_ros.resources import find_resource
from rtrrl_ros.safety.command import Command


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
@pytest.mark.parametrize('node', ['gate_node', 'encoder_node', 'agent_node', 'line_node'])
def test_who_drives_goes_ahead_unless_everybody_waits(graph, node, lockstep):
    needs_model = node in ('encoder_node', 'agent_node')
    model = {'model': str(find_resource('models', 'line-lrcssm'))} if needs_model else {}
    process = graph.start(node, lockstep=lockstep, **model)
    until_active(graph, process)
    ahead = permitted() and not lockstep
    assert policies(process) == {os.SCHED_FIFO if ahead else os.SCHED_OTHER}
    request = ChangeState.Request(transition=Transition(id=Transition.TRANSITION_DEACTIVATE))
    assert graph.call(ChangeState, f'/{node}/change_state', request).success
    assert policies(process) == {os.SCHED_OTHER}


@pytest.mark.skipif(not permitted(), reason='this user may not schedule real-time work')
def test_a_simulated_world_gives_way_while_it_computes(graph):
    packets = graph.collect(EventPacket, '/event_camera/events', EVENTS)
    graph.collect(WorldState, 'world_state', RECORD)
    drive = graph.publisher(AckermannDriveStamped, 'drive', STREAM)
    process = graph.start('line_node', lockstep=False, laps=0, settle_s=0.0)
    graph.until_matched()
    command = drive_message(Command(0, 0.0, 1.0, 0.0))
    graph.insist(lambda: drive.publish(command), lambda: len(packets) > 3, 'a world that is driven')
    seen: set[int] = set()

    def both() -> bool:
        seen.add(os.sched_getscheduler(process.pid))
        return len(seen) > 1

    graph.until(both, 'a world that computes at times and waits at others')
    assert seen == {os.SCHED_FIFO, os.SCHED_OTHER}


GIVING_WAY = """
import os
from rtrrl_ros.nodes.priority import fall_back, giving_way, go_ahead
policies = []
def tell():
    policies.append((os.sched_getscheduler(0), os.sched_getparam(0).sched_priority))
ahead = go_ahead()
tell()
try:
    with giving_way():
        tell()
        raise ValueError
except ValueError:
    tell()
fall_back()
with giving_way():
    tell()
tell()
print(ahead, policies)
"""


def test_giving_way_ends_with_the_block():
    command = [sys.executable, '-c', GIVING_WAY]
    run = subprocess.run(command, capture_output=True, check=True, text=True)
    shared = os.SCHED_OTHER, 0
    ahead = (os.SCHED_FIFO, REAL_TIME_PRIORITY) if permitted() else shared
    assert run.stdout.strip() == f'{permitted()} {[ahead, shared, ahead, shared, shared]}'


ORDINARY_THREADS = """
import os
from rtrrl_ros.nodes.priority import OrdinaryThreads, go_ahead
threads = OrdinaryThreads(1)
def policy():
    return os.sched_getscheduler(0)
print(threads.submit(policy).result() == os.SCHED_OTHER)
go_ahead()  # also the thread that is there
print(threads.submit(policy).result() == os.SCHED_OTHER)
print(threads.submit(lambda a, *, b: (a, b), 1, b=2).result())
"""


def test_ordinary_threads_share_the_processors_in_a_process_that_goes_ahead():
    command = [sys.executable, '-c', ORDINARY_THREADS]
    run = subprocess.run(command, capture_output=True, check=True, text=True)
    assert run.stdout.split('\n')[:3] == ['True', 'True', '(1, 2)']


def test_who_watches_gives_way(graph):
    process = graph.start('monitor_node', laps=0)
    until_active(graph, process)
    assert os.getpriority(os.PRIO_PROCESS, process.pid) == WATCHING
