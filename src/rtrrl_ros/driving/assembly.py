"""Building encoder and agent from a model folder, the same way for every caller."""

from pathlib import Path

import cv2
import threadpoolctl
import torch

from ..cells import make_cell
from ..checkpoint import CONFIG, Checkpoint, load_checkpoint
from ..errors import UserError
from ..learning.config import LearnerConfig
from ..learning.guarded import GuardedAgent
from ..learning.network import Network
from ..learning.policy import make_policy
from ..parameters import from_mapping
from ..perception.encoder import Encoder, FrameEncoder
from ..perception.events.frames import FrameConfig
from ..perception.events.windows import WindowConfig
from ..perception.frozen_encoder import FrozenEncoder
from ..perception.pipeline import EventPipeline, ImagePipeline, Pipeline

#: steering, and throttle or brake where the policy decides on the speed as well
ACTION_SIZE = 2
ACTOR_SEED, CRITIC_SEED = 0, 1


def single_threaded() -> None:
    """One thread for all arithmetic: small arrays gain nothing, and sums stay reproducible."""
    torch.set_num_threads(1)
    threadpoolctl.threadpool_limits(1, user_api='blas')  # NumPy's
    cv2.setNumThreads(1)  # its pool costs more than it gains, and takes another process's core


def make_networks(
    cell: str, latent_size: int, hidden_size: int, seed: int, action_size: int = ACTION_SIZE
) -> dict[str, Network]:
    """Fresh 'actor' and 'critic' of these sizes."""
    return {
        role: Network(make_cell(cell, latent_size, hidden_size, seed=2 * seed + index), size, seed)
        for index, (role, size) in enumerate((('actor', action_size), ('critic', 1)))
    }


def load_encoder(model: str | Path | Checkpoint) -> Encoder:
    """The encoder of a model that sees images, ready to run."""
    checkpoint = model if isinstance(model, Checkpoint) else load_checkpoint(model)
    encoder = Encoder(checkpoint.get('image_size', int), checkpoint.get('latent_size', int))
    _fill(encoder, checkpoint)
    return encoder


def load_event_pipeline(model: str | Path | Checkpoint) -> EventPipeline:
    """Windows, frames and encoder of a model that sees events, ready to run."""
    checkpoint = model if isinstance(model, Checkpoint) else load_checkpoint(model)
    where = str(checkpoint.path / CONFIG)
    sections = (checkpoint.get('window', dict), checkpoint.get('frame', dict))
    window = from_mapping(WindowConfig, sections[0], where)
    frames = from_mapping(FrameConfig, sections[1], where)
    size = checkpoint.get('width', int), checkpoint.get('height', int)
    pipeline = EventPipeline(window, frames, *size)
    pipeline.encoder = FrozenEncoder(_frame_encoder(pipeline, checkpoint))
    return pipeline


def load_frame_encoder(model: str | Path | Checkpoint) -> FrameEncoder:
    """The encoder of a model that sees events as the module that was trained."""
    checkpoint = model if isinstance(model, Checkpoint) else load_checkpoint(model)
    return _frame_encoder(load_event_pipeline(checkpoint), checkpoint)


def _frame_encoder(pipeline: EventPipeline, checkpoint: Checkpoint) -> FrameEncoder:
    encoder = FrameEncoder(pipeline.builder.shape, checkpoint.get('latent_size', int))
    _fill(encoder, checkpoint)
    return encoder


def load_pipeline(model: str | Path | Checkpoint) -> Pipeline:
    """What turns the sensor of a model (config.json: 'sensor', images by default) into features."""
    checkpoint = model if isinstance(model, Checkpoint) else load_checkpoint(model)
    sensor = checkpoint.config.get('sensor', 'images')
    if sensor == 'events':
        return load_event_pipeline(checkpoint)
    if sensor != 'images':
        raise UserError(f"{checkpoint.path / CONFIG}: 'sensor' must be images or events")
    return ImagePipeline(checkpoint.get('image_size', int), load_encoder(checkpoint))


def _fill(encoder: FrameEncoder, checkpoint: Checkpoint) -> None:
    """Load the weights, for inference."""
    try:
        encoder.load_state_dict(checkpoint.part('encoder.'))
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()
        raise UserError(f'{checkpoint.path}: encoder of another shape: {reason}') from None
    encoder.eval()


def load_agent(
    model: str | Path | Checkpoint, config: LearnerConfig, *,
    learn: bool, explore: bool, seed: int,
) -> GuardedAgent:  # fmt: skip
    """The agent of a model; see `Agent` for the options."""
    checkpoint = model if isinstance(model, Checkpoint) else load_checkpoint(model)
    try:
        networks = make_networks(
            checkpoint.get('cell', str), checkpoint.get('latent_size', int),
            checkpoint.get('hidden_size', int), seed=0, action_size=_action_size(checkpoint),
        )  # fmt: skip
        for role, network in networks.items():
            network.load(checkpoint.part(f'{role}.'))
    except ValueError as error:
        raise UserError(f'{checkpoint.path}: weights of another shape: {error}') from None
    return make_agent(networks, config, learn=learn, explore=explore, seed=seed)


def _action_size(checkpoint: Checkpoint) -> int:
    """Components of an action; models from before there was a choice have two."""
    size = checkpoint.config.get('action_size', ACTION_SIZE)
    if size not in (1, ACTION_SIZE):
        raise UserError(f"{checkpoint.path / CONFIG}: 'action_size' must be 1 or {ACTION_SIZE}")
    return size


def make_agent(
    networks: dict[str, Network], config: LearnerConfig, *, learn: bool, explore: bool, seed: int
) -> GuardedAgent:
    """An agent that drives with these networks; `seed` is that of the exploration."""
    actor = networks['actor']
    actions = actor.head_size // 2 if config.exploration == 'learned' else actor.head_size
    policy = make_policy(config, discrete=False, action_size=actions, seed=seed)
    features = actor.cell.input_size
    if config.meta_inputs:
        features -= actions + 1
    return GuardedAgent(
        networks, policy, config, observation_size=features, action_size=actions,
        learn=learn, explore=explore,
    )  # fmt: skip
