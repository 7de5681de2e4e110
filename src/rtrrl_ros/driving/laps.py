"""Laps as the JSON of evaluate, finetune and the main job reports them."""

import dataclasses
import math
from typing import Any

from ..worlds.contract import StepType
from .reward_signal import RewardSignal


@dataclasses.dataclass
class Lap:
    """One finished lap; `to_json` gives the contract's fields.

    `note` : what was decided at its end, for people; empty where nothing was
    """

    lap: int
    steps: int = 0
    task_return: float = 0.0
    interventions: int = 0
    rolled_back: bool = False
    sum_abs_lateral_error_m: float = 0.0
    note: str = ''

    @property
    def mean_abs_lateral_error_m(self) -> float:
        """Mean distance from the line over the steps of the lap."""
        return self.sum_abs_lateral_error_m / max(1, self.steps)

    @property
    def remark(self) -> str:
        """What was out of the ordinary, to go behind a line about this lap."""
        happened = 'intervention' if self.interventions else ''
        decided = self.note or ('rolled back' if self.rolled_back else '')
        return ''.join(f'  {word}' for word in (happened, decided) if word)

    def to_json(self) -> dict[str, Any]:
        return {
            'lap': self.lap, 'steps': self.steps, 'return': self.task_return,
            'mean_abs_lateral_error_m': self.mean_abs_lateral_error_m,
            'interventions': self.interventions, 'rolled_back': self.rolled_back,
        }  # fmt: skip


class LapRecorder:
    """Adds up reward signals, in the order of their stamps, to laps.

    A signal seen before (the same stamp again) is ignored.
    """

    def __init__(self) -> None:
        self.laps: list[Lap] = []
        self.running = Lap(0)
        self._newest_ns = -math.inf

    def on_reward(self, signal: RewardSignal) -> Lap | None:
        """Returns the lap that this signal ends, if it does."""
        if signal.stamp_ns <= self._newest_ns:
            return None
        self._newest_ns = signal.stamp_ns
        if signal.step_type is StepType.FIRST:
            self.running = Lap(signal.lap)
            return None
        self.running.steps += 1
        self.running.task_return += signal.task_reward
        self.running.sum_abs_lateral_error_m += abs(signal.lateral_error_m)
        if signal.step_type is not StepType.LAST:
            return None
        self.running.interventions += signal.terminated
        self.laps.append(self.running)
        return self.running

    def mark(self, lap: int, rolled_back: bool, note: str) -> None:
        """What was decided at the end of this lap."""
        for done in self.laps:
            if done.lap == lap:
                done.rolled_back |= rolled_back
                done.note = note or done.note
