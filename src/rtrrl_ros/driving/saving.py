"""Saving what was learned while driving."""

from pathlib import Path
from typing import Any

from ..checkpoint import Checkpoint, save_checkpoint
from ..errors import UserError
from ..learning.guarded import GuardedAgent


def save_tuned(
    path: Path, checkpoint: Checkpoint, agent: GuardedAgent, how: dict[str, Any]
) -> None:
    """Write a model folder: the model that `agent` came from, with its weights worth saving now.

    `how` becomes the entry 'finetuned' of config.json. Each file appears complete or not at all.
    """
    tensors = dict(checkpoint.tensors)
    for role, network in agent.networks.items():
        flat = agent.worth_saving if role == 'actor' else network.flat
        tensors |= {f'{role}.{name}': value for name, value in network.named(flat).items()}
    save_checkpoint(path, {**checkpoint.config, 'finetuned': how}, tensors)


class TunedModel:
    """A model folder that follows an agent while it learns; a first version is written at once.

    Parameters
    ----------
    folder : must be new or empty: what was learned in another run is never overwritten
    checkpoint : the model that the agent came from
    how : for config.json; the number of updates is added

    Raises
    ------
    UserError : the folder holds something already, or cannot be written (also from `save`)
    """

    def __init__(
        self, folder: Path, checkpoint: Checkpoint, agent: GuardedAgent, how: dict[str, Any]
    ) -> None:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UserError(f'save_to = {folder}: exists already; name a new folder')
        self._folder, self._checkpoint, self._agent, self._how = folder, checkpoint, agent, how
        self._saved: tuple[int, ...] = ()
        self.save()

    def save(self) -> None:
        """Write the folder again if other weights have become worth saving since."""
        updates, rollbacks = self._agent.counters.updates, self._agent.counters.rollbacks
        now = updates, rollbacks, self._agent.probation.contested is None
        if now == self._saved:
            return
        try:
            save_tuned(
                self._folder, self._checkpoint, self._agent, {**self._how, 'updates': updates}
            )
        except UserError as error:
            raise UserError(f'save_to = {error}') from None
        self._saved = now
