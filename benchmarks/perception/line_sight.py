"""How well one event frame tells where the line is, against the truth of the line world.

    OMP_NUM_THREADS=1 python benchmarks/perception/line_sight.py --seeds 2 --json line_sight.json

An expert with an unsteady hand drives a lap of each seed's track at 1.6 m/s. Each frame of 10 ms is
looked at by itself, with the true geometry of the camera. The last lines are of a floor without a
line: what is seen there is false.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from rtrrl_ros.perception.events.frames import FrameBuilder, FrameConfig
from rtrrl_ros.perception.events.windows import EventWindow
from rtrrl_ros.tracking.line_sight import LineSight
from rtrrl_ros.worlds.contract import StepType
from rtrrl_ros.worlds.line import LineConfig, LineExpert, LineExpertConfig, LineShift, LineWorld

WINDOW_US = 10_000


def drive(config: LineConfig, shift: LineShift, seed: int, most: int) -> np.ndarray:
    """Rows of truth, estimate (m), heading error (rad), confidence, s; not a number: unseen."""
    world = LineWorld(config, shift, seed=seed)
    expert = LineExpert(world, LineExpertConfig.human(), seed=seed)
    sight = LineSight(config)
    frames = FrameBuilder(FrameConfig(normalise='none'), config.width, config.height, WINDOW_US)
    observation, rows = world.reset(0), []
    while observation.state.step_type is not StepType.LAST and len(rows) < most:
        observation = world.step(expert.act(observation.stamp_ns))
        events, state = observation.events, observation.state
        frame = frames.build(EventWindow(events.until_us - WINDOW_US, events.until_us, [events]))
        start = time.perf_counter()
        seen = sight.look(frame)
        seconds = time.perf_counter() - start
        found = (np.nan,) * 3 if seen is None else (
            seen.lateral_m, seen.heading_rad - state.heading_error_rad, seen.confidence
        )  # fmt: skip
        rows.append((state.lateral_error_m, *found, seconds))
    return np.array(rows)


def summary(rows: np.ndarray) -> dict[str, Any]:
    """Errors in cm and rad over the frames in which the line was seen."""
    seen = np.isfinite(rows[:, 1])
    result: dict[str, Any] = {'frames': len(rows), 'unseen_share': float(1.0 - seen.mean())}
    result['p50_ms'] = 1e3 * float(np.median(rows[:, 4]))
    if seen.any():
        error = 100.0 * (rows[seen, 1] - rows[seen, 0])
        result |= {
            'mean_abs_cm': float(np.abs(error).mean()),
            'median_abs_cm': float(np.median(np.abs(error))),
            'p95_abs_cm': float(np.percentile(np.abs(error), 95.0)),
            'bias_cm': float(error.mean()),
            'heading_mean_abs_rad': float(np.abs(rows[seen, 2]).mean()),
            'true_mean_abs_cm': 100.0 * float(np.abs(rows[:, 0]).mean()),
        }
    return result


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--seeds', type=int, default=2)
    parser.add_argument('--frames', type=int, default=100_000, help='of each lap at most')
    parser.add_argument('--json', type=Path)
    arguments = parser.parse_args()
    plain = LineConfig()
    bare = LineConfig(line_reflectance=plain.floor_reflectance)
    cases = {
        'no shift': (plain, LineShift()),
        'light 4': (plain, LineShift(light=4.0)),
        'wood': (plain, LineShift(floor_texture='wood')),
        'no line, tiles': (bare, LineShift()),
        'no line, wood': (bare, LineShift(floor_texture='wood')),
    }
    results = {}
    for name, (config, shift) in cases.items():
        laps = [drive(config, shift, seed, arguments.frames) for seed in range(arguments.seeds)]
        results[name] = summary(np.concatenate(laps))
        values = '  '.join(f'{key} {value:.3g}' for key, value in results[name].items())
        print(f'{name}: {values}', flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=2) + '\n')


if __name__ == '__main__':
    main()
