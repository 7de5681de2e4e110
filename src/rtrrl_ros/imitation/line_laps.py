"""Laps on the line, driven by a human-like driver or by a clone: who drives, what is labelled.

Everything is driven on training tracks, which evaluation and fine-tuning never see. The driver is
pure pursuit with a reaction time and an unsteady hand; on a real car it is a person with a
joystick. The label is what the driver asked for; what is executed is pushed about, so that there
is recovery in the data.
"""

import dataclasses
from pathlib import Path
from typing import Protocol

import numpy as np

from ..configuration import TaskConfig
from ..driving.assembly import load_agent, load_event_pipeline, single_threaded
from ..perception.events.contract import EventBatch
from ..perception.events.frames import FrameConfig
from ..perception.events.windows import WindowConfig
from ..perception.pipeline import EventPipeline
from ..safety.command import Command
from ..worlds.contract import Observation
from ..worlds.line import LineWorld
from ..worlds.line.expert import LineExpert, LineExpertConfig
from ..worlds.rewards import RewardFunction
from .demonstrations import Demonstration, Perturbation, Push, record_lap

ACTION_SIZE = 1
#: of the car's view: time surfaces keep what a slow car no longer sees
FRAMES = FrameConfig(representation='time_surface', tau_ms=30.0, columns=64, rows=48)


@dataclasses.dataclass(frozen=True)
class LapJob:
    """One lap to record; picklable. `model`: folder of the clone that drives; None: the driver."""

    task: TaskConfig
    seed: int
    lap: int
    push: Perturbation
    model: Path | None = None


class Witness(Protocol):
    """Somebody who is told what happens in a lap."""

    def on_observation(
        self, observation: Observation, label: Command, reward: float, world: LineWorld
    ) -> None:
        """What was seen, what the driver asks for, and the reward of how it came to this."""

    def on_command(self, command: Command) -> None:
        """What was done next."""


def record(job: LapJob, witness: Witness | None = None) -> Demonstration:
    """Drive and record one lap; a function of the job alone."""
    single_threaded()
    task = job.task
    world = LineWorld(task.world, None, 10_000 * job.seed + job.lap, split='training')
    driver = LineExpert(world, LineExpertConfig.human(speed_m_s=task.actuation.speed_m_s), job.lap)
    most = task.actuation.max_steering_angle_rad
    reward = RewardFunction(task.reward).reward

    def label(observation: Observation) -> np.ndarray:
        angle = driver.act(observation.stamp_ns).steering_angle_rad
        action = np.array([angle / most], np.float32).clip(-1.0, 1.0)
        if witness is not None:
            asked = task.actuation.command(observation.stamp_ns, action)
            witness.on_observation(observation, asked, reward(observation.state), world)
        return action

    def step(command: Command) -> Observation:
        if witness is not None:
            witness.on_command(command)
        return world.step(command)

    if job.model is None:
        window = WindowConfig(window_ms=float(task.world.decision_ms))
        eyes = EventPipeline(window, FRAMES, world.config.width, world.config.height)
        drive = None
    else:
        eyes = load_event_pipeline(job.model)
        agent = load_agent(job.model, task.learner, learn=False, explore=False, seed=0)

        def drive(observation: Observation) -> np.ndarray:
            action = agent.act(eyes.encode())
            return np.zeros(ACTION_SIZE, np.float32) if action is None else np.asarray(action)

    def see(sensed: np.ndarray | EventBatch) -> np.ndarray:
        return eyes.frame(sensed)

    push = Push(job.push, np.random.default_rng([job.seed, job.lap]))
    try:
        return record_lap(
            world.reset(0), step, label, drive, see, task.actuation.command,
            lambda observation: reward(observation.state), push,
        )  # fmt: skip
    finally:
        world.close()
