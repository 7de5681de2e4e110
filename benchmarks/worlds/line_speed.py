"""Time of one decision of the simulated line-following car, part by part, on one core.

    OMP_NUM_THREADS=1 python benchmarks/worlds/line_speed.py --json line_speed.json

Prints a Markdown table of wall-clock times; `--set subframe_us=1000` changes the world.
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
import yaml

from rtrrl_ros.worlds import StepType, make_world, parse_shift
from rtrrl_ros.worlds.line import LineExpert, LineExpertConfig, LineWorld


class Stopwatch:
    """Collects the durations of a function's calls."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function, self.seconds = function, list[float]()

    def __call__(self, *arguments: Any) -> Any:
        start = time.perf_counter()
        result = self._function(*arguments)
        self.seconds.append(time.perf_counter() - start)
        return result


def measure(world: LineWorld, decisions: int) -> dict[str, Any]:
    """Drive and time; the first lap's first 50 decisions warm up."""
    expert, events, walls = LineExpert(world, LineExpertConfig.human()), [], []
    car, sensor = Stopwatch(world.car.drive), Stopwatch(world.sensor.expose)
    world.car.drive, world.sensor.expose = car, sensor  # type: ignore[method-assign]
    observation, lap = world.reset(0), 0
    for _ in range(decisions + 50):
        if observation.state.step_type == StepType.LAST:
            lap += 1
            observation = world.reset(lap)
        command = expert.act(observation.stamp_ns)
        start = time.perf_counter()
        observation = world.step(command)
        walls.append(time.perf_counter() - start)
        events.append(len(observation.events))
    parts = {'vehicle': car.seconds, 'camera and events': sensor.seconds, 'whole step': walls}
    period = world.decision_period_s
    return {
        'machine': platform.processor() or platform.machine(),
        'decisions': decisions,
        'decision_ms': 1e3 * period,
        'subframes': world.config.subframes,
        'pixels': world.config.width * world.config.height,
        'parts': {
            name: {
                'median_ms': 1e3 * float(np.median(seconds[50:])),
                'p99_ms': 1e3 * float(np.percentile(seconds[50:], 99.0)),
            }
            for name, seconds in parts.items()
        },
        'events_per_s': float(np.mean(events[50:]) / period),
        'real_time_factor': decisions * period / sum(walls[50:]),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--decisions', type=int, default=2000)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--shift', nargs='*', default=[], metavar='K=V')
    parser.add_argument('--set', nargs='*', default=[], metavar='K=V')
    parser.add_argument('--json', type=Path)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    config = {name: yaml.safe_load(text) for name, text in (s.split('=') for s in options.set)}
    start = time.perf_counter()
    world = make_world('line', config, parse_shift('line', options.shift), options.seed)
    built_s = time.perf_counter() - start
    assert isinstance(world, LineWorld)
    result = measure(world, options.decisions) | {'built_s': built_s}
    print('| part of a decision | median ms | p99 ms |\n|---|---|---|')
    for name, part in result['parts'].items():
        print(f'| {name} | {part["median_ms"]:.3f} | {part["p99_ms"]:.3f} |')
    print(
        f'\n{result["pixels"]} pixels, {result["subframes"]} sub-frames in '
        f'{result["decision_ms"]:g} ms: {result["events_per_s"] / 1e6:.2f} Mevents/s, '
        f'{result["real_time_factor"]:.2f} x real time; world made in {built_s:.2f} s'
    )
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + '\n')


if __name__ == '__main__':
    main()
