"""What the learner is rewarded for. The task's own score is reported beside it, never changed."""

import dataclasses

import numpy as np

from ..parameters import Checked, parameter
from .contract import StepType, WorldState

KINDS = ('task', 'line', 'closeness')


@dataclasses.dataclass(frozen=True)
class RewardConfig(Checked):
    """The reward and its scale."""

    kind: str = parameter(
        'task', "'task': the world's own score; 'line': progress along the centre line and "
        "closeness to it; 'closeness': that alone, for a car whose speed is not the policy's",
        choices=KINDS,
    )  # fmt: skip
    scale: float = parameter(0.1, 'factor on the whole reward', low=0.0, high=1000.0, low_open=True)
    intervention_penalty: float = parameter(
        20.0, 'taken off, before scaling, when an intervention ends the lap', low=0.0, high=1000.0
    )
    nominal_progress_m: float = parameter(
        2.0, "'line': progress in one decision that is worth progress_weight", unit='m',
        low=0.0, high=1000.0, low_open=True,
    )  # fmt: skip
    progress_weight: float = parameter(
        1.0, "'line': reward for the nominal progress", low=0.0, high=1000.0
    )
    lateral_weight: float = parameter(
        0.5, "'line': taken off at half_width_m from the centre line, growing with the square",
        low=0.0, high=1000.0,
    )  # fmt: skip
    half_width_m: float = parameter(
        6.667, "'line': the lateral error at which lateral_weight is taken off; beyond 1.5 times "
        'this it grows no more', unit='m', low=0.0, high=1000.0, low_open=True,
    )  # fmt: skip
    closeness_m: float = parameter(
        0.15, "'closeness': the lateral error at which the reward is 0; it falls on to -1 at twice "
        'this', unit='m', low=0.0, high=1000.0, low_open=True,
    )  # fmt: skip


class RewardFunction:
    """The reward of an observation, from the state of the world alone.

    With 'task': r = scale * (task_reward - penalty). With 'line': r = scale * (progress_weight *
    progress / nominal - lateral_weight * min(|lateral error| / half width, 1.5)^2 - penalty).
    With 'closeness': r = scale * (1 - min(|lateral error| / closeness, 2) - penalty), in each step.
    The penalty is `intervention_penalty` where the lap is terminated, otherwise 0. It replaces a
    penalty of the task for the same thing: a terminal task reward below 0 counts as 0.
    """

    #: no error counts as further than this many half widths: one bad step cannot swamp the rest
    MOST_HALF_WIDTHS = 1.5

    def __init__(self, config: RewardConfig | None = None) -> None:
        self.config = config or RewardConfig()

    def reward(self, state: WorldState) -> float:
        """The reward, a float32 value; 0 for the FIRST observation of a lap."""
        if state.step_type == StepType.FIRST:
            return 0.0
        config = self.config
        if config.kind == 'task':
            value = max(state.task_reward, 0.0) if state.terminated else state.task_reward
        elif config.kind == 'closeness':
            value = 1.0 - min(abs(state.lateral_error_m) / config.closeness_m, 2.0)
        else:
            away = min(abs(state.lateral_error_m) / config.half_width_m, self.MOST_HALF_WIDTHS)
            value = config.progress_weight * state.progress_m / config.nominal_progress_m
            value -= config.lateral_weight * away * away
        if state.terminated:
            value -= config.intervention_penalty
        return float(np.float32(config.scale * value))
