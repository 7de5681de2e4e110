"""Model folders: model.safetensors, config.json, card.md. Loading one never executes code."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
from torch import Tensor

from .errors import UserError

WEIGHTS, CONFIG = 'model.safetensors', 'config.json'
FORMAT = 1


@dataclasses.dataclass(frozen=True)
class Checkpoint:
    """A model as it lies on disk.

    Attributes
    ----------
    config : contents of config.json: 'format', 'task', 'cell', sizes, how it was trained
    tensors : by name, prefixed 'encoder.', 'decoder.', 'actor.', 'critic.'
    """

    path: Path
    config: dict[str, Any]
    tensors: dict[str, Tensor]

    def part(self, prefix: str) -> dict[str, Tensor]:
        """The tensors under a prefix such as 'actor.', the prefix removed."""
        return {k[len(prefix) :]: v for k, v in self.tensors.items() if k.startswith(prefix)}

    def get(self, key: str, kind: type) -> Any:
        """A value of config.json, checked for its type."""
        value = self.config.get(key)
        if not isinstance(value, kind):
            raise UserError(f'{self.path / CONFIG}: {key!r} must be {kind.__name__}, is {value!r}')
        return value


def load_checkpoint(path: str | Path, task: str = '') -> Checkpoint:
    """Read a model folder; `UserError` names what is missing, truncated or of another format.

    task : what the model must have been trained for; '': anything
    """
    path = Path(path)
    if not path.is_dir():
        raise UserError(f'no model folder at {path}: make one with `rtrrl pretrain`')
    for name in (CONFIG, WEIGHTS):
        if not (path / name).is_file():
            raise UserError(f'{path} is not a model folder: {name} is missing')
    try:
        config = json.loads((path / CONFIG).read_text())
    except (ValueError, OSError) as error:
        raise UserError(f'{path / CONFIG} cannot be read as JSON: {error}') from None
    if not isinstance(config, dict) or config.get('format') != FORMAT:
        raise UserError(f'{path / CONFIG}: format {FORMAT} expected; pretrain the model again')
    try:
        tensors = safetensors.torch.load_file(path / WEIGHTS)
    except (safetensors.SafetensorError, OSError, ValueError) as error:
        raise UserError(f'{path / WEIGHTS} is damaged or truncated: {error}') from None
    checkpoint = Checkpoint(path, config, tensors)
    for name, tensor in tensors.items():
        if not bool(tensor.isfinite().all()):
            raise UserError(f'{path / WEIGHTS}: {name} holds a non-finite number')
    if task and checkpoint.get('task', str) != task:
        raise UserError(f'{path} was trained for {config["task"]}, not for {task}')
    return checkpoint


def save_checkpoint(path: str | Path, config: dict[str, Any], tensors: dict[str, Tensor]) -> None:
    """Write a model folder; each file appears complete or not at all.

    Raises
    ------
    UserError : the folder cannot be made or written, the disk is full
    """
    path = Path(path)
    # safetensors refuses tensors that share memory, as views of a flat vector do
    whole = {name: tensor.detach().clone().contiguous() for name, tensor in tensors.items()}
    text = json.dumps({'format': FORMAT, **config}, indent=2)
    try:
        path.mkdir(parents=True, exist_ok=True)
        safetensors.torch.save_file(whole, path / (WEIGHTS + '.part'))
        (path / (CONFIG + '.part')).write_text(text + '\n')
        for name in (WEIGHTS, CONFIG):
            (path / (name + '.part')).replace(path / name)
    except (OSError, safetensors.SafetensorError) as error:
        why = getattr(error, 'strerror', None) or ' '.join(str(error).split())
        raise UserError(f'{path} cannot be written: {why}') from None
