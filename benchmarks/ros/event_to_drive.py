"""From event packet to `drive` at 100 Hz, beside what rclpy alone needs for the same way.

    python benchmarks/ros/event_to_drive.py --model models/line-lrcssm --json event_to_drive.json

Three measurements, one after the other, in one run:

1. bare: a source sends packets of the simulated camera, two to a period as in the graph, the first
   ahead; three processes that do nothing pass on messages of the sizes and qualities
   of service of the graph (last packet -> features -> proposal -> drive), the source measures. Half
   of the time.
2. graph: line.launch.xml in real time (`lockstep:=false`), as its own world reports it.
3. bare again, the other half: the load of the machine may have changed.

During the second, `stalls.py` notes when the machine itself stood still, and misses are told apart
by whether it did within the period of the observation, and by whether a quota of processor time was
used up; and how much of its processors' time a host gave to somebody else. A machine of which
anything was taken is not idle, whatever else runs on it.

The goal: p99 of the graph at most twice the bare p99 plus 2 ms, and no missed deadline.
"""

import argparse
import functools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import rclpy
from ackermann_msgs.msg import AckermannDriveStamped
from diagnostic_msgs.msg import DiagnosticArray
from event_camera_msgs.msg import EventPacket
from rclpy.signals import SignalHandlerOptions
from rtrrl_msgs.msg import Features
from stalls import STALL_S, Stall, StallWatch, quota_stalls

from rtrrl_ros.nodes.diagnostics import status_values
from rtrrl_ros.nodes.event_messages import event_packet_messages
from rtrrl_ros.nodes.latencies import ANSWERED, MISSED, MISSED_AT
from rtrrl_ros.nodes.line_node import LineNodeConfig
from rtrrl_ros.nodes.messages import drive_message, features_message, stamp_ns
from rtrrl_ros.nodes.process import make_executor, spin
from rtrrl_ros.nodes.qos import DEVICE, EVENTS, STREAM
from rtrrl_ros.nodes.world_node_config import WorldNodeConfig
from rtrrl_ros.perception.events.contract import EventBatch
from rtrrl_ros.safety.command import Command
from rtrrl_ros.worlds.line import LineWorld
from rtrrl_ros.worlds.line.expert import LineExpert

PERIOD_S = 0.01
LATENT = 32
PACKET_US = round(1000 * LineNodeConfig().packet_ms)
#: to a period
PACKETS = 2
FACTOR, EXTRA_MS = 2.0, 2.0
PATIENCE_S = 120.0
#: what is sent first is not counted, as in the graph: see `WorldNodeConfig.settle_s`
SETTLE_S = WorldNodeConfig().settle_s


def relay(kind: str) -> None:
    """One of the three processes that do nothing."""
    node = rclpy.create_node(f'relay_{kind}')
    features = np.zeros(LATENT, np.float32)

    def on_packet(message: EventPacket) -> None:
        if message.seq % PACKETS < PACKETS - 1:
            return
        out.publish(features_message(stamp_ns(message), message.seq, features))

    def on_features(message: Features) -> None:
        out.publish(drive_message(Command(stamp_ns(message), 0.0, 1.0, 0.0)))

    def on_proposal(message: AckermannDriveStamped) -> None:
        out.publish(message)

    if kind == 'encoder':
        out = node.create_publisher(Features, 'features', STREAM)
        node.create_subscription(EventPacket, '/event_camera/events', on_packet, EVENTS)
    elif kind == 'agent':
        out = node.create_publisher(AckermannDriveStamped, 'drive_proposal', STREAM)
        node.create_subscription(Features, 'features', on_features, STREAM)
    else:
        out = node.create_publisher(AckermannDriveStamped, 'drive', STREAM)
        node.create_subscription(AckermannDriveStamped, 'drive_proposal', on_proposal, STREAM)
    ended: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: ended.append(number))
    executor = make_executor()
    executor.add_node(node)
    spin(executor, lambda: bool(ended))
    executor.remove_node(node)
    executor.shutdown()
    node.destroy_node()


def recorded_events(count: int = 300) -> list[EventBatch]:
    """What the camera sees while a good driver drives."""
    world = LineWorld(split='training')
    driver, observation, batches = LineExpert(world), world.reset(0), []
    for _ in range(count):
        observation = world.step(driver.act(observation.stamp_ns))
        batches.append(observation.events)
    return batches


