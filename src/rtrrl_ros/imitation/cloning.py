"""Behavioural cloning: encoder and actor from demonstrations (2602.02236).

Loss = - log-likelihood of the expert's action under a Gaussian policy + reconstruction of the image
from its features. Laps are unrolled side by side from their start, the recurrent state carried over
truncated back-propagation windows: what the cell sees in training is what it sees on the car.
Several processes may share the laps of each batch, see `data_parallel`.
"""

import dataclasses
import math
import time
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from ..learning.network import Network
from ..parameters import Checked, parameter
from ..perception.encoder import Decoder, FrameEncoder
from .augmentation import Piece, distracted, distractions, mirrored
from .batches import Batch, batches, split_laps
from .data_parallel import Group
from .demonstrations import Demonstration


@dataclasses.dataclass(frozen=True)
class CloningConfig(Checked):
    """How encoder and actor are cloned."""

    epochs: int = parameter(
        12, 'passes over the demonstrations at most; twice as many once corrected laps are in',
        low=1,
    )  # fmt: skip
    patience: int = parameter(5, 'epochs without a better held-out loss before stopping', low=1)
    batch_laps: int = parameter(8, 'laps unrolled side by side', low=1)
    window: int = parameter(40, 'decisions between two truncations of the gradient', low=2)
    learning_rate: float = parameter(2e-3, 'Adam, falling to a tenth', low=0, low_open=True)
    reconstruction: float = parameter(1.0, 'weight of the reconstruction loss', low=0)
    reconstruction_share: float = parameter(
        0.25, 'share of the images that are reconstructed', low=0, low_open=True, high=1
    )
    gradient_clip: float = parameter(1.0, 'largest gradient norm', low=0, low_open=True)
    held_out: float = parameter(0.15, 'share of the laps held out', low=0, high=0.9)
    mirror: float = parameter(0.0, 'share of the laps that are mirrored in an epoch', low=0, high=1)
    distraction: float = parameter(
        0.0,
        'chance that a window of a lap has a piece of another drive laid over it',
        low=0,
        high=1,
    )
    distraction_start: float = parameter(
        0.0,
        'share of the epochs before the first distraction; only weights from then on are kept',
        low=0,
        high=1,
        high_open=True,
    )
    std_floor: float = parameter(0.05, 'smallest fitted action std', low=0, low_open=True)


@dataclasses.dataclass(frozen=True)
class Epoch:
    """Losses of one epoch, for progress and curves."""

    index: int
    train_nll: float
    held_out_nll: float
    reconstruction: float
    seconds: float


