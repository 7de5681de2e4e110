"""The gate keeps the processors awake while it drives in real time, where the system permits it."""

import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState

from rtrrl_ros.nodes.awake import PM_QOS
from rtrrl_ros.nodes.diagnostics import status_values
from rtrrl_ros.nodes.qos import DEVICE

PERMITTED = os.access(PM_QOS, os.R_OK | os.W_OK)


def asks(process: subprocess.Popen) -> bool:
    """Whether the process holds the request open."""
    files = Path(f'/proc/{process.pid}/fd').iterdir()
    return any(file.is_symlink() and os.readlink(file) == str(PM_QOS) for file in files)


def said_awake(graph, process) -> str:
    """What the gate says about it once it is active."""
    said = graph.collect(DiagnosticArray, '/diagnostics', DEVICE)
    graph.until(lambda: said or process.poll() is not None, 'diagnostics')
    assert process.poll() is None
    return status_values(said[0].status[0])['processors_awake']


@pytest.mark.parametrize(
    ('parameters', 'wanted'),
    [
        ({'lockstep': False}, True),
        ({'lockstep': False, 'keep_awake': False}, False),
        ({'lockstep': True}, False),
    ],
)
def test_processors_are_kept_awake_in_real_time_unless_that_is_declined(graph, parameters, wanted):
    process = graph.start('gate_node', **parameters)
    assert said_awake(graph, process) == str(wanted and PERMITTED)
    assert asks(process) == (wanted and PERMITTED)


@pytest.mark.skipif(not PERMITTED, reason='this user may not keep the processors awake')
def test_the_system_hears_it_and_a_gate_that_is_inactive_lets_them_sleep(graph):
    process = graph.start('gate_node', lockstep=False)
    said_awake(graph, process)
    assert struct.unpack('=i', PM_QOS.read_bytes()[:4]) == (0,)
    for transition, expected in (
        (Transition.TRANSITION_DEACTIVATE, False),
        (Transition.TRANSITION_ACTIVATE, True),
    ):
        request = ChangeState.Request(transition=Transition(id=transition))
        assert graph.call(ChangeState, '/gate_node/change_state', request).success
        assert asks(process) == expected


MISSING = """
import sys
from pathlib import Path
from rtrrl_ros.nodes import awake
awake.PM_QOS = Path(sys.argv[1])
processors = awake.AwakeProcessors()
processors.keep()
print(processors.kept, awake.PM_QOS.exists())
processors.let_sleep()
"""


def test_a_system_without_the_device_is_left_as_it_is(tmp_path):
    command = [sys.executable, '-c', MISSING, str(tmp_path / 'cpu_dma_latency')]
    run = subprocess.run(command, capture_output=True, check=True, text=True)
    assert run.stdout.split() == ['False', 'False']
