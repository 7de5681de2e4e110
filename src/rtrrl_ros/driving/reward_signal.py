"""What the learner is told about one observation. Needs no torch, so that any node may use it."""

import dataclasses

from ..worlds.contract import StepType, WorldState


@dataclasses.dataclass(frozen=True)
class RewardSignal:
    """The reward of the transition into the observation with this stamp; see `WorldState`."""

    stamp_ns: int
    lap: int
    step_type: StepType
    terminated: bool
    truncated: bool
    reward: float
    task_reward: float
    lateral_error_m: float = 0.0

    @classmethod
    def of(cls, state: WorldState, reward: float) -> 'RewardSignal':
        """Pair the learner's reward with the world state it was computed from."""
        return cls(
            state.stamp_ns, state.lap, state.step_type, state.terminated, state.truncated,
            reward, state.task_reward, state.lateral_error_m,
        )  # fmt: skip
