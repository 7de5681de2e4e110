"""Parts die while the car drives: the car stops, and the run does not look like a success."""

import signal
import sys
import time

import psutil
import pytest
from ackermann_msgs.msg import AckermannDriveStamped

from rtrrl_ros.checkpoint import load_checkpoint
from rtrrl_ros.nodes.qos import STREAM

#: from the death of a part to the first explicit zero on `drive`
LIMIT_S = 0.2

PROPOSER = """
import itertools, sys, time
import rclpy
from ackermann_msgs.msg import AckermannDriveStamped
from rtrrl_ros.nodes.messages import drive_message
from rtrrl_ros.nodes.qos import STREAM
from rtrrl_ros.safety.command import Command

rclpy.init()
node = rclpy.create_node('proposer')
publisher = node.create_publisher(AckermannDriveStamped, 'drive_proposal', STREAM)
stamps = itertools.count(1)
def propose():
    stamp = node.get_clock().now().nanoseconds
    publisher.publish(drive_message(Command(stamp, 0.1, 1.0, 0.5)))
node.create_timer(0.02, propose)
rclpy.spin(node)
"""


def is_zero(message) -> bool:
    drive = message.drive
    return (drive.steering_angle, drive.speed, drive.acceleration) == (0.0, 0.0, 0.0)


def first_zero_s(graph, drive, since_s: float) -> float:
    """How long after `since_s` the first zero was sent."""

    def zeros():
        return [sent_s for sent_s, message in drive if sent_s >= since_s and is_zero(message)]

    graph.until(zeros, 'a zero on drive', timeout_s=10.0)
    return zeros()[0] - since_s


@pytest.mark.parametrize('number', [signal.SIGKILL, signal.SIGSTOP])
def test_the_gate_says_zero_soon_after_the_proposals_end(graph, number):
    """Killed outright, or alive but hanging."""
    graph.start('gate_node')
    drive = graph.collect_timed(AckermannDriveStamped, 'drive', STREAM)
    proposer = graph.run([sys.executable, '-c', PROPOSER])
    graph.until(lambda: drive and not is_zero(drive[-1][1]), 'the car to drive')
    graph.until(lambda: len([m for _, m in drive if not is_zero(m)]) > 50, 'a while of driving')
    died_s = time.time()
    proposer.send_signal(number)
    assert first_zero_s(graph, drive, died_s) < LIMIT_S
    count = len(drive)
    graph.until(lambda: len(drive) > count + 10, 'more zeros')
    assert all(is_zero(message) for _, message in drive[count:])
    if number == signal.SIGSTOP:  # it comes back, and drives on
        proposer.send_signal(signal.SIGCONT)
        graph.until(lambda: not is_zero(drive[-1][1]), 'the car to drive again')


class Run:
    """The simulated graph as a user starts it."""

    def __init__(self, graph, model, **arguments: str) -> None:
        self.graph = graph
        self.drive = graph.collect_timed(AckermannDriveStamped, 'drive', STREAM)
        given = {'model': str(model), 'laps': '50', 'learn': 'true', **arguments}
        command = [sys.executable, '-m', 'rtrrl_ros.cli.main', 'launch', 'sim.launch.xml']
        self.launcher = graph.run([*command, *(f'{k}:={v}' for k, v in given.items())])
        graph.until(self.driving, 'the car to drive')
        count = len(self.drive)
        graph.until(lambda: len(self.drive) > count + 20, 'a while of driving')

    def driving(self) -> bool:
        return bool(self.drive) and not is_zero(self.drive[-1][1])

    def process(self, node: str) -> psutil.Process:
        (found,) = [
            child for child in psutil.Process(self.launcher.pid).children()
            if node in child.cmdline()
        ]  # fmt: skip
        return found

    def kill(self, node: str) -> float:
        """Kill a node; returns when."""
        process = self.process(node)
        died_s = time.time()
        process.kill()
        return died_s


@pytest.mark.parametrize(
    ('node', 'lockstep'),
    [
        ('policy_nodes', 'true'),
        *(
            pytest.param(node, lockstep, marks=pytest.mark.slow)
            for node, lockstep in (
                ('policy_nodes', 'false'),
                ('car_racing_node', 'true'),
                ('car_racing_node', 'false'),
            )
        ),
    ],
)
def test_a_part_dies(graph, untrained_model, node, lockstep):
    run = Run(graph, untrained_model, lockstep=lockstep)
    died_s = run.kill(node)
    assert first_zero_s(graph, run.drive, died_s) < LIMIT_S
    assert graph.exit_status(run.launcher) == 1
    assert f'{node} was killed by SIGKILL' in graph.output(run.launcher)


@pytest.mark.slow
def test_the_gate_dies(graph, untrained_model):
    run = Run(graph, untrained_model)
    run.kill('gate_node')
    assert graph.exit_status(run.launcher) == 1
    assert 'gate_node was killed by SIGKILL' in graph.output(run.launcher)


@pytest.mark.slow
def test_the_launcher_dies_and_everything_with_it(graph, untrained_model):
    run = Run(graph, untrained_model)
    nodes = psutil.Process(run.launcher.pid).children()
    died_s = time.time()
    run.launcher.send_signal(signal.SIGKILL)
    assert first_zero_s(graph, run.drive, died_s) < 2.0
    _, alive = psutil.wait_procs(nodes, timeout=15)
    assert alive == []


def test_ctrl_c_while_the_nodes_still_load(graph, untrained_model):
    command = [sys.executable, '-m', 'rtrrl_ros.cli.main', 'launch', 'sim.launch.xml']
    launcher = graph.run([*command, f'model:={untrained_model}'])
    graph.until(lambda: len(psutil.Process(launcher.pid).children()) == 5, 'five processes')
    launcher.send_signal(signal.SIGINT)
    assert graph.exit_status(launcher) == 130, graph.output(launcher)
    assert 'Traceback' not in graph.output(launcher)


@pytest.mark.slow
def test_what_was_learned_survives_the_death_of_the_agent(graph, untrained_model, tmp_path):
    """Never more than ten seconds of it are lost."""
    tuned = tmp_path / 'tuned'

    def saved_updates() -> int:
        if not (tuned / 'config.json').is_file():
            return 0
        return load_checkpoint(tuned).config['finetuned']['updates']

    run = Run(graph, untrained_model, save_to=str(tuned))
    graph.until(saved_updates, 'updates to be saved', timeout_s=30.0)
    before, since_s = saved_updates(), time.monotonic()
    graph.until(lambda: saved_updates() > before, 'more updates to be saved')
    assert time.monotonic() - since_s < 10.0
    run.kill('policy_nodes')
    assert saved_updates() > before  # and the folder is whole


@pytest.mark.slow
def test_ctrl_c_stops_the_car_and_is_no_success(graph, untrained_model, tmp_path):
    out = tmp_path / 'out.json'
    run = Run(graph, untrained_model, out=str(out))
    run.launcher.send_signal(signal.SIGINT)
    assert graph.exit_status(run.launcher) == 130
    assert is_zero(run.drive[-1][1])
    assert 'Traceback' not in graph.output(run.launcher)
