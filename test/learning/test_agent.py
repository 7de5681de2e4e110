"""The agent with its options: compiled against reference, refusals, scales, snapshots."""

import dataclasses
import math

import numpy as np
import pytest
import torch

from rtrrl_ros.cells import make_cell
from rtrrl_ros.errors import UserError
from rtrrl_ros.learning.agent import Agent, input_size
from rtrrl_ros.learning.config import LearnerConfig
from rtrrl_ros.learning.network import Network
from rtrrl_ros.learning.policy import make_policy

INPUTS, ACTIONS, UNITS = 3, 2, 6
BASE = LearnerConfig(
    actor_learning_rate=1e-4, critic_learning_rate=1e-4, drift_penalty=0.0, td_error_clip=10.0
)
SHARED = {'network': 'shared'}


def make_agent(discrete: bool = True, cell: str = 'lrcssm', **options) -> Agent:
    config = dataclasses.replace(BASE, **options)
    policy = make_policy(config, discrete=discrete, action_size=ACTIONS, seed=5)
    shared = config.network == 'shared'
    inputs = input_size(config, INPUTS, ACTIONS)
    heads = {'actor': policy.head_size + shared} | ({} if shared else {'critic': 1})
    networks = {
        role: Network(make_cell(cell, inputs, UNITS, seed=seed), size, seed)
        for seed, (role, size) in enumerate(heads.items())
    }
    return Agent(
        networks, policy, config, observation_size=INPUTS, action_size=ACTIONS, learn=True,
        explore=True,
    )  # fmt: skip


def play(agent: Agent, steps: int, seed: int = 0, episode: int = 50) -> list:
    """A stream in which the reward depends on action and observation; returns the actions."""
    generator = np.random.default_rng(seed)
    actions, reward = [], 0.0
    for step in range(steps):
        observation = generator.standard_normal(INPUTS).astype(np.float32)
        first, last = step % episode == 0, step % episode == episode - 1
        if first:
            agent.restart()
        action = agent.act(observation, reward)
        agent.learn(reward=reward, first=first, terminated=last, executed=True)
        reward = float(observation[0] * np.sum(action)) if action is not None else 0.0
        actions.append(action)
    return actions


OPTIONS = {
    'plain': {},
    'shared': SHARED,
    'shared, weighted': {**SHARED, 'actor_weight': 0.3, 'entropy_coefficient': 0.05},
    'random feedback': {'feedback': 'random'},
    'meta inputs': {'meta_inputs': True},
    'entropy': {'entropy_coefficient': 0.05},
    'average reward': {'average_reward_rate': 0.01},
    'I': {'discount_actor_gradient': True},
    'clip': {'gradient_clip': 0.1},
    'scales': {'normalize_observations': True, 'scale_rewards': True},
    'obgd': {'optimizer': 'obgd', 'actor_learning_rate': 0.1, 'critic_learning_rate': 0.1},
    'drift': {'drift_limit': 0.01, 'drift_penalty': 1.0},
    'aspiration': {'aspiration_reward': 0.5, 'aspiration_band': 2.0, 'drift_penalty': 1.0},
}


@pytest.mark.parametrize('name', OPTIONS)
def test_compiled_and_reference_learn_the_same(name: str) -> None:
    compiled, reference = (
        make_agent(**OPTIONS[name], backend=backend) for backend in ('fused', 'reference')
    )
    assert play(compiled, 1000) == play(reference, 1000)
    for role, network in compiled.networks.items():
        expected = reference.networks[role].flat
        assert float((network.flat - expected).abs().max()) < 1e-5, role
    assert compiled.drift() > 1e-4


@pytest.mark.parametrize('name', [name for name in OPTIONS if name != 'plain'])
def test_every_option_makes_a_difference(name: str) -> None:
    # in a shared network the heads cannot be compared with those of separate ones
    base = make_agent(**SHARED) if name == 'shared, weighted' else make_agent()
    changed = make_agent(**OPTIONS[name])
    play(base, 300)
    play(changed, 300)
    one, two = (agent.networks['actor'].flat for agent in (base, changed))
    assert one.shape != two.shape or not torch.allclose(one, two, atol=1e-6)


@pytest.mark.parametrize('discrete', [True, False])
@pytest.mark.parametrize('exploration', ['fixed', 'learned'])
def test_the_same_seed_learns_the_same_bit_for_bit(discrete: bool, exploration: str) -> None:
    one, two = (make_agent(discrete, exploration=exploration) for _ in range(2))
    play(one, 200)
    play(two, 200)
    assert torch.equal(one.networks['actor'].flat, two.networks['actor'].flat)


def everything(agent: Agent) -> list[np.ndarray]:
    """All that a step could change, traces included."""
    networks = (agent.rtrrl.actor, agent.rtrrl.critic)
    return [network._memory.copy() for network in networks]


@pytest.mark.parametrize('bad', [math.nan, math.inf, -math.inf])
def test_a_bad_observation_is_refused_and_changes_nothing(bad: float) -> None:
    agent = make_agent(normalize_observations=True)
    play(agent, 60)
    before, mean = everything(agent), agent.observations.mean.copy()
    observation = np.array([0.1, bad, 0.2], np.float32)
    assert agent.act(observation) is None
    update = agent.learn(reward=1.0, first=False, terminated=False, executed=True)
    assert not update.updated
    assert agent.counters.refused == 1
    assert all(map(np.array_equal, before, everything(agent)))
    assert np.array_equal(mean, agent.observations.mean)
    play(agent, 10, seed=1)
    assert agent.counters.refused == 1  # the next ones are fine


