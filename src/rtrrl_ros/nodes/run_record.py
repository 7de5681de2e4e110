"""What the monitor writes down about a run. No ROS."""

import dataclasses
import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..driving.laps import Lap, LapRecorder
from ..driving.reward_signal import RewardSignal
from ..safety.modes import Mode
from ..worlds.contract import StepType
from .latencies import ANSWERED, LATENCY, MISSED

#: begins each line that replaces the one before it
PROGRESS = 'progress: '


@dataclasses.dataclass(frozen=True)
class Step:
    """The learner's account of one observation, see LearnerStatus."""

    stamp_ns: int
    lap: int
    step: int
    td_error: float
    drift: float
    act_latency_s: float
    learn_latency_s: float
    updates: int
    refused: int
    missed: int
    rollbacks: int
    frozen: bool
    note: str = ''


class RunRecord:
    """Laps, latencies and counts, from what passes on the topics.

    Parameters
    ----------
    laps : the record is complete once so many are over and learned from; 0: never

    Attributes
    ----------
    lost : rewards that must have been missed: then the returns are too small
    """

    def __init__(self, laps: int) -> None:
        self.wanted = laps
        self.lost = 0
        self._recorder = LapRecorder()
        self._announced = 0
        self._newest: RewardSignal | None = None
        self._period_ns = 0
        self._step: Step | None = None
        self._modes = dict.fromkeys(Mode, 0)
        self._latencies: list[tuple[float, float]] = []
        self._intervals: list[float] = []  # between two observations of one lap
        self._td_errors: list[float] = []  # of the running lap
        self._drive_latency: dict[str, float] = {}
        self._since_s: float | None = None
        self._until_s = 0.0

    @property
    def laps(self) -> list[Lap]:
        return self._recorder.laps

    @property
    def complete(self) -> bool:
        """All laps are over, and the learner has dealt with the last observation."""
        if self._newest is None or self._step is None or not self.wanted:
            return False
        return len(self.laps) >= self.wanted and self._step.stamp_ns >= self._newest.stamp_ns

    def on_reward(self, signal: RewardSignal) -> None:
        """Rewards in the order of their stamps; repeated ones are ignored."""
        if self._newest is not None:
            gap_ns = signal.stamp_ns - self._newest.stamp_ns
            if gap_ns <= 0:
                return
            self._period_ns = min(self._period_ns, gap_ns) if self._period_ns else gap_ns
            if signal.step_type is not StepType.FIRST:
                self.lost += round(gap_ns / self._period_ns) - 1
        self._newest = signal
        self._recorder.on_reward(signal)

    def on_step(self, step: Step) -> None:
        """An observation that the learner has dealt with. The clock starts with the first."""
        now_s = time.monotonic()
        same_lap = self._step is not None and self._step.lap == step.lap
        if same_lap:
            self._intervals.append(now_s - self._until_s)
        else:
            self._td_errors.clear()
        self._td_errors.append(abs(step.td_error))
        self._until_s = now_s
        if self._since_s is None:
            self._since_s = now_s
        before = self._step.rollbacks if self._step else 0
        if step.rollbacks > before or step.note:
            self._recorder.mark(step.lap, step.rollbacks > before, step.note)
        self._step = step
        self._latencies.append((step.act_latency_s, step.learn_latency_s))

    def on_executed(self, mode: Mode) -> None:
        """A command that was really sent."""
        self._modes[mode] += 1

    def on_diagnostic(self, values: Mapping[str, str]) -> None:
        """What a node says about itself; of interest is who measures the way to `drive`."""
        if MISSED in values and ANSWERED in values:
            names = [key for key in values if key.startswith(LATENCY) or key in (MISSED, ANSWERED)]
            self._drive_latency = {name: float(values[name]) for name in names}

    def news(self) -> list[str]:
        """A line for each lap that is over and learned from, and was not told yet."""
        lines = []
        learned = self._step.lap if self._step else -1
        for lap in self.laps[self._announced :]:
            if learned <= lap.lap and not self.complete:
                break  # it may still turn out to be rolled back
            self._announced += 1
            lines.append(
                f'lap {lap.lap + 1:3d}  return {lap.task_return:7.1f}  steps {lap.steps}'
                f'{lap.remark}'
            )
        return lines

    def progress(self) -> str:
        """How far the run is, in one line."""
        if self._newest is None:
            return PROGRESS + 'waiting for the first observation'
        running = self._recorder.running
        learner = ''
        if self._step:
            latency_ms = 1e3 * (self._step.act_latency_s + self._step.learn_latency_s)
            learner = (
                f'  |TD error| {np.mean(self._td_errors):.3f}  drift {self._step.drift:.3f}'
                f'  latency {latency_ms:.1f} ms'
            )
        of = f'/{self.wanted}' if self.wanted else ''
        return (
            f'{PROGRESS}lap {running.lap + 1}{of}  step {running.steps}  '
            f'return {running.task_return:.0f}{learner}  {self._rate_hz():.0f} decisions/s'
        )

    def to_json(self) -> dict[str, Any]:
        """Everything, as the result of a run."""
        step = self._step
        return {
            'laps': [lap.to_json() for lap in self.laps],
            'seconds': round(self._seconds(), 3),
            'decisions': len(self._latencies),
            'decisions_per_s': round(self._rate_hz(), 2),
            'decision_interval_s': _percentiles(self._intervals),
            'act_latency_s': _percentiles([act for act, _ in self._latencies]),
            'learn_latency_s': _percentiles([learn for _, learn in self._latencies]),
            # from an observation to the command that answers it; empty in lock-step
            'drive_latency': self._drive_latency,
            'modes': {mode.name.lower(): count for mode, count in self._modes.items()},
            'learner': {
                name: getattr(step, name)
                for name in ('updates', 'refused', 'missed', 'rollbacks', 'frozen', 'drift')
            }
            if step
            else {},
            'lost_rewards': self.lost,
        }

    def _seconds(self) -> float:
        return 0.0 if self._since_s is None else self._until_s - self._since_s

    def _rate_hz(self) -> float:
        seconds = self._seconds()
        return (len(self._latencies) - 1) / seconds if seconds > 0.0 else 0.0


def _percentiles(values: list[float]) -> dict[str, float]:
    if not values:
        return {}
    p50, p99 = np.percentile(values, (50, 99))
    return {'p50': float(p50), 'p99': float(p99), 'max': float(max(values))}
