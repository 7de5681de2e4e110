"""The less is missing to the aspiration level, the less is explored and learned."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rtrrl_ros.cells import make_cell
from rtrrl_ros.learning.agent import Agent
from rtrrl_ros.learning.aspiration import Aspiration
from rtrrl_ros.learning.config import LearnerConfig
from rtrrl_ros.learning.network import Network
from rtrrl_ros.learning.policy import make_policy

CONFIG = LearnerConfig(
    aspiration_reward=1.0, aspiration_band=0.5, aspiration_floor=0.1, aspiration_memory=10,
    exploration_std=0.2, actor_learning_rate=1e-3, drift_penalty=1.0,
)  # fmt: skip


def after(rewards, **options) -> float:
    aspiration = Aspiration(dataclasses.replace(CONFIG, **options))
    for reward in rewards:
        aspiration.observe(reward)
    return aspiration.effort


def test_effort_is_what_is_missing_as_a_share_of_the_band():
    assert after([]) == 0.1, 'nothing is known to be missing yet'
    assert after([0.75] * 200) == pytest.approx(0.5)
    assert after([0.0] * 200) == 1.0
    assert after([2.0] * 200) == 0.1
    # one time constant: 63 % of the way, as far as 10 steps make one
    assert after([0.5] * 10) == pytest.approx(1.0 - 0.9**10)


def test_without_a_band_it_is_always_full():
    assert after([1.0] * 50, aspiration_band=0.0) == 1.0


@given(st.lists(st.floats(-10.0, 10.0), max_size=60), st.floats(0.0, 5.0))
def test_worse_rewards_never_lessen_it(rewards, worse):
    effort = after(rewards)
    assert 0.1 <= effort <= 1.0
    assert after([reward - worse for reward in rewards]) >= effort - 1e-12


@pytest.mark.parametrize('reward', [math.nan, math.inf, -math.inf])
def test_a_reward_that_is_not_finite_counts_for_nothing(reward):
    assert after([0.75] * 50) == after([*[0.75] * 50, reward])


def make_agent(backend: str, **options) -> Agent:
    config = dataclasses.replace(CONFIG, backend=backend, **options)
    policy = make_policy(config, discrete=False, action_size=1, seed=3)
    networks = {
        role: Network(make_cell('lrcssm', 2, 4, seed=seed), 1, seed)
        for seed, role in enumerate(('actor', 'critic'))
    }
    return Agent(
        networks, policy, config, observation_size=2, action_size=1, learn=True, explore=True
    )


def drive(
    agent: Agent, reward: float, steps: int, first: bool = False, last: bool = False,
    executed: bool = True,
) -> None:  # fmt: skip
    for step in range(steps):
        agent.act(np.array([0.3, -0.2 * step], np.float32))
        agent.learn(
            reward=reward, first=first and step == 0, terminated=last and step == steps - 1,
            executed=executed,
        )  # fmt: skip


@pytest.mark.parametrize('backend', ['fused', 'reference'])
def test_who_has_what_it_wants_hardly_explores_or_moves(backend):
    content, wanting = (make_agent(backend) for _ in range(2))
    for agent, reward in ((content, 1.0), (wanting, 0.0)):
        drive(agent, reward, 200, first=True)
        agent.rtrrl.reset_optimizers()  # as after a roll-back: the effort stays
        before = agent.networks['actor'].flat.clone()
        drive(agent, reward, 1)
        agent.moved = float(torch.linalg.vector_norm(agent.networks['actor'].flat - before))
    assert content.policy.newest_std == pytest.approx(0.1 * wanting.policy.newest_std)
    assert wanting.policy.newest_std == pytest.approx(0.2)
    # the first step of Adam is as long as the learning rate, whatever the gradient
    assert content.moved == pytest.approx(0.1 * wanting.moved, rel=0.15)


def test_the_penalty_of_an_intervention_does_not_make_it_restless():
    agent = make_agent('fused')
    drive(agent, 1.0, 20, first=True)
    drive(agent, -100.0, 1, last=True)
    assert agent.policy.effort == 0.1


def test_what_others_drive_tells_nothing_of_what_is_missing():
    agent = make_agent('fused')
    drive(agent, 1.0, 20, first=True)
    drive(agent, 0.0, 200, executed=False)
    assert agent.policy.effort == 0.1
    drive(agent, 0.0, 200)
    assert agent.policy.effort == 1.0


def test_a_policy_that_only_explores_does_so_as_configured():
    policy = make_policy(CONFIG, discrete=False, action_size=1, seed=3)
    actor = Network(make_cell('lrcssm', 2, 4, seed=0), 1, 0)
    agent = Agent(
        {'actor': actor}, policy, CONFIG, observation_size=2, action_size=1, learn=False,
        explore=True,
    )  # fmt: skip
    agent.act(np.zeros(2, np.float32))
    assert agent.policy.newest_std == pytest.approx(0.2)
