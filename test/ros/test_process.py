"""What the process of a node leaves behind when it has ended: nothing."""

import os
import re
import signal
from pathlib import Path

import pytest
from diagnostic_msgs.msg import DiagnosticArray

from rtrrl_ros.nodes.qos import DEVICE
from rtrrl_ros.resources import find_resource

SHARED = Path('/dev/shm')
#: what Fast DDS calls the memory that a process publishes from, as opposed to that of a port
SEGMENT = re.compile(r'/dev/shm/(fastdds_[0-9a-f]{16})\b')


@pytest.mark.skipif(not SHARED.is_dir(), reason='no shared memory in the file system')
@pytest.mark.parametrize('node', ['gate_node', 'policy_nodes', 'line_node', 'monitor_node'])
def test_a_node_gives_its_shared_memory_back(graph, node):
    before = set(os.listdir(SHARED))
    model = {'model': str(find_resource('models', 'line-lrcssm'))} if 'policy' in node else {}
    process = graph.start(node, **model)
    said = graph.collect(DiagnosticArray, '/diagnostics', DEVICE)
    graph.until(lambda: said, 'diagnostics of an active node')
    mapped = Path(f'/proc/{process.pid}/maps').read_text()
    own = set(SEGMENT.findall(mapped)) - before
    assert own
    process.send_signal(signal.SIGINT)
    graph.until(lambda: process.poll() is not None, 'the end of the process')
    assert process.returncode == 0
    assert not own & set(os.listdir(SHARED))
