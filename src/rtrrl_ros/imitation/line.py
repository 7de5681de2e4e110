"""`rtrrl pretrain line`: laps of a human-like driver or of a person, cloning, a critic.

The laps are driven in the simulated world, see `line_laps`, or come out of recordings, see
`bags.demonstrations.laps`; then nothing is simulated, and the critic is fitted to the rewards of
the recordings where they hold any.
"""

import dataclasses
import functools
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..bags.demonstrations.frame_cache import cached_drive, default_cache
from ..bags.demonstrations.laps import Recorded, RecordedConfig, recorded_laps
from ..checkpoint import load_checkpoint
from ..configuration import TaskConfig
from ..errors import UserError
from ..parameters import Checked, parameter
from ..perception.encoder import FrameEncoder
from ..perception.events.windows import WindowConfig
from ..perception.pipeline import EventPipeline
from ..tracking.reference_line import load_reference_line
from ..worlds.rewards import RewardFunction
from .cloning import CloningConfig, Epoch
from .critic import CriticConfig
from .data_parallel import Group
from .demonstrations import Demonstration, Perturbation
from .line_laps import ACTION_SIZE, FRAMES, LapJob, record
from .pretraining import Pretraining
from .progress import Progress

#: three laps are little: small steps through all of them, many times
CLONING = CloningConfig(
    epochs=40, patience=20, batch_laps=3, window=50, held_out=0.34, mirror=0.5, distraction=0.15,
    distraction_start=0.33,
)  # fmt: skip
#: with steps as large, the phases of an LRU never settle: it learns nothing but the mean action
CLONING_OF_CELL = {'lru': dataclasses.replace(CLONING, epochs=80, patience=40, learning_rate=5e-4)}
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

    def push(self, std: float) -> Perturbation:
        """The push of this strength."""
        return Perturbation(steering_std=std, correlation=self.push_correlation)


@dataclasses.dataclass(frozen=True)
class Recordings:
    """Demonstrations that are not driven but read.

    Attributes
    ----------
    paths : bags, and .aedat4 recordings with a bag of commands beside them
    cache : folder for decoded frames
    reference : CSV file of the line that was followed, to find laps in `odom`; None: laps as the
        recording tells them, or what lies between pauses
    """

    paths: Sequence[Path]
    cache: Path = dataclasses.field(default_factory=default_cache)
    reference: Path | None = None
    config: RecordedConfig = dataclasses.field(default_factory=RecordedConfig)

    def read(
        self, task: TaskConfig, window: WindowConfig, group: Group,
        on_progress: Callable[[Progress], None],
    ) -> Recorded:  # fmt: skip
        """All laps of all recordings; the processes of a group share the decoding."""
        reference = load_reference_line(self.reference) if self.reference else None

        def tell(path: Path, done: int, total: int) -> None:
            on_progress(Progress(f'frames of {path.name}', done, total))

        if group.size > 1:
            for path in self.paths[group.rank :: group.size]:
                cached_drive(path, window, FRAMES, self.cache, functools.partial(tell, path))
            group.wait()
        return recorded_laps(
            self.paths, window, FRAMES, self.cache, task.actuation.max_steering_angle_rad,
            self.config, reference=reference, reward=RewardFunction(task.reward),
            on_progress=tell,
        )  # fmt: skip


