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
DOMAINS = 100
_domains = itertools.count(os.getpid())


def next_domain() -> int:
    """A domain in which nobody has ports in shared memory: no live graph, no killed process.

    If there is none, any; then not the same twice in a row.
    """
    used = {
        (int(path.name.removeprefix('fastdds_port')) - 7400) // 250  # ports of a domain, as usual
        for path in Path('/dev/shm').glob('fastdds_port*[0-9]')
    }
    candidates = (1 + number % DOMAINS for number in itertools.islice(_domains, DOMAINS - 2))
    free = next((domain for domain in candidates if domain not in used), None)
    return 1 + next(_domains) % DOMAINS if free is None else free


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
        self.domain = next_domain()
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
        self._publishers: list[Any] = []
        self._subscriptions: list[Any] = []

    def start(self, executable: str, *arguments: str, **parameters: Any) -> subprocess.Popen:
        """Start one of our nodes with these ROS arguments and parameters."""
        words = [word for k, v in parameters.items() for word in ('-p', f'{k}:={_yaml(v)}')]
        command = [sys.executable, '-m', 'rtrrl_ros.nodes', executable]
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
        """A publisher of the peer."""
        self._publishers.append(self.peer.create_publisher(kind, topic, qos))
        return self._publishers[-1]

    def collect(self, kind: type, topic: str, qos: Any) -> list[Any]:
        """A list that grows with every message."""
        messages: list[Any] = []
        self._hear(kind, topic, messages.append, qos)
        return messages

    def collect_timed(self, kind: type, topic: str, qos: Any) -> list[tuple[float, Any]]:
        """The same with the time.time() at which it was sent."""
        messages: list[tuple[float, Any]] = []

        def heard(message: Any, info: Any) -> None:
            messages.append((info['source_timestamp'] * 1e-9, message))

        self._hear(kind, topic, heard, qos)
        return messages

    def _hear(self, kind: type, topic: str, callback: Callable[..., None], qos: Any) -> None:
        self._subscriptions.append(self.peer.create_subscription(kind, topic, callback, qos))

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

    def until_matched(self) -> None:
        """Wait until everything that the peer publishes or hears has a counterpart outside."""

        def matched() -> bool:
            return all(p.get_subscription_count() > 0 for p in self._publishers) and all(
                self.peer.count_publishers(s.topic_name) > 0 for s in self._subscriptions
            )

        self.until(matched, 'a counterpart for every topic')

    def insist(self, act: Callable[[], Any], condition: Callable[[], Any], what: str) -> None:
        """Do something every second until the condition holds.

        For what has to be heard by a node that may not have discovered everyone yet. The nodes
        give the same answer to the same message, so that doing it twice does no harm.
        """
        deadline_s = time.monotonic() + TIMEOUT_S
        while not condition():
            act()
            again_s = min(time.monotonic() + 1.0, deadline_s)
            self.until(lambda again_s=again_s: condition() or time.monotonic() > again_s, what)
            assert time.monotonic() < deadline_s or condition(), f'not in time: {what}'

    def call(self, kind: type, service: str, request: Any) -> Any:
        """Call a service and return its response; the request may be served more than once.

        A server that has not yet discovered the client's response reader drops its response and
        says so in its log only, so the request is repeated until a response arrives.
        """
        client = self.peer.create_client(kind, service)
        self.until(client.service_is_ready, f'service {service}')
        futures: list[Any] = []

        def answered() -> bool:
            return any(future.done() for future in futures)

        self.insist(
            lambda: futures.append(client.call_async(request)), answered, f'response of {service}'
        )
        return next(future.result() for future in futures if future.done())

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


@pytest.fixture(scope='session')
def untrained_line_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small model of the line car with random weights."""
    import dataclasses

    import torch

    from rtrrl_ros.checkpoint import save_checkpoint
    from rtrrl_ros.driving.assembly import make_networks
    from rtrrl_ros.perception.encoder import FrameEncoder
    from rtrrl_ros.perception.events.frames import FrameConfig
    from rtrrl_ros.perception.events.windows import WindowConfig

    torch.manual_seed(0)
    frame = FrameConfig(representation='time_surface', columns=64, rows=48)
    encoder = FrameEncoder((2, 48, 64), 16)
    networks = make_networks('lrcssm', 16, 16, seed=0, action_size=1)
    tensors = {f'encoder.{name}': value for name, value in encoder.state_dict().items()}
    for role, network in networks.items():
        tensors |= {f'{role}.{name}': value for name, value in network.parameters.items()}
    folder = tmp_path_factory.mktemp('models') / 'untrained-line'
    config = {'task': 'line', 'sensor': 'events', 'cell': 'lrcssm', 'action_size': 1}
    config |= {'latent_size': 16, 'hidden_size': 16, 'width': 346, 'height': 260}
    config |= {'window': dataclasses.asdict(WindowConfig()), 'frame': dataclasses.asdict(frame)}
    save_checkpoint(folder, config, tensors)
    return folder
