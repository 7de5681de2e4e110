"""One trial: laps on one vehicle and one sequence of tracks, frozen or learning, without ROS."""

import dataclasses
import time
from collections.abc import Callable
from typing import Any

from ..checkpoint import Checkpoint
from ..configuration import TaskConfig
from ..learning.guarded import GuardedAgent
from ..safety.gate import Gate
from ..worlds.registry import make_world
from ..worlds.rewards import RewardFunction
from ..worlds.shifts import shift_values
from .assembly import load_agent, load_pipeline, single_threaded
from .driver import Driver, DriverReport, RewardSignal
from .laps import Lap
from .loop import drive_laps


@dataclasses.dataclass(frozen=True)
class Trial:
    """What to drive. The same task, seed and lap give the same track, learning or not."""

    task: str
    checkpoint: Checkpoint
    config: TaskConfig
    shift: object
    seed: int
    laps: int
    learn: bool = False
    explore: bool = False


@dataclasses.dataclass
class TrialResult:
    """The laps driven and the agent as it came out."""

    trial: Trial
    laps: list[Lap]
    seconds: float
    agent: GuardedAgent

    def to_json(self) -> dict[str, Any]:
        """The JSON of `rtrrl evaluate` and `rtrrl finetune`."""
        return {
            'task': self.trial.task,
            'cell': self.trial.checkpoint.get('cell', str),
            'seed': self.trial.seed,
            'shift': shift_values(self.trial.shift),
            'laps': [lap.to_json() for lap in self.laps],
            'seconds': round(self.seconds, 3),
        }


def run_trial(
    trial: Trial,
    on_lap: Callable[[Lap], None] = lambda lap: None,
    on_step: Callable[[RewardSignal, DriverReport | None], None] = lambda signal, report: None,
) -> TrialResult:
    """Drive the laps; the same trial gives the same numbers, bit for bit."""
    single_threaded()
    start = time.perf_counter()
    config = trial.config
    pipeline = load_pipeline(trial.checkpoint)
    agent = load_agent(
        trial.checkpoint, config.learner, learn=trial.learn, explore=trial.explore, seed=trial.seed
    )
    driver = Driver(agent, config.actuation, lockstep=True)
    world = make_world(trial.task, config.world, trial.shift, trial.seed)
    gate = Gate(dataclasses.replace(config.gate, lockstep=True))
    reward = RewardFunction(config.reward).reward
    try:
        laps = drive_laps(world, pipeline, driver, gate, reward, trial.laps, on_lap, on_step)
    finally:
        world.close()
    return TrialResult(trial, laps, time.perf_counter() - start, agent)