def pretrain(
    task: TaskConfig, config: LinePretrainConfig, cloning: CloningConfig, critic: CriticConfig, *,
    seed: int, out: Path, workers: int, threads: int, data: Recordings | None = None,
    group: Group | None = None,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> dict[str, Any]:  # fmt: skip
    """Make a model folder at `out`; returns the summary that also goes into its config.json.

    data : learn from these recordings instead of driving
    group : processes that learn from them together; the first one makes the folder
    """
    start = time.perf_counter()
    torch.manual_seed(seed)
    group = group or Group()
    window = WindowConfig(window_ms=float(task.world.decision_ms))
    recorded = None if data is None else data.read(task, window, group, on_progress)
    size = (task.world.width, task.world.height) if recorded is None else recorded.size
    model = {
        'task': 'line', 'sensor': 'events', 'cell': config.cell, 'action_size': ACTION_SIZE,
        'latent_size': config.latent_size, 'hidden_size': config.hidden_size, 'seed': seed,
        'width': size[0], 'height': size[1],
        'window': dataclasses.asdict(window), 'frame': dataclasses.asdict(FRAMES),
    }  # fmt: skip
    encoder = FrameEncoder(EventPipeline(window, FRAMES, *size).builder.shape, config.latent_size)
    making = Pretraining(model, encoder, seed, ACTION_SIZE, workers, threads, on_progress, group)
    if recorded is None:
        summary, curve = _from_driving(making, task, config, cloning, critic)
    else:
        summary, curve = _from_recordings(making, task, recorded, cloning, critic)
    if group.rank:
        return summary
    summary['held_out_nll'] = min(epoch.held_out_nll for epoch in curve)
    summary['seconds'] = time.perf_counter() - start
    making.save(
        out, training=summary, pretrain=dataclasses.asdict(config),
        cloning=dataclasses.asdict(cloning), critic=dataclasses.asdict(critic),
        reward=dataclasses.asdict(task.reward), gamma=task.learner.gamma,
        curve=[dataclasses.asdict(epoch) for epoch in curve],
    )  # fmt: skip
    load_checkpoint(out)  # what was written can be read
    return summary


def _from_driving(
    making: Pretraining, task: TaskConfig, config: LinePretrainConfig, cloning: CloningConfig,
    critic: CriticConfig,
) -> tuple[dict[str, Any], list[Epoch]]:  # fmt: skip
    """Laps of the driver, cloned; laps of the clone for the critic."""

    def job(lap: int, std: float, model: Path | None = None) -> LapJob:
        return LapJob(task, making.seed, lap, config.push(std), model)

    laps = making.drive(
        'laps of the driver', record, [job(lap, config.push_std) for lap in range(config.laps)]
    )
    summary: dict[str, Any] = {
        'driver_return': float(np.mean([lap.task_return for lap in laps])),
        'driver_laps': len(laps),
        'decisions': _decisions(laps),
    }
    curve = making.clone('cloning', laps, cloning)
    if config.critic_laps:
        with tempfile.TemporaryDirectory() as folder:
            clone = Path(folder) / 'clone'
            making.save(clone)
            stds = [config.push_std if lap % 2 else 0.0 for lap in range(config.critic_laps)]
            driven = making.drive(
                'laps for the critic', record,
                [job(CRITIC_LAPS + lap, std, clone) for lap, std in enumerate(stds)],
            )  # fmt: skip
        summary['policy_return'] = float(np.mean([lap.task_return for lap in driven[::2]]))
        summary['critic_explained_variance'] = making.fit_critic(driven, task.learner.gamma, critic)
    return summary, curve


def _from_recordings(
    making: Pretraining, task: TaskConfig, recorded: Recorded, cloning: CloningConfig,
    critic: CriticConfig,
) -> tuple[dict[str, Any], list[Epoch]]:  # fmt: skip
    """Laps of a person, cloned; the critic from the rewards that were recorded."""
    laps = recorded.laps
    if len(laps) < 2:
        raise UserError(
            f'the recordings hold {len(laps)} lap(s) to learn from; 2 at least are needed, one of '
            'them to be held out: record more, or name more recordings with --data'
        )
    rewarded = [lap for lap in laps if lap.rewarded]
    summary: dict[str, Any] = {
        'recorded_laps': len(laps),
        'decisions': _decisions(laps),
        **{f'frames_{name}': n for name, n in dataclasses.asdict(recorded.counts).items()},
        'notes': recorded.notes,
    }
    curve = making.clone('cloning', laps, cloning)
    if making.group.rank:
        return summary, curve
    if rewarded:
        summary['driver_return'] = float(np.mean([lap.task_return for lap in rewarded]))
        summary['critic_explained_variance'] = making.fit_critic(
            rewarded, task.learner.gamma, critic
        )
    else:
        recorded.notes.append('no rewards were recorded: the critic has learned nothing yet')
    return summary, curve


def _decisions(laps: Sequence[Demonstration]) -> int:
    return sum(len(lap.actions) for lap in laps)
