"""The other way round: any task as an environment of gymnasium, for learners that are not ours.

    environment = gymnasium.make('rtrrl_ros.tasks.gymnasium_face:rtrrl_ros/MemoryChain-8-v0')

Importing this module registers all tasks as `rtrrl_ros/NAME-v0`. They have a limit of steps of
their own, so gymnasium adds none.
"""

from typing import Any

import gymnasium
import numpy as np

from .contract import Observation
from .registry import TASKS, make_task


class TaskEnv(gymnasium.Env):
    """A task with gymnasium's signatures.

    The episodes of a seed (0 until one is given) come in order.

    Parameters
    ----------
    name
        A name in `TASKS`.
    """

    def __init__(self, name: str) -> None:
        self.task = make_task(name)
        shape = (self.task.observation_size,)
        self.observation_space = gymnasium.spaces.Box(-np.inf, np.inf, shape, np.float32)
        if self.task.discrete:
            self.action_space = gymnasium.spaces.Discrete(self.task.action_size)
        else:
            shape = (self.task.action_size,)
            self.action_space = gymnasium.spaces.Box(-1.0, 1.0, shape, np.float32)
        self._environment = self.task.make(0)
        self._episode = -1

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        super().reset(seed=seed)
        if seed is not None:
            self._environment, self._episode = self.task.make(seed), -1
        self._episode += 1
        return self._environment.reset(self._episode), {}

    def step(self, action: Any) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        return *self._environment.step(action), {}


for _name in TASKS:
    gymnasium.register(f'rtrrl_ros/{_name}-v0', entry_point=TaskEnv, kwargs={'name': _name})
