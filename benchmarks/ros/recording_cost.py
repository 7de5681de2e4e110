"""What recording costs: events at a given rate, in packets of a millisecond, as drivers send them.

    python benchmarks/ros/recording_cost.py --events-per-s 1e6 --json recording_cost.json

A source publishes events of the simulated car's camera, crowded together in time, as
`event_camera_msgs/EventPacket` (evt3, best effort). The recorder node runs as on a car, once
with each compression, with and without black box. What is told is its processor time as a share of
one core, and how much came into the bag. The goal: less than 10 % of a core at a million events a
second.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import rclpy
from event_camera_msgs.msg import EventPacket

from rtrrl_ros.bags.reading import open_bag
from rtrrl_ros.nodes.event_messages import event_packet_messages
from rtrrl_ros.nodes.qos import EVENTS
from rtrrl_ros.perception.events.contract import EventBatch
from rtrrl_ros.worlds.line import LineWorld
from rtrrl_ros.worlds.line.expert import LineExpert

TOPIC = '/event_camera/events'
PACKETS_PER_S = 1000
GOAL = 0.1
#: observations of the simulated car that the events are taken from
OBSERVATIONS = 200
PATIENCE_S = 60.0
SETTLE_S = 2.0
DISCOVERY_S = 4.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--events-per-s', type=float, default=1e6)
    parser.add_argument('--seconds', type=float, default=20.0, help='of each recording')
    parser.add_argument('--json', type=Path)
    options = parser.parse_args()
    os.environ.setdefault('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
    os.environ.setdefault('ROS_DOMAIN_ID', '97')
    packets = make_packets(round(options.events_per_s / PACKETS_PER_S))
    rclpy.init()
    node = rclpy.create_node('events')
    publisher = node.create_publisher(EventPacket, TOPIC, EVENTS)
    rows = []
    for compression in ('none', 'zstd'):
        for black_box in (False, True):
            row = {'compression': compression, 'black_box': black_box}
            row |= measure(publisher, packets, compression, black_box, options.seconds)
            rows.append(row)
            print(
                f'{compression:5s} {"black box" if black_box else "":10s}'
                f'{100 * row["core"]:5.1f} % of a core  {row["packets_per_s"]:.0f} packets/s  '
                f'{row["recorded"]} of {row["sent"]} packets  {row["mb_per_s"]:.2f} MB/s on disk'
            )
    load = os.getloadavg()[0]
    worst = max(row['core'] for row in rows)
    print(f'worst {100 * worst:.1f} % of a core; goal {100 * GOAL:g} %; load average {load:.1f}')
    if options.json:
        result = {'load_average': load, 'goal': GOAL, 'rows': rows}
        options.json.write_text(json.dumps(result, indent=2) + '\n')
    return 0 if worst < GOAL else 1


def make_packets(count: int) -> list[EventPacket]:
    """Packets of `count` events each, a millisecond long."""
    world = LineWorld()
    expert = LineExpert(world)
    observation = world.reset(0)
    batches = []
    for _ in range(OBSERVATIONS):
        batches.append(observation.events)
        observation = world.step(expert.act(observation.stamp_ns))
    x, y, polarity = (
        np.concatenate([getattr(batch, name) for batch in batches])
        for name in ('x', 'y', 'polarity')
    )
    world.close()
    packets = []
    for start in range(0, len(x) - count, count):
        part = slice(start, start + count)
        now_us = len(packets) * 1000
        times = now_us + np.arange(count, dtype=np.int64) * 1000 // count
        batch = EventBatch(
            times, x[part], y[part], polarity[part], batches[0].width, batches[0].height
        )
        packets += event_packet_messages(batch, now_us * 1000, len(packets))
    return packets


def measure(
    publisher: Any, packets: list[EventPacket], compression: str, black_box: bool, seconds: float
) -> dict[str, Any]:
    """One recording."""
    with tempfile.TemporaryDirectory() as folder:
        bag = Path(folder) / 'bag'
        words = [f'out:={bag}', f'compression:={compression}']
        words += [f'black_box:={folder}/boxes'] if black_box else []
        parameters = [word for pair in words for word in ('-p', pair)]
        command = [sys.executable, '-m', 'rtrrl_ros.nodes', 'bag_recorder_node', '--ros-args']
        with subprocess.Popen([*command, *parameters], stdout=subprocess.DEVNULL) as process:
            wait(bag.is_dir, 'the recorder')
            wait(lambda: publisher.get_subscription_count() > 0, 'its subscription')
            # a reader that was found takes some seconds until it has found the writer
            time.sleep(DISCOVERY_S)
            send(publisher, packets, SETTLE_S)
            before, begin_s = cpu_s(process.pid), time.monotonic()
            sent = send(publisher, packets, seconds)
            used_s, elapsed_s = cpu_s(process.pid) - before, time.monotonic() - begin_s
            settled = round(SETTLE_S * PACKETS_PER_S)
            time.sleep(SETTLE_S)
            process.send_signal(signal.SIGINT)
            process.wait(PATIENCE_S)
            wait(lambda: publisher.get_subscription_count() == 0, 'the end of its subscription')
        size = sum(file.stat().st_size for file in bag.glob('*.mcap'))
        with open_bag(bag) as recording:
            recorded = recording.topics[TOPIC].count
    return {
        'core': used_s / elapsed_s,
        'packets_per_s': sent / elapsed_s,
        'sent': sent + settled,
        'recorded': recorded,
        'mb_per_s': size * 1e-6 * sent / (sent + settled) / elapsed_s,
    }


def send(publisher: Any, packets: list[EventPacket], seconds: float) -> int:
    """Publish at the rate of the sensor; returns how many packets."""
    count = round(seconds * PACKETS_PER_S)
    begin_s = time.monotonic()
    for i in range(count):
        wait_s = begin_s + i / PACKETS_PER_S - time.monotonic()
        if wait_s > 0.0:
            time.sleep(wait_s)
        publisher.publish(packets[i % len(packets)])
    return count


def cpu_s(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


def wait(condition: Any, what: str) -> None:
    end_s = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > end_s:
            raise SystemExit(f'not in time: {what}')
        time.sleep(0.05)


if __name__ == '__main__':
    sys.exit(main())
