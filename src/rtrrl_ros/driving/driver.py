"""The driver: pairs features, executed commands and rewards by stamp, and calls the agent.

Threading: none; every method must be called from one thread. Each returns an iterator of commands
that must be consumed at once, sending each command before asking for the next: the learning runs
between two items, so that an action is on its way before anything is learned.
"""

import collections
import dataclasses
import time
from collections.abc import Callable, Iterator

import numpy as np

from ..learning.guarded import GuardedAgent, LapEnd
from ..learning.rtrrl import Update
from ..safety.command import Command
from ..safety.modes import Mode
from ..worlds.contract import StepType
from .actuation import Actuation
from .reward_signal import RewardSignal

#: stamps kept for partners that have not come yet
MEMORY = 256


@dataclasses.dataclass(frozen=True)
class DriverReport:
    """What happened at one observation, once it has been learned from."""

    signal: RewardSignal
    update: Update
    lap_end: LapEnd | None
    learning: bool
    drift: float
    act_latency_s: float
    learn_latency_s: float


class Driver:
    """Acts on features and learns from paired messages.

    In lock-step the action for an observation waits until everything about the observation before
    has been learned: the run is then a function of the seed alone. Otherwise the car does not wait:
    where a partner is missing when the next features come, nothing is learned from that step.
    """

    def __init__(
        self, agent: GuardedAgent, actuation: Actuation, *, lockstep: bool,
        on_report: Callable[[DriverReport], None] = lambda report: None,
    ) -> None:  # fmt: skip
        self.agent, self.actuation, self.lockstep = agent, actuation, lockstep
        self.on_report = on_report
        self._waiting: tuple[int, np.ndarray] | None = None  # features not acted on yet
        self._acted: int | None = None  # stamp of the newest action
        self._learned = True  # has that observation been learned from?
        self._previous: int | None = None  # stamp of the action before, in this lap
        self._command: Command | None = None
        self._act_latency_s = 0.0
        self._lap_return = 0.0
        self._rewards: collections.OrderedDict[int, RewardSignal] = collections.OrderedDict()
        self._executed: collections.OrderedDict[int, Mode] = collections.OrderedDict()

    def on_features(self, stamp_ns: int, features: np.ndarray) -> Iterator[Command]:
        """New features (I,) float32; a stamp seen before gets the same command again."""
        if self._acted is not None and stamp_ns <= self._acted:
            if stamp_ns == self._acted and self._command is not None:
                yield self._command
            return
        self._waiting = (stamp_ns, features)
        yield from self._advance()

    def on_executed(self, stamp_ns: int, mode: Mode) -> Iterator[Command]:
        """What the gate did with the command of this stamp."""
        _remember(self._executed, stamp_ns, mode)
        yield from self._advance()

    def on_reward(self, signal: RewardSignal) -> Iterator[Command]:
        """The reward of the transition into an observation."""
        _remember(self._rewards, signal.stamp_ns, signal)
        yield from self._advance()

    def _advance(self) -> Iterator[Command]:
        while True:
            if self._can_learn():
                self._learn()
            elif self._waiting is not None and (self._learned or not self.lockstep):
                if not self._learned:
                    self.agent.skip()
                command = self._act(*self._waiting)
                self._waiting = None
                if command is not None:
                    yield command
            else:
                return

    def _act(self, stamp_ns: int, features: np.ndarray) -> Command | None:
        start = time.perf_counter()
        action = self.agent.act(features)
        if action is not None:
            action = np.clip(action, -1.0, 1.0)
        self._previous = self._acted
        self._acted, self._learned = stamp_ns, False
        self._command = None if action is None else self.actuation.command(stamp_ns, action)
        self._act_latency_s = time.perf_counter() - start
        return self._command

    def _can_learn(self) -> bool:
        if self._learned or self._acted is None or self._acted not in self._rewards:
            return False
        first = self._rewards[self._acted].step_type is StepType.FIRST
        return first or self._previous in self._executed

    def _learn(self) -> None:
        start = time.perf_counter()
        assert self._acted is not None
        signal = self._rewards[self._acted]
        first = signal.step_type is StepType.FIRST
        mode = Mode.PASSED if first else self._executed[self._previous or 0]
        learning = self.agent.training_actor
        update = self.agent.learn(
            reward=signal.reward, first=first, terminated=signal.terminated,
            executed=mode in (Mode.PASSED, Mode.LIMITED),
        )  # fmt: skip
        self._lap_return += signal.task_reward
        drift, lap_end = self.agent.drift(), None
        if signal.step_type is StepType.LAST:
            lap_end = self.agent.end_lap(self._lap_return)
            self._lap_return = 0.0
        self._learned = True
        self.on_report(
            DriverReport(
                signal,
                update,
                lap_end,
                learning,
                drift,
                self._act_latency_s,
                time.perf_counter() - start,
            )
        )


def _remember(memory: collections.OrderedDict, stamp_ns: int, value: object) -> None:
    memory[stamp_ns] = value
    while len(memory) > MEMORY:
        memory.popitem(last=False)
