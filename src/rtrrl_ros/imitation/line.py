"""`rtrrl pretrain line`: laps of a human-like driver, cloning, a critic.

Everything is driven on training tracks, which evaluation and fine-tuning never see. The driver is
pure pursuit with a reaction time and an unsteady hand; on a real car it is a person with a
joystick. The label is what the driver asked for; what is executed is pushed about, so that there
is recovery in the data.
"""

import dataclasses
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..checkpoint import load_checkpoint, save_checkpoint
from ..configuration import TaskConfig
from ..driving.assembly import load_agent, load_event_pipeline, make_networks, single_threaded
from ..parameters import Checked, parameter
from ..perception.encoder import Decoder, FrameEncoder
from ..perception.events.contract import EventBatch
from ..perception.events.frames import FrameConfig
from ..perception.events.windows import WindowConfig
from ..perception.pipeline import EventPipeline
from ..worlds.contract import Observation
from ..worlds.line import LineWorld
from ..worlds.line.expert import LineExpert, LineExpertConfig
from ..worlds.rewards import RewardFunction
from .cloning import Cloning, CloningConfig, Epoch
from .critic import CriticConfig, pretrain_critic
from .demonstrations import Demonstration, Perturbation, Push, in_parallel, record_lap
from .progress import Progress

ACTION_SIZE = 1
#: of the car's view: time surfaces keep what a slow car no longer sees
FRAMES = FrameConfig(representation='time_surface', tau_ms=30.0, columns=64, rows=48)
#: three laps are little: small steps through all of them, many times
CLONING = CloningConfig(
    epochs=40, patience=20, batch_laps=3, window=50, held_out=0.34, mirror=0.5, distraction=0.15
)
#: laps of the critic are other ones than those of the demonstrations
CRITIC_LAPS = 1000


@dataclasses.dataclass(frozen=True)
class LinePretrainConfig(Checked):
    """How much is driven, and how large the networks are."""

    cell: str = parameter('lrcssm', 'recurrent cell of actor and critic')
    latent_size: int = parameter(32, 'features', low=1)
    hidden_size: int = parameter(32, 'units of the cell', low=1)
    laps: int = parameter(3, 'laps that the driver drives, each on a track of its own', low=2)
    critic_laps: int = parameter(6, 'laps of the clone that the critic is fitted to', low=0)
    push_std: float = parameter(0.25, 'steering push, in units of the range', low=0)
    push_correlation: float = parameter(
        0.99, 'of the push between two decisions', low=0, high=1, high_open=True
    )


@dataclasses.dataclass(frozen=True)
class LapJob:
    """One lap to record; picklable. `model`: folder of the clone that drives; None: the driver."""

    task: TaskConfig
    seed: int
    lap: int
    push: Perturbation
    model: Path | None = None


def record(job: LapJob) -> Demonstration:
    """Drive and record one lap; a function of the job alone."""
    single_threaded()
    task = job.task
    world = LineWorld(task.world, None, 10_000 * job.seed + job.lap, split='training')
    driver = LineExpert(world, LineExpertConfig.human(speed_m_s=task.actuation.speed_m_s), job.lap)
    most = task.actuation.max_steering_angle_rad

    def label(observation: Observation) -> np.ndarray:
        angle = driver.act(observation.stamp_ns).steering_angle_rad
        return np.array([angle / most], np.float32).clip(-1.0, 1.0)

    if job.model is None:
        eyes = EventPipeline(WindowConfig(), FRAMES, world.config.width, world.config.height)
        drive = None
    else:
        eyes = load_event_pipeline(job.model)
        agent = load_agent(job.model, task.learner, learn=False, explore=False, seed=0)

        def drive(observation: Observation) -> np.ndarray:
            action = agent.act(eyes.encode())
            return np.zeros(ACTION_SIZE, np.float32) if action is None else np.asarray(action)

    def see(sensed: np.ndarray | EventBatch) -> np.ndarray:
        return eyes.frame(sensed)

    reward = RewardFunction(task.reward).reward
    push = Push(job.push, np.random.default_rng([job.seed, job.lap]))
    try:
        return record_lap(
            world.reset(0), world.step, label, drive, see, task.actuation.command,
            lambda observation: reward(observation.state), push,
        )  # fmt: skip
    finally:
        world.close()


