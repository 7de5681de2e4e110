"""The agent that drives laps: where the guard holds its weights."""

import numpy as np
import pytest
import torch

from rtrrl_ros.cells import make_cell
from rtrrl_ros.learning.config import LearnerConfig
from rtrrl_ros.learning.guarded import GuardedAgent, LapEnd
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


#: a probation in which nothing becomes better, then laps at rest
LEVEL = [100.0, 101.0, 100.0, 101.0]
PROBATION = {'probation_laps': 4, 'rollback_margin': 0.1, 'rollback_laps': 1}


def actions(agent: GuardedAgent, seed: int, steps: int = 30) -> np.ndarray:
    """Drive a lap without an end; returns its actions (steps, 1)."""
    generator = np.random.default_rng(seed)
    driven = []
    for step in range(steps):
        driven.append(agent.act(generator.standard_normal(INPUTS).astype(np.float32)))
        reward = float(generator.standard_normal())
        agent.learn(reward=reward, first=not step, terminated=False, executed=True)
    return np.stack(driven)


def test_at_rest_it_drives_as_if_it_had_never_learned_bit_for_bit() -> None:
    agent, frozen = make_agent(**PROBATION), make_agent(**PROBATION)
    begin = agent.networks['actor'].flat.clone()
    for number, lap_return in enumerate(LEVEL):
        lap(agent, lap_return, number)
    assert agent.resting and not agent.training_actor
    critic = agent.networks['critic'].flat.clone()
    with frozen.frozen():
        for number in range(3):
            driven = actions(agent, number)
            agent.end_lap(100.0)
            np.testing.assert_array_equal(driven, actions(frozen, number))
            frozen.restart()
    assert torch.equal(agent.networks['actor'].flat, begin)
    assert torch.equal(agent.networks['critic'].flat, critic)


def test_what_is_decided_about_learning_is_told() -> None:
    agent = make_agent(**PROBATION)
    ends = []
    for number, lap_return in enumerate([*LEVEL, 100.0, 101.0, 50.0]):
        actions(agent, number)
        ends.append(agent.end_lap(lap_return))
    notes = [end.note for end in ends]
    assert [bool(note) for note in notes] == [False] * 3 + [True] + [False] * 2 + [True]
    assert 'not paid' in notes[3] and 'learns again' in notes[6]
    assert [end.rolled_back for end in ends] == [False] * 3 + [True] + [False] * 3


def test_after_a_change_it_learns_again_and_its_guard_has_forgotten_the_laps_before() -> None:
    agent = make_agent(**PROBATION, drift_anchor='best')
    for number, lap_return in enumerate([*LEVEL, 100.0, 101.0, 50.0]):
        lap(agent, lap_return, number)
    begin = agent.networks['actor'].flat.clone()
    assert agent.training_actor and agent.guard.baseline is None
    assert torch.equal(agent.rtrrl.actor.origin, begin)
    lap(agent, 50.0, 7)
    assert not torch.equal(agent.networks['actor'].flat, begin)
    assert agent.counters.rollbacks == 1, 'to begin to rest; 50 is now what is expected'


def test_weights_from_before_that_turn_out_to_be_worse_give_way_to_the_learned() -> None:
    agent = make_agent(**PROBATION)
    for number, lap_return in enumerate(LEVEL[:-1]):
        lap(agent, lap_return, number)
    actions(agent, 3)
    learned = agent.networks['actor'].flat.clone()
    agent.end_lap(LEVEL[-1])
    assert not torch.equal(agent.networks['actor'].flat, learned)
    lap(agent, 50.0, 4)
    assert torch.equal(agent.networks['actor'].flat, learned)
    assert agent.training_actor and agent.guard.baseline == 100.0


def test_frozen_by_the_guard_it_drives_the_best_weights_without_noise() -> None:
    agent = make_agent(max_rollbacks=1, rollback_laps=1, rollback_margin=0.1)
    begin = agent.networks['actor'].flat.clone()
    lap(agent, 100.0, 0)
    actions(agent, 1)
    end = agent.end_lap(50.0)
    assert end.frozen and 'for good' in end.note
    frozen = make_agent()
    with frozen.frozen():
        np.testing.assert_array_equal(actions(agent, 2), actions(frozen, 2))
    assert agent.end_lap(0.0) == LapEnd(rolled_back=False, frozen=True)
    assert torch.equal(agent.networks['actor'].flat, begin)