class Bare:
    """The source: it sends, waits for what comes back and measures."""

    def __init__(self, batches: list[EventBatch]) -> None:
        self._batches = batches
        self.latencies_s: list[float] = []
        self.sent = 0
        self._coming: EventPacket | None = None
        self._sent_s: dict[int, float] = {}

    def run(self, seconds: float) -> None:
        """Measure for so long."""
        kinds = ('encoder', 'agent', 'gate')
        relays = [subprocess.Popen([sys.executable, __file__, '--relay', kind]) for kind in kinds]
        node = rclpy.create_node('source')
        try:
            self._measure(node, seconds)
        finally:
            for process in relays:  # not killed: their shared memory would stay behind
                process.terminate()
                process.wait(PATIENCE_S)
            node.destroy_node()

    def _measure(self, node: Any, seconds: float) -> None:
        packets = node.create_publisher(EventPacket, '/event_camera/events', EVENTS)
        on_drive = functools.partial(self._on_drive, packets)
        node.create_subscription(AckermannDriveStamped, 'drive', on_drive, STREAM)
        executor = make_executor()
        executor.add_node(node)
        give_up_s = time.monotonic() + PATIENCE_S
        # until the whole way is there
        while not self.latencies_s and time.monotonic() < give_up_s:
            self._send(packets)
            _spin_for(executor, 0.2)
        if not self.latencies_s:
            sys.exit('the relays did not come up')
        timer = node.create_timer(PERIOD_S, lambda: self._send(packets))
        _spin_for(executor, SETTLE_S)
        self.latencies_s.clear()
        self._sent_s.clear()
        self.sent = 0
        _spin_for(executor, seconds)
        timer.cancel()
        _spin_for(executor, 0.5)
        executor.remove_node(node)

    def _send(self, packets: Any) -> None:
        """The last packet of a period, and the one before it if that has not been sent yet."""
        if self._coming is None:
            self._send_ahead(packets)
        message, self._coming = self._coming, None
        assert message is not None
        self.sent += 1
        self._sent_s[stamp_ns(message)] = time.monotonic()  # as the world does
        packets.publish(message)

    def _send_ahead(self, packets: Any) -> None:
        number = self.sent + 1
        batch = self._batches[number % len(self._batches)]
        stamp, seq = number * round(PERIOD_S * 1e9), number * PACKETS
        ends_us = [batch.until_us - PACKET_US]
        first, last = event_packet_messages(batch, stamp, seq, ends_us)
        packets.publish(first)
        self._coming = last

    def _on_drive(self, packets: Any, message: AckermannDriveStamped) -> None:
        sent_s = self._sent_s.pop(stamp_ns(message), None)
        if sent_s is not None:
            self.latencies_s.append(time.monotonic() - sent_s)
        if self._coming is None:
            self._send_ahead(packets)


def _spin_for(executor: Any, seconds: float) -> None:
    end_s = time.monotonic() + seconds
    spin(executor, lambda: time.monotonic() > end_s)


def bare_values(runs: list[Bare]) -> dict[str, float]:
    """All runs together, with the names that the nodes use."""
    latencies_ms = 1e3 * np.concatenate([run.latencies_s for run in runs])
    in_time = int(np.sum(latencies_ms <= 1e3 * PERIOD_S))
    p50, p99 = np.percentile(latencies_ms, (50, 99))
    return {
        'latency_p50_ms': float(p50), 'latency_p99_ms': float(p99),
        'latency_max_ms': float(latencies_ms.max()),
        ANSWERED: in_time, MISSED: sum(run.sent for run in runs) - in_time,
    }  # fmt: skip


class Graph:
    """line.launch.xml in real time, and what its nodes say about themselves.

    Attributes
    ----------
    newest : what each node said last, by its name
    missed : what the world said, once a second: missed deadlines so far, and when the newest were
    """

    def __init__(self, model: str, learn: bool, config: str) -> None:
        learning = str(learn).lower()
        self._arguments = {'model': model, 'learn': learning, 'lockstep': 'false', 'laps': '0'}
        if config:
            self._arguments['config'] = config
        self.newest: dict[str, dict[str, str]] = {}
        self.missed: list[tuple[int, list[float]]] = []

    def run(self, seconds: float) -> None:
        """Start it, let it drive for so long, stop it."""
        command = [sys.executable, '-m', 'rtrrl_ros.cli.main', 'launch', 'line.launch.xml']
        launcher = subprocess.Popen(
            [*command, *(f'{name}:={value}' for name, value in self._arguments.items())],
            stdout=subprocess.DEVNULL,
        )
        node = rclpy.create_node('listener')
        node.create_subscription(DiagnosticArray, '/diagnostics', self._on_diagnostics, DEVICE)
        executor = make_executor()
        executor.add_node(node)
        try:
            give_up_s = time.monotonic() + PATIENCE_S
            spin(executor, lambda: self._steps > 0 or time.monotonic() > give_up_s)
            if not self._steps:
                sys.exit('the graph did not come up')
            end_s = time.monotonic() + seconds
            spin(executor, lambda: time.monotonic() > end_s or launcher.poll() is not None)
        finally:
            launcher.send_signal(signal.SIGINT)
            launcher.wait()
            executor.remove_node(node)
            node.destroy_node()

    @property
    def _steps(self) -> int:
        return int(self.newest.get('line_node', {}).get('steps', 0))

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        if rclpy.ok():
            for status in message.status:
                self.newest[status.name.lstrip('/')] = status_values(status)
                values = self.newest[status.name.lstrip('/')]
                if status.name.endswith('line_node') and MISSED in values:
                    times_s = [float(at_s) for at_s in values.get(MISSED_AT, '').split()]
                    self.missed.append((int(values[MISSED]), times_s))

    def missed_apart(self, stalls: list[Stall]) -> tuple[int, int, int]:
        """Misses while the machine stood still for a part of the period, others, untimed ones."""
        during = timed = count = 0
        for now, times_s in self.missed:
            for at_s in times_s[max(len(times_s) - (now - count), 0) :]:
                timed += 1
                during += any(s < at_s + PERIOD_S and s + long > at_s for s, long in stalls)
            count = now
        return during, timed - during, count - timed


