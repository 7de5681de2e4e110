"""What laps were worth, and of which of them that says something about the policy."""

import collections
from collections.abc import Iterable

from ..worlds.contract import StepType
from .reward_signal import RewardSignal

#: laps that are remembered; more than one where rewards come late
LAPS = 16


class LapReturns:
    """Adds up the rewards of each lap, learned from or not.

    A return tells how good the policy is only if the lap was heard from its first observation on,
    and no person drove in it.

    Attributes
    ----------
    newest : the lap that a reward told of last; None before the first
    over : the lap whose last reward came last; None if there is none
    """

    def __init__(self) -> None:
        self.newest: int | None = None
        self.over: int | None = None
        self._returns: collections.OrderedDict[int, float] = collections.OrderedDict()
        self._own: set[int] = set()

    def add(self, signal: RewardSignal) -> None:
        """A reward that was not heard before."""
        lap = self.newest = signal.lap
        if signal.step_type is StepType.FIRST:
            self._returns.pop(lap, None)
            self._own.add(lap)
        self._returns[lap] = self._returns.get(lap, 0.0) + signal.task_reward
        if len(self._returns) > LAPS:
            forgotten, _ = self._returns.popitem(last=False)
            self._own.discard(forgotten)
        if signal.step_type is StepType.LAST:
            self.over = lap

    def disown(self, lap: int) -> None:
        """A person drove in this lap."""
        self._own.discard(lap)

    def of_policy(self, lap: int) -> float | None:
        """The return of a lap, if it is the policy's alone and was heard from the first on."""
        return self._returns[lap] if lap in self._own else None

    def begin_anew(self, heard: Iterable[RewardSignal]) -> None:
        """The clock was set back: only what was heard of the new time counts."""
        begun = {signal.lap for signal in heard if signal.step_type is StepType.FIRST}
        self._own = begun & self._returns.keys()
        self.over = None
