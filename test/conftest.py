"""A ROS graph of its own for each test, and a small model that was never trained."""

import contextlib
import itertools
import os
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

TIMEOUT_S = 60.0
_domains = itertools.count(os.getpid())


class Graph:
    """Nodes under test as processes, and a peer in the test that talks to them.

    Nothing here sleeps to wait for something: `until` serves callbacks until a condition holds.
    """

    def __init__(self, folder: Path) -> None:
        import rclpy
        from rclpy.executors import SingleThreadedExecutor

        with warnings.catch_warnings():  # its parser imports a module that Python deprecates
            warnings.simplefilter('ignore', DeprecationWarning)
            import rosidl_generator_py  # noqa: F401

        self.folder = folder
        self.domain = 1 + next(_domains) % 100
        self.environment = {
            **os.environ,
            'ROS_DOMAIN_ID': str(self.domain),
            'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST',
            'ROS_LOG_DIR': str(folder),
            'PYTHONUNBUFFERED': '1',
        }
        os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
        os.environ['ROS_LOG_DIR'] = str(folder)
        self._context = rclpy.Context()
        rclpy.init(context=self._context, domain_id=self.domain)
        self.peer = rclpy.create_node('peer', context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.peer)
        self.processes: list[subprocess.Popen] = []

    def start(self, executable: str, *arguments: str, **parameters: Any) -> subprocess.Popen:
        """Start one of our nodes with these ROS arguments and parameters."""
        words = [word for k, v in parameters.items() for word in ('-p', f'{k}:={_yaml(v)}')]
        command = [sys.executable, '-m', f'rtrrl_ros.nodes.{executable}']
        return self.run([*command, '--ros-args', *arguments, *words])

    def run(self, command: list[str]) -> subprocess.Popen:
        """Start any program in this graph; its output goes to a file, see `output`."""
        with self._log(len(self.processes)).open('w') as log:
            process = subprocess.Popen(
                command, stdout=log, stderr=subprocess.STDOUT, env=self.environment
            )
        self.processes.append(process)
        return process

    def _log(self, index: int) -> Path:
        return self.folder / f'process-{index}.log'

    def output(self, process: subprocess.Popen) -> str:
        """What a process said so far."""
        return self._log(self.processes.index(process)).read_text()

    def publisher(self, kind: type, topic: str, qos: Any) -> Any:
        return self.peer.create_publisher(kind, topic, qos)

    def collect(self, kind: type, topic: str, qos: Any) -> list[Any]:
        """A list that grows with every message."""
        messages: list[Any] = []
        self.peer.create_subscription(kind, topic, messages.append, qos)
        return messages

    def collect_timed(self, kind: type, topic: str, qos: Any) -> list[tuple[float, Any]]:
        """The same with the time of arrival on the monotonic clock."""
        messages: list[tuple[float, Any]] = []
        self.peer.create_subscription(
            kind, topic, lambda message: messages.append((time.monotonic(), message)), qos
        )
        return messages

    def until(self, condition: Callable[[], Any], what: str, timeout_s: float = TIMEOUT_S) -> None:
        """Serve the peer's callbacks until the condition holds; fail with `what` if it does not."""
        deadline_s = time.monotonic() + timeout_s
        while not condition():
            self._executor.spin_once(timeout_sec=0.02)
            if time.monotonic() > deadline_s:
                logs = '\n'.join(self.output(process) for process in self.processes)
                raise AssertionError(f'not within {timeout_s:g} s: {what}\n{logs}')

    def for_seconds(self, seconds: float) -> None:
        """Serve callbacks for a while, where a test is about what does not happen."""
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s:
            self._executor.spin_once(timeout_sec=0.01)

    def until_matched(self, *topics: str) -> None:
        """Wait until each of the peer's topics has a counterpart outside."""

        def matched(topic: str) -> bool:
            sides = (
                self.peer.get_publishers_info_by_topic(topic),
                self.peer.get_subscriptions_info_by_topic(topic),
            )
            names = [{info.node_name for info in side} for side in sides]
            return ('peer' in names[0] and names[1] - {'peer'} != set()) or (
                'peer' in names[1] and names[0] - {'peer'} != set()
            )

        self.until(lambda: all(map(matched, topics)), f'counterparts of {topics}')

    def call(self, kind: type, service: str, request: Any) -> Any:
        """Call a service and return its response."""
        client = self.peer.create_client(kind, service)
        self.until(client.service_is_ready, f'service {service}')
        future = client.call_async(request)
        self.until(future.done, f'response of {service}')
        return future.result()

    def exit_status(self, process: subprocess.Popen, timeout_s: float = TIMEOUT_S) -> int:
        """Wait for the end of a process, serving callbacks meanwhile."""
        self.until(lambda: process.poll() is not None, f'the end of {process.args}', timeout_s)
        return process.returncode

    def close(self) -> None:
        # politely first: a killed process leaves shared memory behind
        for number in (signal.SIGTERM, signal.SIGKILL):
            for process in self.processes:
                process.send_signal(number)
            for process in self.processes:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=5)
        self._executor.shutdown()
        self.peer.destroy_node()
        self._context.try_shutdown()


def _yaml(value: Any) -> str:
    import yaml

    return yaml.safe_dump(value, default_flow_style=True).removesuffix('\n').removesuffix('\n...')


@pytest.fixture
def graph(tmp_path: Path) -> Iterator[Graph]:
    """A graph with a domain of its own; every process is gone afterwards."""
    folder = tmp_path / 'graph'
    folder.mkdir()
    graph = Graph(folder)
    yield graph
    graph.close()


@pytest.fixture(scope='session')
def untrained_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small car-racing model with random weights."""
    import torch

    from rtrrl_ros.checkpoint import save_checkpoint
    from rtrrl_ros.driving.assembly import make_networks
    from rtrrl_ros.perception.encoder import Encoder

    torch.manual_seed(0)
    encoder, networks = Encoder(32, 16), make_networks('lrcssm', 16, 16, seed=0)
    tensors = {f'encoder.{name}': value for name, value in encoder.state_dict().items()}
    for role, network in networks.items():
        tensors |= {f'{role}.{name}': value for name, value in network.parameters.items()}
    folder = tmp_path_factory.mktemp('models') / 'untrained'
    config = {'task': 'car-racing', 'cell': 'lrcssm'}
    config |= {'image_size': 32, 'latent_size': 16, 'hidden_size': 16}
    save_checkpoint(folder, config, tensors)
    return folder