def pretrain(
    task: TaskConfig, config: LinePretrainConfig, cloning: CloningConfig, critic: CriticConfig, *,
    seed: int, out: Path, workers: int, threads: int,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> dict[str, Any]:  # fmt: skip
    """Make a model folder at `out`; returns the summary that also goes into its config.json."""
    start = time.perf_counter()
    torch.manual_seed(seed)
    window = WindowConfig(window_ms=float(task.world.decision_ms))
    pipeline = EventPipeline(window, FRAMES, task.world.width, task.world.height)
    encoder = FrameEncoder(pipeline.builder.shape, config.latent_size)
    decoder = Decoder(encoder)
    networks = make_networks(config.cell, config.latent_size, config.hidden_size, seed, ACTION_SIZE)

    def drive(stage: str, laps: Sequence[LapJob]) -> list[Demonstration]:
        done = [0]

        def count() -> None:
            done[0] += 1
            on_progress(Progress(stage, done[0], len(laps)))

        on_progress(Progress(stage, 0, len(laps)))
        return in_parallel(record, [(job,) for job in laps], workers, count)

    def job(lap: int, std: float, model: Path | None = None) -> LapJob:
        push = Perturbation(steering_std=std, correlation=config.push_correlation)
        return LapJob(task, seed, lap, push, model)

    def show(epoch: Epoch) -> None:
        note = f'held-out loss {epoch.held_out_nll:+.3f}'
        on_progress(Progress('cloning', epoch.index + 1, cloning.epochs, note))

    def save(path: Path, **more: Any) -> None:
        tensors = {f'encoder.{k}': v for k, v in encoder.state_dict().items()}
        tensors |= {f'decoder.{k}': v for k, v in decoder.state_dict().items()}
        for role, network in networks.items():
            tensors |= {f'{role}.{k}': v for k, v in network.parameters.items()}
        model = {
            'task': 'line', 'sensor': 'events', 'cell': config.cell, 'action_size': ACTION_SIZE,
            'latent_size': config.latent_size, 'hidden_size': config.hidden_size, 'seed': seed,
            'width': task.world.width, 'height': task.world.height,
            'window': dataclasses.asdict(window), 'frame': dataclasses.asdict(FRAMES),
        }  # fmt: skip
        save_checkpoint(path, {**model, **more}, tensors)

    laps = drive('laps of the driver', [job(lap, config.push_std) for lap in range(config.laps)])
    summary: dict[str, Any] = {
        'driver_return': float(np.mean([lap.task_return for lap in laps])),
        'driver_laps': len(laps),
        'decisions': int(sum(len(lap.actions) for lap in laps)),
    }
    torch.set_num_threads(threads)
    curve = Cloning(encoder, decoder, networks['actor'], cloning, seed).run(laps, show)
    on_progress(Progress('cloning', cloning.epochs, cloning.epochs, 'best weights kept'))
    summary['held_out_nll'] = min(epoch.held_out_nll for epoch in curve)
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / 'clone'
        save(clone)
        if config.critic_laps:
            driven = drive(
                'laps for the critic',
                [
                    job(CRITIC_LAPS + lap, config.push_std if lap % 2 else 0.0, clone)
                    for lap in range(config.critic_laps)
                ],
            )
            summary['policy_return'] = float(np.mean([lap.task_return for lap in driven[::2]]))
            single_threaded()
            summary['critic_explained_variance'] = pretrain_critic(
                networks['critic'], networks['actor'], encoder, driven, task.learner.gamma, critic,
                lambda index, loss: on_progress(
                    Progress('critic', index + 1, critic.epochs, f'loss {loss:.4f}')
                ),
            )  # fmt: skip
    summary['seconds'] = time.perf_counter() - start
    save(
        out, training=summary, pretrain=dataclasses.asdict(config),
        cloning=dataclasses.asdict(cloning), critic=dataclasses.asdict(critic),
        reward=dataclasses.asdict(task.reward), gamma=task.learner.gamma,
        curve=[dataclasses.asdict(epoch) for epoch in curve],
    )  # fmt: skip
    load_checkpoint(out)  # what was written can be read
    return summary
