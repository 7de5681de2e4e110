"""Model folders: what was saved comes back; what is damaged is refused in one line."""

import json
from pathlib import Path

import pytest
import torch

from rtrrl_ros.checkpoint import load_checkpoint, save_checkpoint
from rtrrl_ros.driving.assembly import load_agent, load_encoder, make_networks
from rtrrl_ros.errors import UserError
from rtrrl_ros.learning.config import LearnerConfig
from rtrrl_ros.perception.encoder import Encoder

CONFIG = {
    'task': 'car-racing', 'cell': 'lrcssm', 'image_size': 32, 'latent_size': 6, 'hidden_size': 5,
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    tensors = {f'encoder.{k}': v for k, v in Encoder(32, 6).state_dict().items()}
    for role, network in make_networks('lrcssm', 6, 5, seed=3).items():
        tensors |= {f'{role}.{k}': v for k, v in network.parameters.items()}
    save_checkpoint(tmp_path / 'model', CONFIG, tensors)
    return tmp_path / 'model'


def load(folder: Path) -> None:
    checkpoint = load_checkpoint(folder)
    load_encoder(checkpoint)
    load_agent(checkpoint, LearnerConfig(), learn=True, explore=True, seed=0)


def test_what_was_saved_comes_back(folder: Path) -> None:
    agent = load_agent(folder, LearnerConfig(), learn=True, explore=True, seed=0)
    saved = make_networks('lrcssm', 6, 5, seed=3)
    for role, network in agent.networks.items():
        assert torch.equal(network.flat, saved[role].flat)


def break_missing(folder: Path) -> None:
    (folder / 'model.safetensors').unlink()


def break_truncated(folder: Path) -> None:
    data = (folder / 'model.safetensors').read_bytes()
    (folder / 'model.safetensors').write_bytes(data[: len(data) // 2])


def break_empty(folder: Path) -> None:
    (folder / 'model.safetensors').write_bytes(b'')


def break_json(folder: Path) -> None:
    (folder / 'config.json').write_text('{"format": 1,')


def edit(folder: Path, **values: object) -> None:
    config = json.loads((folder / 'config.json').read_text())
    (folder / 'config.json').write_text(json.dumps({**config, **values}))


def break_format(folder: Path) -> None:
    edit(folder, format=99)


def break_shape(folder: Path) -> None:
    edit(folder, hidden_size=7)


def break_encoder_shape(folder: Path) -> None:
    edit(folder, image_size=64)


def break_type(folder: Path) -> None:
    edit(folder, latent_size='six')


def break_cell(folder: Path) -> None:
    edit(folder, cell='lstm')


def break_number(folder: Path) -> None:
    checkpoint = load_checkpoint(folder)
    checkpoint.tensors['actor.head.bias'][0] = float('nan')
    save_checkpoint(folder, checkpoint.config, checkpoint.tensors)


@pytest.mark.parametrize(
    'damage',
    [
        break_missing, break_truncated, break_empty, break_json, break_format, break_shape,
        break_encoder_shape, break_type, break_cell, break_number,
    ],
)  # fmt: skip
def test_damage_is_told_in_one_line(folder: Path, damage) -> None:
    damage(folder)
    with pytest.raises(UserError) as caught:
        load(folder)
    assert '\n' not in str(caught.value)


@pytest.mark.parametrize('place', ['file', 'file/model', 'model', 'full'])
def test_a_folder_that_cannot_be_written(tmp_path: Path, place: str) -> None:
    (tmp_path / 'file').touch()
    (tmp_path / 'model' / 'config.json').mkdir(parents=True)
    (tmp_path / 'full' / 'model.safetensors.part').mkdir(parents=True)
    with pytest.raises(UserError, match=f'{tmp_path / place} cannot be written: ') as caught:
        save_checkpoint(tmp_path / place, CONFIG, {'actor.bias': torch.zeros(2)})
    assert '\n' not in str(caught.value)


def test_no_folder_at_all(tmp_path: Path) -> None:
    with pytest.raises(UserError, match='no model folder'):
        load_checkpoint(tmp_path / 'nothing')