class Cloning:
    """Trains encoder, decoder and actor in place; `run` returns the curve.

    Bit-reproducible for a seed and a number of threads on one machine.
    """

    def __init__(
        self, encoder: FrameEncoder, decoder: Decoder, actor: Network, config: CloningConfig,
        seed: int, group: Group | None = None,
    ) -> None:  # fmt: skip
        self.encoder, self.decoder, self.actor, self.config = encoder, decoder, actor, config
        self.group = group or Group()
        self.device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
        self.generator = np.random.default_rng(seed)
        # channels last: convolutions on small maps run a fifth faster on a CPU
        for part in (self.encoder, self.decoder):
            part.to(self.device)
            part.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.flat = actor.flat.detach().clone().to(self.device).requires_grad_()
        # whoever binds first brings its old values along: not to happen after an update
        actor.bind(self.flat)
        self.log_std = torch.full((actor.head_size,), -1.0, device=self.device).requires_grad_()

    def run(
        self, laps: Sequence[Demonstration], on_epoch: Callable[[Epoch], None] = lambda epoch: None
    ) -> list[Epoch]:
        """Train until the held-out loss stops falling; the best weights are kept."""
        config = self.config
        train, held_out = split_laps(laps, config.held_out)
        weights = [*self.encoder.parameters(), *self.decoder.parameters(), self.flat, self.log_std]
        self.group.agree(weights)
        optimizer = torch.optim.Adam(weights, lr=config.learning_rate)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(
            optimizer, config.epochs, eta_min=config.learning_rate / 10
        )
        best, best_loss, curve = self._snapshot(weights), math.inf, []
        first = int(config.distraction_start * config.epochs)
        best_index = first
        for index in range(config.epochs):
            start = time.perf_counter()
            order = self.generator.permutation(len(train))
            losses = [
                self._pass(batch, optimizer, weights, distract=index >= first)
                for batch in batches(train, config.batch_laps, order, self.device)
            ]
            schedule.step()
            epoch = Epoch(
                index, float(np.mean([loss[0] for loss in losses])), self.evaluate(held_out),
                float(np.mean([loss[1] for loss in losses])), time.perf_counter() - start,
            )  # fmt: skip
            curve.append(epoch)
            on_epoch(epoch)
            if index >= first and epoch.held_out_nll < best_loss:
                best, best_loss, best_index = self._snapshot(weights), epoch.held_out_nll, index
            elif index - best_index >= config.patience:
                break
        with torch.no_grad():
            for weight, value in zip(weights, best, strict=True):
                weight.copy_(value)
        for part in (self.encoder, self.decoder):
            part.to('cpu')
            part.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
        self.actor.bind(self.flat.detach().clone().cpu())
        return curve

    @staticmethod
    def _snapshot(weights: Sequence[Tensor]) -> list[Tensor]:
        return [weight.detach().clone() for weight in weights]

    def _nll(self, mean: Tensor, action: Tensor, mask: Tensor, steps: Tensor) -> Tensor:
        """Summed over these decisions, divided by those of the laps of all processes."""
        std = self.log_std.exp() + self.config.std_floor
        terms = 0.5 * ((action - mean) / std) ** 2 + std.log() + 0.5 * math.log(2 * math.pi)
        return (terms.sum(-1) * mask).sum() / steps.clamp(min=1)

    def _unroll(self, images: Tensor, state: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        rows, steps = images.shape[:2]
        features = self.encoder(images.flatten(0, 1))
        means = []
        for x in features.view(rows, steps, -1).unbind(1):
            mean, state = self.actor.forward(x, state)
            means.append(mean)
        return torch.stack(means, 1), features, state

    def _state(self, rows: int) -> Tensor:
        return torch.zeros(rows, self.actor.cell.state_size, device=self.device)

    def _pass(
        self, batch: Batch, optimizer: torch.optim.Optimizer, weights: Sequence[Tensor],
        distract: bool,
    ) -> tuple[float, float]:  # fmt: skip
        """One pass over a batch of laps, an update per window; returns (nll, reconstruction).

        Every process draws for the whole batch, so that all draw the same.
        """
        config, count = self.config, len(batch.mask)
        mine = self.group.share(count)
        state, losses = self._state(mine.stop - mine.start), []
        flip = torch.from_numpy(self.generator.random(count) < config.mirror)
        for part in batch.windows(config.window):
            length = part.stop - part.start
            pieces = []
            if distract and config.distraction:
                chance, source = config.distraction, batch.frames.shape
                pieces = distractions(count, length, source, chance, self.generator)
            total = count * length
            wanted = max(1, int(config.reconstruction_share * total))
            rows = self.generator.choice(total, wanted, replace=False)
            rows = rows[(rows >= mine.start * length) & (rows < mine.stop * length)]
            loss = torch.zeros(2, device=self.device)
            optimizer.zero_grad()
            if mine.stop > mine.start:
                loss, state = self._losses(
                    batch, mine, part, flip, pieces, torch.from_numpy(rows), len(rows) / wanted,
                    state.detach(),
                )  # fmt: skip
                (loss[0] + config.reconstruction * loss[1]).backward()
            self.group.add_up_gradients(weights)
            torch.nn.utils.clip_grad_norm_(weights, config.gradient_clip)
            optimizer.step()
            losses.append(self.group.add_up(loss.detach()).tolist())
        nll_mean, reconstruction_mean = np.mean(losses, axis=0)
        return float(nll_mean), float(reconstruction_mean)

    def _losses(
        self, batch: Batch, mine: slice, part: slice, flip: Tensor, pieces: Sequence[Piece],
        rows: Tensor, share: float, state: Tensor,
    ) -> tuple[Tensor, Tensor]:  # fmt: skip
        """Likelihood and reconstruction, this process's part of the batch's; and the state.

        Parameters
        ----------
        mine, part : which laps, and which of their decisions
        flip : (B,) bool, laps to mirror
        pieces : what to lay over the batch's frames
        rows : frames to reconstruct, counted over the laps of the batch
        share : of those of the batch
        """
        images, actions = batch.frames.window(mine, part), batch.actions[mine, part]
        if flip.any():
            images, actions = mirrored(images, actions, flip[mine].to(self.device))
        seen = images
        if pieces:
            seen = distracted(images, batch.frames, pieces, mine)
        self.actor.bind(self.flat)
        mean, features, state = self._unroll(seen, state)
        nll = self._nll(mean, actions, batch.mask[mine, part], batch.mask[:, part].sum())
        rows = (rows - mine.start * (part.stop - part.start)).to(self.device)
        reconstruction = nll.new_zeros(())
        if len(rows):
            picture = images.flatten(0, 1)[rows]
            reconstruction = ((self.decoder(features[rows]) - picture) ** 2).mean() * share
        return torch.stack([nll, reconstruction]), state

    @torch.no_grad()
    def evaluate(self, laps: Sequence[Demonstration]) -> float:
        """Mean negative log-likelihood of laps not trained on."""
        self.actor.bind(self.flat)
        total, count = 0.0, 0.0
        for batch in batches(laps, self.config.batch_laps, np.arange(len(laps)), self.device):
            mine = self.group.share(len(batch.mask))
            state = self._state(mine.stop - mine.start)
            if mine.stop == mine.start:
                continue
            for part in batch.windows(self.config.window):
                mask = batch.mask[mine, part]
                mean, _, state = self._unroll(batch.frames.window(mine, part), state)
                nll = self._nll(mean, batch.actions[mine, part], mask, mask.sum())
                steps = float(mask.sum())
                total += float(nll) * steps
                count += steps
        total, count = self.group.add_up(
            torch.tensor([total, count], dtype=torch.float64, device=self.device)
        ).tolist()
        return total / count
