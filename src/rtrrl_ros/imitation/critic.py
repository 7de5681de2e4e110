"""A first critic: the returns of the cloned policy, regressed from the features it saw."""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
import torch

from ..learning.network import Network
from ..parameters import Checked, parameter
from ..perception.encoder import FrameEncoder
from .demonstrations import Demonstration, as_frames

#: frames encoded at once
CHUNK = 2048


@dataclasses.dataclass(frozen=True)
class CriticConfig(Checked):
    """How the critic is pretrained."""

    epochs: int = parameter(60, 'passes over the laps', low=0)
    learning_rate: float = parameter(2e-3, 'Adam', low=0, low_open=True)
    window: int = parameter(50, 'decisions between two truncations of the gradient', low=2)
    tail: float = parameter(
        0.05, 'a truncated lap is cut where less than this share of a return is still unseen',
        low=0, low_open=True, high=1, high_open=True,
    )  # fmt: skip


def discounted_returns(rewards: np.ndarray, gamma: float) -> np.ndarray:
    """G_t = sum_k gamma^k r_{t+1+k}, (T,), for rewards (T,) of the transition *into* each step."""
    returns = np.zeros(len(rewards), dtype=np.float64)
    for index in range(len(rewards) - 2, -1, -1):
        returns[index] = rewards[index + 1] + gamma * returns[index + 1]
    return returns


def pretrain_critic(
    critic: Network, actor: Network, encoder: FrameEncoder, laps: Sequence[Demonstration],
    gamma: float, config: CriticConfig,
    on_epoch: Callable[[int, float], None] = lambda index, loss: None,
) -> float:  # fmt: skip
    """Fit V to the laps' discounted returns, in place; returns the share of variance explained.

    The critic's cell starts as a copy of the actor's, which already sees what matters.
    """
    for name in critic.cell.named_parameters():
        critic.parameters[f'cell.{name}'].copy_(actor.parameters[f'cell.{name}'])
    horizon = int(np.ceil(np.log(config.tail) / np.log(gamma)))
    features, targets, masks = [], [], []
    length = max(len(lap.rewards) for lap in laps)
    for lap in laps:
        features.append(_pad(_features(encoder, lap), length))
        targets.append(_pad(discounted_returns(lap.rewards, gamma).astype(np.float32), length))
        known = len(lap.rewards) if lap.terminated else max(0, len(lap.rewards) - horizon)
        masks.append(_pad(np.ones(known, np.float32), length))
    x, y, mask = (torch.from_numpy(np.stack(rows)) for rows in (features, targets, masks))
    # start at the mean return: small steps would take long to get there
    critic.parameters['head.bias'].fill_(float(y[mask > 0].mean()))
    flat = critic.flat.detach().clone().requires_grad_()
    optimizer = torch.optim.Adam([flat], lr=config.learning_rate)
    variance = float(y[mask > 0].var())
    loss_mean = variance
    for index in range(config.epochs):
        state = torch.zeros(len(x), critic.cell.state_size)
        losses = []
        for start in range(0, length, config.window):
            critic.bind(flat)
            part = slice(start, start + config.window)
            state, values = state.detach(), []
            for step in x[:, part].unbind(1):
                value, state = critic.forward(step, state)
                values.append(value[:, 0])
            error = (torch.stack(values, 1) - y[:, part]) ** 2 * mask[:, part]
            loss = error.sum() / mask[:, part].sum().clamp(min=1)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_([flat], 1.0)
            optimizer.step()
            losses.append((float(error.detach().sum()), float(mask[:, part].sum())))
        loss_mean = sum(e for e, _ in losses) / max(1.0, sum(n for _, n in losses))
        on_epoch(index, loss_mean)
    critic.bind(flat.detach().clone())
    return 1.0 - loss_mean / variance


@torch.no_grad()
def _features(encoder: FrameEncoder, lap: Demonstration) -> np.ndarray:
    """(T, latent) float32; a long lap's frames are not held in memory all at once."""
    parts = range(0, len(lap.images), CHUNK)
    return np.concatenate(
        [encoder(as_frames(lap.images[start : start + CHUNK])).numpy() for start in parts]
    )


def _pad(array: np.ndarray, length: int) -> np.ndarray:
    out = np.zeros((length, *array.shape[1:]), array.dtype)
    out[: len(array)] = array
    return out
