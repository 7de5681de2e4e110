"""Behavioural cloning: encoder and actor from demonstrations (2602.02236).

Loss = - log-likelihood of the expert's action under a Gaussian policy + reconstruction of the image
from its features. Laps are unrolled side by side from their start, the recurrent state carried over
truncated back-propagation windows: what the cell sees in training is what it sees on the car.
"""

import dataclasses
import math
import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from ..learning.network import Network
from ..parameters import Checked, parameter
from ..perception.encoder import Decoder, FrameEncoder
from .augmentation import distracted, mirrored
from .demonstrations import Demonstration, as_frames


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


class Batch:
    """Laps padded to one length: images (B, T, ...), actions (B, T, A), mask (B, T)."""

    def __init__(self, laps: Sequence[Demonstration], device: torch.device) -> None:
        length = max(len(lap.actions) for lap in laps)

        def padded(arrays: list[np.ndarray]) -> Tensor:
            out = np.zeros((len(arrays), length, *arrays[0].shape[1:]), arrays[0].dtype)
            for row, array in zip(out, arrays, strict=True):
                row[: len(array)] = array
            return torch.from_numpy(out).to(device)

        self.images = padded([lap.images for lap in laps])
        self.actions = padded([lap.actions for lap in laps])
        self.mask = padded([np.ones(len(lap.actions), np.float32) for lap in laps])

    def windows(self, size: int) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Consecutive windows in time: frames (B, t, C, H, W), actions, mask."""
        for start in range(0, self.mask.shape[1], size):
            part = slice(start, start + size)
            yield as_frames(self.images[:, part]), self.actions[:, part], self.mask[:, part]


def split_laps(
    laps: Sequence[Demonstration], share: float
) -> tuple[list[Demonstration], list[Demonstration]]:
    """Training and held-out laps: whole laps, evenly spread."""
    count = max(1, round(share * len(laps)))
    held = {int((index + 0.5) * len(laps) / count) for index in range(count)}
    train = [lap for index, lap in enumerate(laps) if index not in held]
    return train, [laps[index] for index in sorted(held)]


def batches(
    laps: Sequence[Demonstration], size: int, order: np.ndarray, device: torch.device
) -> Iterator[Batch]:
    """The laps in this order, in batches of at most `size`."""
    for start in range(0, len(order), size):
        yield Batch([laps[index] for index in order[start : start + size]], device)


class Cloning:
    """Trains encoder, decoder and actor in place; `run` returns the curve.

    Bit-reproducible for a seed and a number of threads on one machine.
    """

    def __init__(
        self, encoder: FrameEncoder, decoder: Decoder, actor: Network, config: CloningConfig,
        seed: int,
    ) -> None:  # fmt: skip
        self.encoder, self.decoder, self.actor, self.config = encoder, decoder, actor, config
        self.device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
        self.generator = np.random.default_rng(seed)
        # channels last: convolutions on small maps run a fifth faster on a CPU
        for part in (self.encoder, self.decoder):
            part.to(self.device)
            part.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.flat = actor.flat.detach().clone().to(self.device).requires_grad_()
        self.log_std = torch.full((actor.head_size,), -1.0, device=self.device).requires_grad_()

    def run(
        self, laps: Sequence[Demonstration], on_epoch: Callable[[Epoch], None] = lambda epoch: None
    ) -> list[Epoch]:
        """Train until the held-out loss stops falling; the best weights are kept."""
        config = self.config
        train, held_out = split_laps(laps, config.held_out)
        weights = [*self.encoder.parameters(), *self.decoder.parameters(), self.flat, self.log_std]
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

    def _nll(self, mean: Tensor, action: Tensor, mask: Tensor) -> Tensor:
        std = self.log_std.exp() + self.config.std_floor
        terms = 0.5 * ((action - mean) / std) ** 2 + std.log() + 0.5 * math.log(2 * math.pi)
        return (terms.sum(-1) * mask).sum() / mask.sum().clamp(min=1)

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
    ) -> tuple[float, float]:
        """One pass over a batch of laps, an update per window; returns (nll, reconstruction)."""
        state, losses = self._state(len(batch.mask)), []
        share = self.config.reconstruction_share
        flip = torch.from_numpy(self.generator.random(len(batch.mask)) < self.config.mirror)
        for images, actions, mask in batch.windows(self.config.window):
            if flip.any():
                images, actions = mirrored(images, actions, flip.to(self.device))
            seen = images
            if distract and self.config.distraction:
                source, chance = as_frames(batch.images), self.config.distraction
                seen = distracted(images, source, chance, self.generator)
            self.actor.bind(self.flat)
            mean, features, state = self._unroll(seen, state.detach())
            nll = self._nll(mean, actions, mask)
            total = len(features)
            rows = torch.from_numpy(
                self.generator.choice(total, max(1, int(share * total)), replace=False)
            ).to(self.device)
            picture = images.flatten(0, 1)[rows]
            reconstruction = ((self.decoder(features[rows]) - picture) ** 2).mean()
            loss = nll + self.config.reconstruction * reconstruction
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(weights, self.config.gradient_clip)
            optimizer.step()
            losses.append((float(nll.detach()), float(reconstruction.detach())))
        nll_mean, reconstruction_mean = np.mean(losses, axis=0)
        return float(nll_mean), float(reconstruction_mean)

    @torch.no_grad()
    def evaluate(self, laps: Sequence[Demonstration]) -> float:
        """Mean negative log-likelihood of laps not trained on."""
        self.actor.bind(self.flat)
        total, count = 0.0, 0.0
        for batch in batches(laps, self.config.batch_laps, np.arange(len(laps)), self.device):
            state = self._state(len(batch.mask))
            for images, actions, mask in batch.windows(self.config.window):
                mean, _, state = self._unroll(images, state)
                steps = float(mask.sum())
                total += float(self._nll(mean, actions, mask)) * steps
                count += steps
        return total / count
