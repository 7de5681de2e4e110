"""How long a decision takes without any policy: the stock environment, and the world around it.

The ratio of a whole control loop to these says what the loop itself costs.
"""

import contextlib
import dataclasses
import itertools
import time
from collections.abc import Generator

import numpy as np

from ..safety.command import Command
from .car_racing import FRAME_S, CarRacingConfig, CarRacingWorld, track_seed
from .car_racing_env import car_racing
from .contract import StepType


@dataclasses.dataclass(frozen=True)
class LoopTime:
    """Time of one decision, in s: median and 99th percentile over `decisions`."""

    decisions: int
    median_s: float
    p99_s: float


def measure_bare_loop(
    decisions: int = 500, config: CarRacingConfig | None = None, seed: int = 0
) -> dict[str, LoopTime]:
    """Time the CarRacing loop with nothing in it but a constant gentle command.

    A decision is `config.frame_skip` frames. Resets are not timed.

    Returns
    -------
    'stock' : gymnasium's own `CarRacing.step`, which draws every frame
    'world' : `CarRacingWorld.step`, which draws the frames that are looked at
    """
    config = config or CarRacingConfig()
    return {
        'stock': _timed(_stock_loop(config, seed), decisions),
        'world': _timed(_world_loop(config, seed), decisions),
    }


def _timed(loop: Generator[float, None, None], decisions: int) -> LoopTime:
    seconds = np.array(list(itertools.islice(loop, decisions)))
    loop.close()
    return LoopTime(decisions, float(np.median(seconds)), float(np.percentile(seconds, 99.0)))


def _stock_loop(config: CarRacingConfig, seed: int) -> Generator[float, None, None]:
    env, action = car_racing.CarRacing(), np.array([0.0, 0.1, 0.0], dtype=np.float32)
    for lap in itertools.count():
        env.reset(seed=track_seed(seed, lap, 'evaluation'))
        for _ in range(round(config.time_limit_s / FRAME_S) // config.frame_skip):
            start = time.perf_counter()
            for _ in range(config.frame_skip):
                over = env.step(action)[2]
            yield time.perf_counter() - start
            if over:
                break


def _world_loop(config: CarRacingConfig, seed: int) -> Generator[float, None, None]:
    with contextlib.closing(CarRacingWorld(config, seed=seed)) as world:
        for lap in itertools.count():
            observation = world.reset(lap)
            while observation.state.step_type != StepType.LAST:
                command = Command(
                    observation.stamp_ns, 0.0, 0.0, 0.1 * config.max_acceleration_m_s2
                )
                start = time.perf_counter()
                observation = world.step(command)
                yield time.perf_counter() - start