@pytest.mark.parametrize('scale', [True, False])
@pytest.mark.parametrize('bad', [math.nan, math.inf])
def test_a_bad_reward_is_refused_and_moves_no_parameter(bad: float, scale: bool) -> None:
    agent = make_agent(scale_rewards=scale)
    play(agent, 60)
    networks = (agent.rtrrl.actor, agent.rtrrl.critic)
    before = [part.clone() for net in networks for part in (net.flat, net.eligibility)]
    agent.act(np.zeros(INPUTS, np.float32))
    update = agent.learn(reward=bad, first=False, terminated=False, executed=True)
    assert update.refused and agent.counters.refused == 1
    after = [part for net in networks for part in (net.flat, net.eligibility)]
    assert all(map(torch.equal, before, after))
    updates = agent.counters.updates
    play(agent, 10, seed=1)
    assert agent.counters.updates == updates + 9


def test_a_state_that_runs_over_starts_anew() -> None:
    agent = make_agent(cell='lru')
    play(agent, 10)
    agent.networks['actor'].parameters['head.bias'].fill_(math.inf)
    assert agent.act(np.zeros(INPUTS, np.float32)) is None
    agent.networks['actor'].parameters['head.bias'].fill_(0.0)
    assert not agent.rtrrl.actor.state.any()
    assert agent.act(np.zeros(INPUTS, np.float32)) is not None


def test_evaluation_sees_the_scale_of_training_and_does_not_move_it() -> None:
    agent = make_agent(normalize_observations=True)
    play(agent, 200)
    mean, flat = agent.observations.mean.copy(), agent.networks['actor'].flat.clone()
    seen = []
    step = agent.rtrrl.actor.step
    agent.rtrrl.actor.step = lambda x, with_trace: (seen.append(x.copy()), step(x, with_trace))[1]
    with agent.frozen():
        agent.act(np.full(INPUTS, 0.5, np.float32))
        agent.learn(reward=1.0, first=True, terminated=False, executed=True)
    expected = (0.5 - mean) / np.sqrt(agent.observations.spread / 199 + 1e-8)
    np.testing.assert_allclose(seen[0], expected, rtol=1e-5)
    assert np.array_equal(mean, agent.observations.mean)
    assert torch.equal(flat, agent.networks['actor'].flat)


def test_frozen_takes_the_most_likely_action() -> None:
    agent = make_agent()
    agent.networks['actor'].parameters['head.bias'].copy_(torch.tensor([0.0, 1.5]))
    agent.networks['actor'].parameters['head.weight'].zero_()
    x = np.zeros(INPUTS, np.float32)
    with agent.frozen():
        assert {agent.act(x) for _ in range(50)} == {1}
    assert {agent.act(x) for _ in range(50)} == {0, 1}


def test_meta_inputs_are_previous_action_and_reward_and_nothing_at_the_start() -> None:
    agent = make_agent(meta_inputs=True)
    play(agent, 5)
    agent.restart()
    assert not agent._meta[INPUTS:].any()
    action = agent.act(np.ones(INPUTS, np.float32))
    agent.learn(reward=0.0, first=True, terminated=False, executed=True)
    agent.act(np.ones(INPUTS, np.float32), reward=0.25)
    expected = np.zeros(ACTIONS)
    expected[action] = 1.0
    # `act` has written the new action over the old one by now: look at what the network saw
    seen = agent.rtrrl.actor._x
    np.testing.assert_array_equal(seen, [1, 1, 1, *expected, 0.25])


def test_a_snapshot_brings_back_what_was_learned() -> None:
    agent = make_agent(normalize_observations=True)
    play(agent, 100)
    snapshot = agent.snapshot()
    with agent.frozen():
        before = play(agent, 20, seed=3)
    play(agent, 500)
    agent.restore(snapshot)
    with agent.frozen():
        assert play(agent, 20, seed=3) == before


def test_options_that_do_not_fit_the_networks_are_refused_in_one_line() -> None:
    agent = make_agent()
    for options in ({'meta_inputs': True}, SHARED):
        config = dataclasses.replace(BASE, **options)
        with pytest.raises(UserError, match='as in pretraining'):
            Agent(
                agent.networks, agent.policy, config, observation_size=INPUTS,
                action_size=ACTIONS, learn=True, explore=True,
            )  # fmt: skip
    with pytest.raises(UserError, match='must be equal in a shared network'):
        dataclasses.replace(BASE, network='shared', lambda_actor=0.5)


def test_average_reward_approaches_the_reward() -> None:
    agent = make_agent(average_reward_rate=0.05, gamma=0.0)
    for step in range(400):
        agent.act(np.zeros(INPUTS, np.float32))
        agent.learn(reward=0.7, first=step == 0, terminated=False, executed=True)
    assert agent.rtrrl.average_reward + agent.rtrrl.value == pytest.approx(0.7, abs=0.02)
    assert agent.rtrrl.average_reward > 0.3


def test_it_learns_a_bandit_with_a_context() -> None:
    agent = make_agent(cell='lru', actor_learning_rate=1e-3, critic_learning_rate=1e-3, gamma=0.0)
    generator = np.random.default_rng(0)
    hits = []
    for _ in range(4000):
        agent.restart()
        context = generator.choice([-1.0, 1.0])
        x = np.array([context, 0.0, 0.0], np.float32)
        action = agent.act(x)
        agent.learn(reward=0.0, first=True, terminated=False, executed=True)
        hits.append(action == (context > 0))
        agent.act(np.zeros(INPUTS, np.float32))
        agent.learn(reward=float(hits[-1]), first=False, terminated=True, executed=True)
    assert np.mean(hits[:200]) < 0.7
    assert np.mean(hits[-500:]) > 0.95
