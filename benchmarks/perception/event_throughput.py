"""Million events a second from packet bytes to event frames, on one core.

    OMP_NUM_THREADS=1 python benchmarks/perception/event_throughput.py --json event_throughput.json

Two kinds of events on a 346 x 260 sensor: `scattered` (each alone: the worst case of the packet
format) and `edges` (runs of neighbours in a row, as a moving edge gives them). Each figure is the
median over the repeats. The last table is the time for one window of 10 ms, from its ten packets
of 1 ms to the frame, at a million events a second.
"""

import argparse
import json
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import psutil

from rtrrl_ros.perception.events import EventBatch
from rtrrl_ros.perception.events.codecs import EventPacket, encode_evt3
from rtrrl_ros.perception.events.frames import FrameBuilder, FrameConfig
from rtrrl_ros.perception.events.packets import PacketSource
from rtrrl_ros.perception.events.windows import EventWindow, EventWindows, WindowConfig

WIDTH, HEIGHT = 346, 260
REPRESENTATIONS = ('histogram', 'time_surface', 'edge_map')
WINDOW_US = 10_000
PACKET_US = 1000
SIZE = 64


def scattered(count: int, span_us: int, seed: int = 0) -> EventBatch:
    """Events anywhere, at any time."""
    random = np.random.default_rng(seed)
    return EventBatch(
        np.sort(random.integers(0, span_us, count)),
        random.integers(0, WIDTH, count).astype(np.uint16),
        random.integers(0, HEIGHT, count).astype(np.uint16),
        random.random(count) < 0.5,
        WIDTH,
        HEIGHT,
        span_us,
    )


