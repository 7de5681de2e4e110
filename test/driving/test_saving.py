"""What is saved of a run: what drives, and what was learned while it is open which is better."""

from pathlib import Path

import numpy as np
import pytest
import torch

from rtrrl_ros.checkpoint import Checkpoint, load_checkpoint
from rtrrl_ros.driving.assembly import load_agent
from rtrrl_ros.driving.saving import TunedModel
from rtrrl_ros.errors import UserError
from rtrrl_ros.learning.config import LearnerConfig
from rtrrl_ros.learning.guarded import GuardedAgent
from rtrrl_ros.resources import find_resource

#: laps in which nothing becomes better; two more at rest decide
LEVEL = [100.0, 101.0, 100.0, 101.0]


@pytest.fixture
def checkpoint() -> Checkpoint:
    return load_checkpoint(find_resource('models', 'line-lrcssm'))


@pytest.fixture
def agent(checkpoint: Checkpoint) -> GuardedAgent:
    config = LearnerConfig(
        warmup_laps=0, probation_laps=4, rollback_margin=0.1, rollback_laps=1,
        actor_learning_rate=1e-3, critic_learning_rate=1e-3,
    )  # fmt: skip
    return load_agent(checkpoint, config, learn=True, explore=True, seed=0)


def lap(agent: GuardedAgent, lap_return: float) -> torch.Tensor:
    """Drive a short lap; returns the weights that drove at its end."""
    generator = np.random.default_rng(agent.laps)
    for step in range(10):
        agent.act(generator.standard_normal(agent.observation_size).astype(np.float32))
        reward = float(generator.standard_normal())
        agent.learn(reward=reward, first=not step, terminated=False, executed=True)
    end = agent.networks['actor'].flat.clone()
    agent.end_lap(lap_return)
    return end


def saved(folder: Path, agent: GuardedAgent, role: str = 'actor') -> torch.Tensor:
    parameters = load_checkpoint(folder).part(f'{role}.')
    return torch.cat([parameters[name].reshape(-1) for name in agent.networks[role].parameters])


def test_the_decision_does_not_cost_what_was_learned_until_it_is_certain(
    tmp_path: Path, checkpoint: Checkpoint, agent: GuardedAgent
) -> None:
    tuned = TunedModel(tmp_path / 'tuned', checkpoint, agent, {})
    pretrained = agent.networks['actor'].flat.clone()
    assert torch.equal(saved(tmp_path / 'tuned', agent), pretrained)
    for lap_return in LEVEL:
        learned = lap(agent, lap_return)
    tuned.save()
    assert agent.resting and torch.equal(agent.networks['actor'].flat, pretrained)
    assert not torch.equal(learned, pretrained)
    assert torch.equal(saved(tmp_path / 'tuned', agent), learned)
    critic = agent.networks['critic'].flat
    assert torch.equal(saved(tmp_path / 'tuned', agent, 'critic'), critic)
    for lap_return in LEVEL[:2]:
        lap(agent, lap_return)
    tuned.save()  # no update since: still, it is now certain
    assert torch.equal(saved(tmp_path / 'tuned', agent), pretrained)


def test_a_roll_back_is_saved_without_an_update(
    tmp_path: Path, checkpoint: Checkpoint, agent: GuardedAgent
) -> None:
    pretrained = agent.networks['actor'].flat.clone()
    lap(agent, 100.0)
    tuned = TunedModel(tmp_path / 'tuned', checkpoint, agent, {})
    assert not torch.equal(saved(tmp_path / 'tuned', agent), pretrained)
    updates = agent.counters.updates
    agent.end_lap(50.0)
    assert agent.counters.rollbacks == 1 and agent.counters.updates == updates
    tuned.save()
    assert torch.equal(saved(tmp_path / 'tuned', agent), pretrained)


def test_nothing_new_writes_nothing(
    tmp_path: Path, checkpoint: Checkpoint, agent: GuardedAgent
) -> None:
    tuned = TunedModel(tmp_path / 'tuned', checkpoint, agent, {})
    before = (tmp_path / 'tuned' / 'model.safetensors').stat().st_ino
    tuned.save()
    assert (tmp_path / 'tuned' / 'model.safetensors').stat().st_ino == before
    lap(agent, 100.0)
    tuned.save()
    assert (tmp_path / 'tuned' / 'model.safetensors').stat().st_ino != before


def test_what_another_run_has_learned_is_not_overwritten(
    tmp_path: Path, checkpoint: Checkpoint, agent: GuardedAgent
) -> None:
    TunedModel(tmp_path / 'tuned', checkpoint, agent, {})
    with pytest.raises(UserError, match='exists already'):
        TunedModel(tmp_path / 'tuned', checkpoint, agent, {})
