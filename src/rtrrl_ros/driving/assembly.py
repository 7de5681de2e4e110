"""Building encoder and agent from a model folder, the same way for every caller."""

from pathlib import Path

import torch

from ..cells import make_cell
from ..checkpoint import Checkpoint, load_checkpoint
from ..errors import UserError
from ..learning.config import LearnerConfig
from ..learning.guarded import GuardedAgent
from ..learning.network import Network
from ..learning.policy import make_policy
from ..perception.encoder import Encoder

ACTION_SIZE = 2  # steering, throttle or brake
ACTOR_SEED, CRITIC_SEED = 0, 1


def single_threaded() -> None:
    """One thread for torch: small tensors gain nothing from more, and sums stay reproducible."""
    torch.set_num_threads(1)


def make_networks(cell: str, latent_size: int, hidden_size: int, seed: int) -> dict[str, Network]:
    """Fresh 'actor' and 'critic' of these sizes."""
    return {
        role: Network(make_cell(cell, latent_size, hidden_size, seed=2 * seed + index), size, seed)
        for index, (role, size) in enumerate((('actor', ACTION_SIZE), ('critic', 1)))
    }


def load_encoder(model: str | Path | Checkpoint) -> Encoder:
    """The encoder of a model, ready to run."""
    checkpoint = model if isinstance(model, Checkpoint) else load_checkpoint(model)
    encoder = Encoder(checkpoint.get('image_size', int), checkpoint.get('latent_size', int))
    try:
        encoder.load_state_dict(checkpoint.part('encoder.'))
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()
        raise UserError(f'{checkpoint.path}: encoder of another shape: {reason}') from None
    return encoder.eval()


def load_agent(
    model: str | Path | Checkpoint, config: LearnerConfig, *,
    learn: bool, explore: bool, seed: int,
) -> GuardedAgent:  # fmt: skip
    """The agent of a model; see `Agent` for the options."""
    checkpoint = model if isinstance(model, Checkpoint) else load_checkpoint(model)
    try:
        networks = make_networks(
            checkpoint.get('cell', str), checkpoint.get('latent_size', int),
            checkpoint.get('hidden_size', int), seed=0,
        )  # fmt: skip
        for role, network in networks.items():
            network.load(checkpoint.part(f'{role}.'))
    except ValueError as error:
        raise UserError(f'{checkpoint.path}: weights of another shape: {error}') from None
    return make_agent(networks, config, learn=learn, explore=explore, seed=seed)


def make_agent(
    networks: dict[str, Network], config: LearnerConfig, *, learn: bool, explore: bool, seed: int
) -> GuardedAgent:
    """An agent that drives with these networks; `seed` is that of the exploration."""
    policy = make_policy(config, discrete=False, action_size=ACTION_SIZE, seed=seed)
    features = networks['actor'].cell.input_size
    if config.meta_inputs:
        features -= ACTION_SIZE + 1
    return GuardedAgent(
        networks, policy, config, observation_size=features, action_size=ACTION_SIZE,
        learn=learn, explore=explore,
    )  # fmt: skip
