"""How long a decision takes without any policy: the bare worlds, and the stock environment.

The ratio of a whole control loop to these says what the loop itself costs.
"""

import contextlib
import dataclasses
import itertools
import time
from collections.abc import Generator

import numpy as np

from ..safety.command import Command
from .contract import StepType, World
from .registry import make_world


@dataclasses.dataclass(frozen=True)
class LoopTime:
    """Time of one decision, in s: median and 99th percentile over `decisions`."""

    decisions: int
    median_s: float
    p99_s: float


def measure_bare_loop(
    task: str, decisions: int = 500, config: object | None = None, seed: int = 0
) -> dict[str, LoopTime]:
    """Time the loop of a task with nothing in it but a constant gentle command.

    Resets are not timed.

    Returns
    -------
    'world' : the task's world
    'stock' : in car-racing also gymnasium's own `CarRacing.step`, which draws every frame
    """
    with contextlib.closing(make_world(task, config, seed=seed)) as world:
        times = {'world': _timed(_world_loop(world), decisions)}
        if task == 'car-racing':
            frames = world.config.frame_skip  # type: ignore[attr-defined]
            times['stock'] = _timed(_stock_loop(frames, seed), decisions)
    return times


def _timed(loop: Generator[float, None, None], decisions: int) -> LoopTime:
    seconds = np.array(list(itertools.islice(loop, decisions)))
    loop.close()
    return LoopTime(decisions, float(np.median(seconds)), float(np.percentile(seconds, 99.0)))


def _world_loop(world: World) -> Generator[float, None, None]:
    for lap in itertools.count():
        observation = world.reset(lap)
        while observation.state.step_type != StepType.LAST:
            command = Command(observation.stamp_ns, 0.0, 0.5, 0.5)
            start = time.perf_counter()
            observation = world.step(command)
            yield time.perf_counter() - start


def _stock_loop(frames: int, seed: int) -> Generator[float, None, None]:
    from .car_racing import track_seed
    from .car_racing_env import car_racing

    env, action = car_racing.CarRacing(), np.array([0.0, 0.1, 0.0], dtype=np.float32)
    for lap in itertools.count():
        env.reset(seed=track_seed(seed, lap, 'evaluation'))
        over = False
        while not over:
            start = time.perf_counter()
            for _ in range(frames):
                _, _, terminated, truncated, _ = env.step(action)
                over = over or terminated or truncated
            yield time.perf_counter() - start
