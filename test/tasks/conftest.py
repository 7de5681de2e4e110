"""Playing tasks with policies that know the answer, and with ones that do not."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest

from rtrrl_ros.tasks import Environment, Observation

#: from all observations of the episode so far to an action
Policy = Callable[[list[Observation]], Any]


def returns(environment: Environment, policy: Policy, episodes: Iterable[int]) -> np.ndarray:
    """Sum of rewards in each episode."""
    sums = []
    for episode in episodes:
        seen, total, over = [environment.reset(episode)], 0.0, False
        while not over:
            observation, reward, terminated, truncated = environment.step(policy(seen))
            seen.append(observation)
            total += reward
            over = terminated or truncated
        sums.append(total)
    return np.array(sums)


@pytest.fixture(scope='session')
def play() -> Callable[[Environment, Policy, Iterable[int]], np.ndarray]:
    return returns
