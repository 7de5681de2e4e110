"""The steps that every task's pretraining is made of, with the parts that they work on.

Laps are driven by several processes, encoder and actor cloned, a critic fitted, the model saved.
"""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from ..checkpoint import save_checkpoint
from ..driving.assembly import make_networks, single_threaded
from ..perception.encoder import Decoder, FrameEncoder
from .cloning import Cloning, CloningConfig, Epoch
from .critic import CriticConfig, pretrain_critic
from .data_parallel import Group
from .demonstrations import Demonstration, in_parallel
from .progress import Progress


@dataclasses.dataclass
class Pretraining:
    """A model in the making.

    Attributes
    ----------
    model : what config.json says about it; 'cell' and sizes decide the networks
    encoder : what the features come from
    seed : of weights and of the order of training
    workers, threads : processes that drive, threads that train
    group : processes that clone together
    """

    model: dict[str, Any]
    encoder: FrameEncoder
    seed: int
    action_size: int
    workers: int
    threads: int
    on_progress: Callable[[Progress], None]
    group: Group = dataclasses.field(default_factory=Group)

    def __post_init__(self) -> None:
        self.decoder = Decoder(self.encoder)
        self.networks = make_networks(
            self.model['cell'], self.model['latent_size'], self.model['hidden_size'], self.seed,
            self.action_size,
        )  # fmt: skip

    def drive(
        self, stage: str, record: Callable[[Any], Demonstration], jobs: Sequence[Any]
    ) -> list[Demonstration]:
        """Run `record(job)` for every job."""
        done = [0]

        def count() -> None:
            done[0] += 1
            self.on_progress(Progress(stage, done[0], len(jobs)))

        self.on_progress(Progress(stage, 0, len(jobs)))
        return in_parallel(record, [(job,) for job in jobs], self.workers, count)

    def clone(
        self, stage: str, laps: Sequence[Demonstration], config: CloningConfig
    ) -> list[Epoch]:
        """Train encoder, decoder and actor; returns the curve."""
        torch.set_num_threads(self.threads)

        def show(epoch: Epoch) -> None:
            note = f'held-out loss {epoch.held_out_nll:+.3f}'
            self.on_progress(Progress(stage, epoch.index + 1, config.epochs, note))

        actor = self.networks['actor']
        cloning = Cloning(self.encoder, self.decoder, actor, config, self.seed, self.group)
        curve = cloning.run(laps, show)
        self.on_progress(Progress(stage, config.epochs, config.epochs, 'best weights kept'))
        return curve

    def fit_critic(
        self, laps: Sequence[Demonstration], gamma: float, config: CriticConfig
    ) -> float:
        """Fit the critic to the laps' returns; returns the share of variance explained."""
        single_threaded()

        def show(index: int, loss: float) -> None:
            self.on_progress(Progress('critic', index + 1, config.epochs, f'loss {loss:.4f}'))

        critic, actor = self.networks['critic'], self.networks['actor']
        return pretrain_critic(critic, actor, self.encoder, laps, gamma, config, show)

    def save(self, path: Path, **more: Any) -> None:
        """Write the model folder as it is now; `more` goes into its config.json, too."""
        tensors = {f'encoder.{k}': v for k, v in self.encoder.state_dict().items()}
        tensors |= {f'decoder.{k}': v for k, v in self.decoder.state_dict().items()}
        for role, network in self.networks.items():
            tensors |= {f'{role}.{k}': v for k, v in network.parameters.items()}
        save_checkpoint(path, {**self.model, **more}, tensors)
