"""Running an agent a few steps before it matters: the first real step is not the slow one."""

import numpy as np

from ..learning.guarded import GuardedAgent

STEPS = 5


def warm_up(agent: GuardedAgent) -> None:
    """Act and learn on made-up features; drive with another agent, this one is spoilt by it."""
    for step in range(STEPS):
        agent.act(np.zeros(agent.observation_size, np.float32))
        agent.learn(reward=0.0, first=step == 0, terminated=False, executed=True)
