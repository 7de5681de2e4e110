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
from .lap_returns import LapReturns
from .reward_signal import RewardSignal

#: stamps kept for partners that have not come yet
MEMORY = 256
#: further back than this, stamps are those of a clock that was set back or began anew
CLOCK_BACK_NS = 1_000_000_000


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
    lap_return: float | None = None  # where the lap ended


@dataclasses.dataclass(frozen=True)
class LapLeft:
    """A lap was left without having learned from its last observation.

    Attributes
    ----------
    stamp_ns : of the observation that told of another lap
    lap : that was left; None: nobody knows which
    acted : it had been acted on already
    lap_return : what the guard judged by; None: nobody knows what the lap was worth
    """

    stamp_ns: int
    lap: int | None
    acted: bool
    lap_return: float | None


class Driver:
    """Acts on features and learns from paired messages.

    In lock-step the action for an observation waits until everything about the observation before
    has been learned: the run is then a function of the seed alone. Otherwise the car does not wait:
    where a partner is missing when the next features come, nothing is learned from that step. A lap
    whose last step was not learned from ends when the next lap is noticed: what the recurrent state
    remembers of one lap never goes on for long into the next.

    The guard judges a lap only if it was heard from its first observation on and no person drove in
    it: any other return says nothing about the weights.
    """

    def __init__(
        self, agent: GuardedAgent, actuation: Actuation, *, lockstep: bool,
        on_report: Callable[[DriverReport], None] = lambda report: None,
        on_left: Callable[[LapLeft], None] = lambda left: None,
        laps: LapReturns | None = None,
    ) -> None:  # fmt: skip
        self.agent, self.actuation, self.lockstep = agent, actuation, lockstep
        self.on_report, self.on_left = on_report, on_left
        self._waiting: tuple[int, np.ndarray] | None = None  # features not acted on yet
        self._acted: int | None = None  # stamp of the newest action
        self._learned = True  # has that observation been learned from?
        self._previous: int | None = None  # stamp of the action before, in this lap
        self._command: Command | None = None
        self._act_latency_s = 0.0
        self._begun: int | None = None  # stamp of the first action of the recurrent state
        self._lap: int | None = None  # its lap, once a reward has told
        self._laps = laps or LapReturns()
        self._rewards: collections.OrderedDict[int, RewardSignal] = collections.OrderedDict()
        self._executed: collections.OrderedDict[int, Mode] = collections.OrderedDict()

    def on_features(self, stamp_ns: int, features: np.ndarray) -> Iterator[Command]:
        """New features (I,) float32; a stamp seen before gets the same command again."""
        if self._acted is not None and stamp_ns <= self._acted:
            if stamp_ns == self._acted and self._command is not None:
                yield self._command
            if self._acted - stamp_ns <= CLOCK_BACK_NS:
                return
            self._begin_anew()
        self._waiting = (stamp_ns, features)
        yield from self._advance()

    def on_executed(self, stamp_ns: int, mode: Mode) -> Iterator[Command]:
        """What the gate did with the command of this stamp."""
        _remember(self._executed, stamp_ns, mode)
        if mode is Mode.TAKEOVER and not self.lockstep and self._laps.newest is not None:
            self._laps.disown(self._laps.newest)
        yield from self._advance()

    def on_reward(self, signal: RewardSignal) -> Iterator[Command]:
        """The reward of the transition into an observation."""
        if signal.stamp_ns not in self._rewards:
            self._laps.add(signal)
            self._tell_lap(signal.stamp_ns, signal.lap)
        _remember(self._rewards, signal.stamp_ns, signal)
        yield from self._advance()

    def _tell_lap(self, stamp_ns: int, lap: int) -> None:
        """The lap of an observation: perhaps one that the recurrent state has seen."""
        if self._lap is not None or self._begun is None or self._acted is None:
            return
        if self._begun <= stamp_ns <= self._acted:
            self._lap = lap

    def _advance(self) -> Iterator[Command]:
        while True:
            if not self._learned and self._leave_lap(self._acted):
                self._learned = True  # it was acted on with the wrong state
            elif self._can_learn():
                self._learn()
            elif self._waiting is not None and (self._learned or not self.lockstep):
                if not self._learned:
                    self.agent.skip()
                self._leave_lap(self._waiting[0])
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
        if self._begun is None:
            self._begun = stamp_ns
        if stamp_ns in self._rewards:
            self._tell_lap(stamp_ns, self._rewards[stamp_ns].lap)
        self._command = None if action is None else self.actuation.command(stamp_ns, action)
        self._act_latency_s = time.perf_counter() - start
        return self._command

    def _leave_lap(self, stamp_ns: int | None) -> bool:
        """Start anew where an observation belongs to a later lap than the recurrent state.

        Never in lock-step, where the end of a lap is always learned from.
        """
        if self.lockstep:
            return False
        signal = None if stamp_ns is None else self._rewards.get(stamp_ns)
        if signal is None or self._begun is None or signal.stamp_ns <= self._begun:
            return False
        same = self._lap is None or signal.lap == self._lap
        if same and signal.step_type is not StepType.FIRST:
            return False
        lap, lap_return = self._lap, None
        if lap is not None and lap == self._laps.over and not same:
            lap_return = self._laps.of_policy(lap)
        if lap_return is not None:
            self.agent.end_lap(lap_return)
        else:
            self.agent.restart()  # nobody knows what the lap was worth: it is not judged
        self._begun = self._lap = None
        acted = signal.stamp_ns == self._acted
        self.on_left(LapLeft(signal.stamp_ns, lap, acted, lap_return))
        return True

    def _begin_anew(self) -> None:
        """The clock of the observations was set back: nothing from before has a meaning now.

        Partners that came before the features of the new time stay.
        """
        assert self._acted is not None
        for memory in (self._rewards, self._executed):
            for stamp_ns in [s for s in memory if self._acted - s <= CLOCK_BACK_NS]:
                del memory[stamp_ns]
        self._laps.begin_anew(self._rewards.values())
        if not self._learned:
            self.agent.skip()
        self.agent.restart()
        self._learned, self._command = True, None
        self._acted = self._previous = self._begun = self._lap = None

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
        drift, lap_end, lap_return = self.agent.drift(), None, None
        if mode is Mode.TAKEOVER:
            self._laps.disown(signal.lap)
        if signal.step_type is StepType.LAST:
            lap_return = self._laps.of_policy(signal.lap)
            if lap_return is None:
                self.agent.restart()
            else:
                lap_end = self.agent.end_lap(lap_return)
            self._begun = self._lap = None
        self._learned = True
        report = DriverReport(
            signal, update, lap_end, learning, drift, self._act_latency_s,
            time.perf_counter() - start, lap_return,
        )  # fmt: skip
        self.on_report(report)


def _remember(memory: collections.OrderedDict, stamp_ns: int, value: object) -> None:
    memory[stamp_ns] = value
    while len(memory) > MEMORY:
        memory.popitem(last=False)
