"""A whole agent step: everything between the features of an observation and the next wait.

Actor and critic, a Gaussian head of two actions, TD error, both Adam optimisers, both traces.
"""

import dataclasses
import time
from collections.abc import Callable

import numpy as np

from ..cells.kernels.benchmark import TURN, WARM_UP, Times
from ..driving.assembly import make_agent, make_networks
from ..learning.config import LearnerConfig
from ..learning.guarded import GuardedAgent


@dataclasses.dataclass(frozen=True)
class AgentStep:
    """`act` ends when the action can be sent; `learn` is done while it is on its way."""

    cell: str
    input_size: int
    hidden_size: int
    steps: int
    act: Times
    learn: Times
    step: Times


def measure_agent(
    cell: str, input_size: int, hidden_size: int, steps: int = 100_000, *,
    on_turn: Callable[[int], None] = lambda done: None,
) -> AgentStep:  # fmt: skip
    """Time `steps` steps of an agent with the default options that learns from the first on.

    on_turn : as in `cells.kernels.benchmark.measure`
    """
    networks = make_networks(cell, input_size, hidden_size, seed=0)
    config = LearnerConfig(warmup_laps=0)
    agent = make_agent(networks, config, learn=True, explore=True, seed=0)
    generator = np.random.default_rng(0)
    observations = generator.standard_normal((TURN, input_size)).astype(np.float32)
    rewards = (0.1 * generator.standard_normal(TURN)).tolist()
    _times(agent, observations[:WARM_UP], rewards)
    turns = []
    for done in range(0, steps, TURN):
        count = min(TURN, steps - done)
        turns.append(_times(agent, observations[:count], rewards))
        on_turn(done + count)
    act, learn = np.concatenate(turns, axis=1)
    return AgentStep(
        cell, input_size, hidden_size, steps, Times.of(act), Times.of(learn), Times.of(act + learn)
    )


def _times(agent: GuardedAgent, observations: np.ndarray, rewards: list[float]) -> np.ndarray:
    """Nanoseconds (2, N) of acting on and of learning from each of these observations (N, I)."""
    clock, times = time.perf_counter_ns, np.empty((2, len(observations)))
    for k, observation in enumerate(observations):
        start = clock()
        agent.act(observation)
        acted = clock()
        agent.learn(reward=rewards[k], first=False, terminated=False, executed=True)
        times[0, k], times[1, k] = acted - start, clock() - acted
    return times