def show(bare: dict[str, float], graph: dict[str, float]) -> list[str]:
    """The table and the verdict."""
    lines = ['             p50 ms   p99 ms   max ms   in time  missed']
    for name, values in (('bare, 3 hops', bare), ('graph', graph)):
        times = ''.join(f'{values[f"latency_{key}_ms"]:9.2f}' for key in ('p50', 'p99', 'max'))
        lines.append(f'{name:12}{times}{values[ANSWERED]:10.0f}{values[MISSED]:8.0f}')
    limit_ms = FACTOR * bare['latency_p99_ms'] + EXTRA_MS
    met = graph['latency_p99_ms'] <= limit_ms
    lines.append(
        f'goal: p99 <= {FACTOR:g} x bare p99 + {EXTRA_MS:g} ms = {limit_ms:.2f} ms: '
        f'{"met" if met else "NOT met"}; no missed deadline: '
        f'{"met" if not graph[MISSED] else "NOT met"}'
    )
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or '').splitlines()[0])
    parser.add_argument('--model', help='model folder of the line car')
    parser.add_argument('--seconds', type=float, default=60.0, help='of each, bare and graph')
    parser.add_argument('--learn', action='store_true', help='the agent learns while it drives')
    parser.add_argument('--config', default='', help='parameter file of the graph')
    parser.add_argument('--json', type=Path)
    parser.add_argument('--relay', choices=('encoder', 'agent', 'gate'), help=argparse.SUPPRESS)
    options = parser.parse_args()
    os.environ.setdefault('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    if options.relay:
        relay(options.relay)
        return
    if not options.model:
        parser.error('--model is needed')
    batches, load = recorded_events(), os.getloadavg()[0]
    runs = [Bare(batches), Bare(batches)]
    driving = Graph(options.model, options.learn, options.config)
    runs[0].run(0.5 * options.seconds)
    with StallWatch() as watch:
        driving.run(options.seconds)
    runs[1].run(0.5 * options.seconds)
    nodes = driving.newest
    world = nodes['line_node']
    bare = bare_values(runs)
    graph = {name: float(world[name]) for name in bare}
    print(f'{os.cpu_count()} cores, load average before {load:.1f}, after {os.getloadavg()[0]:.1f}')
    print(f'{world["steps"]} decisions, {world["skipped"]} periods left out by the world itself')
    print('\n'.join(show(bare, graph)))
    during, others, untimed = driving.missed_apart(watch.stalls)
    quota = quota_stalls(watch.stalls)
    during_quota = driving.missed_apart(quota)[0]
    longest_ms = 1e3 * max((length_s for _, length_s in watch.stalls), default=0.0)
    print(
        f'the machine itself stood still {len(watch.stalls)} times for more than '
        f'{1e3 * STALL_S:g} ms ({longest_ms:.1f} at most): {during} deadlines missed meanwhile, '
        f'{others} at other times' + (f', {untimed} nobody knows when' if untimed else '')
    )
    if quota:
        print(
            f'{len(quota)} of these times end at the same point of a tenth of a second, as where a '
            f'quota of processor time is used up: {during_quota} deadlines missed meanwhile'
        )
    print(
        f'its host gave {watch.stolen_s:.2f} s of its processors to others meanwhile '
        f'({100 * watch.stolen:.2f} %)'
    )
    if options.json:
        document = {'bare': bare, 'graph': graph, 'nodes': nodes, 'stalls': watch.stalls}
        document |= {'stolen_s': watch.stolen_s, 'stolen_fraction': watch.stolen}
        document |= {
            'missed_during_stalls': during,
            'quota_stalls': quota,
            'missed_during_quota_stalls': during_quota,
            'missed_otherwise': others,
            'missed_untimed': untimed,
        }
        document |= {'missed_so_far': driving.missed}
        options.json.write_text(json.dumps(document, indent=2) + '\n')


if __name__ == '__main__':
    main()