def edges(count: int, span_us: int, seed: int = 0, run: int = 8) -> EventBatch:
    """Runs of neighbours in a row at one time."""
    starts = scattered(count // run, span_us, seed)
    x = np.repeat(starts.x % (WIDTH - run), run) + np.tile(np.arange(run), len(starts))
    return EventBatch(
        np.repeat(starts.t_us, run),
        x.astype(np.uint16),
        np.repeat(starts.y, run),
        np.repeat(starts.polarity, run),
        WIDTH,
        HEIGHT,
        span_us,
    )


def packets_of(events: EventBatch) -> list[EventPacket]:
    """Packets of a millisecond each."""
    ends = np.arange(PACKET_US, events.until_us + 1, PACKET_US)
    packets, start = [], 0
    for seq, stop in enumerate(np.searchsorted(events.t_us, ends).tolist()):
        part = events.slice(start, stop)
        part = EventBatch(
            part.t_us, part.x, part.y, part.polarity, WIDTH, HEIGHT, (seq + 1) * PACKET_US
        )
        packets.append(EventPacket('evt3', WIDTH, HEIGHT, seq, 0, False, encode_evt3(part)))
        start = stop
    return packets


def opened() -> PacketSource:
    """A source that is ready for packets, its decoder compiled."""
    source = PacketSource(WIDTH, HEIGHT, 'evt3')
    source.open()
    return source


def rate(count: int, repeats: int, act: Callable[[], Any]) -> float:
    """Median Mevents/s of a call that handles `count` events."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        act()
        times.append(time.perf_counter() - start)
    return count / float(np.median(times)) / 1e6


def decode_all(packets: list[EventPacket]) -> int:
    source = opened()
    return sum(len(batch) for batch in map(source.feed, packets) if batch is not None)


def frames_from(packets: list[EventPacket], builder: FrameBuilder) -> list[float]:
    """Build every frame from bytes; returns the seconds that each window took."""
    source, windows = opened(), EventWindows(WindowConfig(), WIDTH, HEIGHT)
    windows.advance(0)
    seconds, start = [], time.perf_counter()
    for packet in packets:
        batch = source.feed(packet)
        assert batch is not None
        for window in windows.push(batch):
            builder.build(window)
            now = time.perf_counter()
            seconds.append(now - start)
            start = now
    return seconds


def measure(events: EventBatch, repeats: int) -> dict[str, Any]:
    """All rates for one kind of events."""
    packets = packets_of(events)
    assert decode_all(packets) == len(events)
    count = len(events)
    windows = EventWindows(WindowConfig(), WIDTH, HEIGHT)
    windows.advance(0)
    cut = windows.push(events)
    result: dict[str, Any] = {
        'bytes_per_event': sum(len(packet.events) for packet in packets) / count,
        'events_to_evt3': rate(count, repeats, lambda: packets_of(events)),
        'evt3_to_events': rate(count, repeats, lambda: decode_all(packets)),
        'events_to_windows': rate(
            count, repeats, lambda: EventWindows(WindowConfig(), WIDTH, HEIGHT).push(events)
        ),
    }
    for name in REPRESENTATIONS:
        config = FrameConfig(representation=name, columns=SIZE, rows=SIZE)
        builder = FrameBuilder(config, WIDTH, HEIGHT, WINDOW_US)

        def build(windows: list[EventWindow] = cut, builder: FrameBuilder = builder) -> None:
            for window in windows:
                builder.build(window)

        def from_bytes(builder: FrameBuilder = builder) -> None:
            frames_from(packets, builder)

        result[f'events_to_{name}'] = rate(count, repeats, build)
        result[f'evt3_to_{name}'] = rate(count, repeats, from_bytes)
    return result


def measure_windows(events: EventBatch) -> dict[str, dict[str, float]]:
    """p50 and p99 of the microseconds for one window from bytes, per representation."""
    packets, result = packets_of(events), {}
    for name in REPRESENTATIONS:
        config = FrameConfig(representation=name, columns=SIZE, rows=SIZE)
        builder = FrameBuilder(config, WIDTH, HEIGHT, WINDOW_US)
        us = np.array(frames_from(packets, builder)) * 1e6
        result[name] = {'p50_us': float(np.median(us)), 'p99_us': float(np.percentile(us, 99))}
    return result


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--repeats', type=int, default=9)
    parser.add_argument('--rate', type=int, default=10_000_000, help='events/s of the first table')
    parser.add_argument('--json', type=Path)
    arguments = parser.parse_args()
    psutil.Process().cpu_affinity([psutil.Process().cpu_affinity()[0]])
    cv2.setNumThreads(1)
    kinds = {'scattered': scattered, 'edges': edges}
    span_us = 100_000
    count = arguments.rate * span_us // 1_000_000
    rates = {name: measure(make(count, span_us), arguments.repeats) for name, make in kinds.items()}
    print(f'{platform.machine()}, one core, {count} events in {span_us // 1000} ms of sensor time,')
    print(f'frames of {SIZE} x {SIZE}; Mevents/s, median of {arguments.repeats}')
    print('| | ' + ' | '.join(kinds) + ' |')
    print('|---' * (len(kinds) + 1) + '|')
    for key in rates['scattered']:
        print(f'| {key} | ' + ' | '.join(f'{rates[name][key]:.1f}' for name in kinds) + ' |')
    seconds = 10
    windows = {
        name: measure_windows(make(seconds * 1_000_000, seconds * 1_000_000))
        for name, make in kinds.items()
    }
    print(f'\nOne window of 10 ms at 1 Mevent/s, from bytes to frame, us ({100 * seconds} windows)')
    print('| events | representation | p50 | p99 |\n|---|---|---|---|')
    for kind, by_name in windows.items():
        for name, value in by_name.items():
            print(f'| {kind} | {name} | {value["p50_us"]:.0f} | {value["p99_us"]:.0f} |')
    if arguments.json:
        result = {'mevents_per_s': rates, 'window_at_1_mevent_per_s': windows}
        arguments.json.write_text(json.dumps(result, indent=2) + '\n')


if __name__ == '__main__':
    main()
