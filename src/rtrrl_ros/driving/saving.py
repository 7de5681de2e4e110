"""Saving what was learned while driving."""

from pathlib import Path
from typing import Any

from ..checkpoint import Checkpoint, save_checkpoint
from ..learning.agent import Agent


def save_tuned(path: Path, checkpoint: Checkpoint, agent: Agent, how: dict[str, Any]) -> None:
    """Write a model folder: the model that `agent` came from, with its weights as they are now.

    `how` becomes the entry 'finetuned' of config.json. Each file appears complete or not at all.
    """
    tensors = dict(checkpoint.tensors)
    tensors |= {f'actor.{name}': value for name, value in agent.actor.parameters.items()}
    if agent.rtrrl is not None:
        critic = agent.rtrrl.critic.network.parameters
        tensors |= {f'critic.{name}': value for name, value in critic.items()}
    save_checkpoint(path, {**checkpoint.config, 'finetuned': how}, tensors)
