"""The agent that drives laps: where the guard holds its weights."""

import numpy as np
import pytest
import torch

from rtrrl_ros.cells import make_cell
from rtrrl_ros.learning.config import LearnerConfig
from rtrrl_ros.learning.guarded import GuardedAgent
from rtrrl_ros.learning.network import Network
from rtrrl_ros.learning.policy import make_policy

INPUTS = 3


def make_agent(**options) -> GuardedAgent:
    given = {'warmup_laps': 0, 'actor_learning_rate': 1e-2, 'drift_penalty': 0.1, **options}
    config = LearnerConfig(**given)
    networks = {
        role: Network(make_cell('lrcssm', INPUTS, 4, seed=index), 1, index)
        for index, role in enumerate(('actor', 'critic'))
    }
    policy = make_policy(config, discrete=False, action_size=1, seed=0)
    return GuardedAgent(
        networks, policy, config, observation_size=INPUTS, action_size=1, learn=True, explore=True
    )


def lap(agent: GuardedAgent, lap_return: float, seed: int, steps: int = 30) -> torch.Tensor:
    """Drive a lap; returns the weights that it was driven from."""
    begin = agent.networks['actor'].flat.clone()
    generator = np.random.default_rng(seed)
    for step in range(steps):
        agent.act(generator.standard_normal(INPUTS).astype(np.float32))
        reward = float(generator.standard_normal())
        agent.learn(reward=reward, first=not step, terminated=False, executed=True)
    agent.end_lap(lap_return)
    return begin


@pytest.mark.parametrize('anchor', ['pretrained', 'best'])
def test_the_pull_goes_to_the_start_of_the_best_lap_or_stays(anchor: str) -> None:
    agent = make_agent(drift_anchor=anchor)
    pretrained = lap(agent, 100.0, 0)
    best = lap(agent, 120.0, 1)
    lap(agent, 110.0, 2)
    assert not torch.equal(best, pretrained)
    expected = best if anchor == 'best' else pretrained
    assert torch.equal(agent.rtrrl.actor.origin, expected)


def test_anchored_to_better_laps_again_and_again_it_never_leaves_the_limit() -> None:
    agent = make_agent(drift_anchor='best', drift_limit=0.3, drift_penalty=0.0)
    away = []
    for number in range(12):
        lap(agent, 100.0 + number, number)
        away.append(agent.drift())
    assert max(away) <= 0.3 * (1 + 1e-4)
    assert max(away) > 0.2, 'it moved'
