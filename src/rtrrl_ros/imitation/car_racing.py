"""`rtrrl pretrain car-racing`: expert laps, cloning, laps of the clone corrected, a critic.

Everything is driven on training tracks, which evaluation and fine-tuning never see.
"""

import dataclasses
import functools
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..checkpoint import load_checkpoint
from ..configuration import TaskConfig
from ..driving.assembly import ACTION_SIZE, load_agent, load_encoder, single_threaded
from ..parameters import Checked, parameter
from ..perception.encoder import Encoder
from ..perception.image import shrink
from ..worlds.car_racing import CarRacingWorld
from ..worlds.car_racing_config import CarRacingShift
from ..worlds.contract import Observation
from ..worlds.expert import Expert, ExpertConfig
from ..worlds.rewards import RewardFunction
from .cloning import CloningConfig
from .critic import CriticConfig
from .demonstrations import Demonstration, Perturbation, Push, record_lap
from .pretraining import Pretraining
from .progress import Progress


@dataclasses.dataclass(frozen=True)
class PretrainConfig(Checked):
    """How much is driven, and how large the networks are."""

    cell: str = parameter('lrcssm', 'recurrent cell of actor and critic')
    image_size: int = parameter(64, 'side of the grey image', unit='px', low=16)
    latent_size: int = parameter(64, 'features', low=1)
    hidden_size: int = parameter(64, 'units of the cell', low=1)
    expert_laps: int = parameter(32, 'laps that the expert drives', low=2)
    corrected_laps: int = parameter(24, 'laps of the clone, labelled by the expert', low=0)
    critic_laps: int = parameter(16, 'laps of the clone that the critic is fitted to', low=0)
    expert_speed_m_s: float = parameter(60.0, 'top speed of the expert', unit='m/s', low=1)
    push_std: float = parameter(0.3, 'steering push in 3 laps of 4', low=0)


@dataclasses.dataclass(frozen=True)
class LapJob:
    """One lap to record; picklable, for a worker process.

    `model`: folder of the clone that drives (None: the expert); `std` of its exploration.
    """

    task: TaskConfig
    seed: int
    lap: int
    image_size: int
    expert: ExpertConfig
    perturbation: Perturbation
    model: Path | None = None
    std: float = 0.0
    shift: CarRacingShift | None = None


def record(job: LapJob) -> Demonstration:
    """Drive and record one lap on a training track; a function of the job alone."""
    single_threaded()
    world = CarRacingWorld(job.task.world, job.shift, job.seed, split='training')
    try:
        expert = Expert(world, job.expert)
        first = world.reset(job.lap)
        drive = None
        if job.model is not None:
            encoder = load_encoder(job.model)
            agent = load_agent(job.model, job.task.learner, learn=False, explore=False, seed=0)

            def drive(observation: Observation) -> np.ndarray:
                action = agent.act(encoder.encode(observation.image))
                return np.zeros(2, np.float32) if action is None else np.clip(action, -1.0, 1.0)

        reward = RewardFunction(job.task.reward).reward
        return record_lap(
            first, world.step, lambda observation: expert.act(), drive,
            functools.partial(shrink, size=job.image_size), job.task.actuation.command,
            lambda observation: reward(observation.state),
            Push(job.perturbation, np.random.default_rng([job.seed, job.lap])),
        )  # fmt: skip
    finally:
        world.close()


def pretrain(
    task: TaskConfig, config: PretrainConfig, cloning: CloningConfig, critic: CriticConfig, *,
    seed: int, out: Path, workers: int, threads: int,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> dict[str, Any]:  # fmt: skip
    """Make a model folder at `out`; returns the summary that also goes into its config.json."""
    start = time.perf_counter()
    torch.manual_seed(seed)
    expert = ExpertConfig(max_speed_m_s=config.expert_speed_m_s)
    model = {
        'task': 'car-racing', 'cell': config.cell, 'image_size': config.image_size,
        'latent_size': config.latent_size, 'hidden_size': config.hidden_size, 'seed': seed,
    }  # fmt: skip
    making = Pretraining(
        model, Encoder(config.image_size, config.latent_size), seed, ACTION_SIZE, workers, threads,
        on_progress,
    )  # fmt: skip

    def job(lap: int, push: float, **options: Any) -> LapJob:
        return LapJob(
            task, seed, lap, config.image_size, expert, Perturbation(steering_std=push), **options
        )

    laps = making.drive(
        'expert laps', record,
        [job(lap, config.push_std if lap % 4 else 0.0) for lap in range(config.expert_laps)],
    )  # fmt: skip
    summary: dict[str, Any] = {
        'expert_return': float(np.mean([lap.task_return for lap in laps[::4]])),
        'expert_laps': len(laps),
    }
    curves = [making.clone('cloning', laps, cloning)]
    with tempfile.TemporaryDirectory() as folder:
        if config.corrected_laps:
            making.save(Path(folder) / 'clone')
            corrected = making.drive(
                'corrected laps', record,
                [
                    job(1000 + lap, config.push_std / 2 if lap % 2 else 0.0,
                        model=Path(folder) / 'clone')
                    for lap in range(config.corrected_laps)
                ],
            )  # fmt: skip
            summary['clone_return'] = float(np.mean([lap.task_return for lap in corrected[::2]]))
            laps += corrected
            again = dataclasses.replace(cloning, epochs=2 * cloning.epochs)
            curves.append(making.clone('cloning again', laps, again))
        making.save(Path(folder) / 'final')
        if config.critic_laps:
            driven = making.drive(
                'laps for the critic', record,
                [
                    job(2000 + lap, task.learner.exploration_std if lap % 4 else 0.0,
                        model=Path(folder) / 'final')
                    for lap in range(config.critic_laps)
                ],
            )  # fmt: skip
            summary['policy_return'] = float(np.mean([lap.task_return for lap in driven[::4]]))
            summary['critic_explained_variance'] = making.fit_critic(
                driven, task.learner.gamma, critic
            )
    summary['held_out_nll'] = min(epoch.held_out_nll for epoch in curves[-1])
    summary['decisions'] = int(sum(len(lap.actions) for lap in laps))
    summary['seconds'] = time.perf_counter() - start
    making.save(
        out, training=summary, pretrain=dataclasses.asdict(config),
        cloning=dataclasses.asdict(cloning), critic=dataclasses.asdict(critic),
        reward=dataclasses.asdict(task.reward), gamma=task.learner.gamma,
        curves=[[dataclasses.asdict(epoch) for epoch in curve] for curve in curves],
    )  # fmt: skip
    load_checkpoint(out)  # what was written can be read
    return summary
