"""The command gate: what is not certain is an explicit zero on `drive`.

The gate is told of every proposal, of the deadman, of a person's commands and of the passing of
time, each with the reading `now_s` of a steady clock, and answers with the command to send. It
keeps no clock and starts no thread: its owner calls from one thread.
"""

import dataclasses

from .command import Command
from .limits import GateLimits, Limiter
from .modes import TRANSITIONS, Event, Mode

FROM_THE_FUTURE = 'stamped in the future'

__all__ = ['Gate', 'GateLimits', 'GateOutput', 'Mode']


@dataclasses.dataclass(frozen=True)
class GateOutput:
    """A command to send, the mode that it was made in, and why ('' when it simply passed)."""

    command: Command
    mode: Mode
    reason: str


class Gate:
    """Passes, limits or replaces drive commands.

    In lock-step the world waits for the command with the stamp of its observation, and only such
    commands are ever driven. A stop between two proposals then bears the stamp 0, which no world
    waits for, and leaves no mark: a hiccup of the machine does not change what is driven next.
    Elsewhere a stop is driven at once: it bears the stamp of the command that it puts an end to,
    and the rates of the next command count from zero.

    Attributes
    ----------
    mode : as of the last call
    """

    def __init__(self, limits: GateLimits) -> None:
        self.limits = limits
        self._limit = Limiter(limits)
        self.reset()

    def reset(self) -> None:
        """Forget everything: the car stands still and nothing was heard from anyone."""
        self.mode = Mode.STOPPED
        self._reference = Command.zero(0)  # what the wheels do now, as far as is known
        self._reference_s: float | None = None
        self._answer: GateOutput | None = None  # to the newest proposal
        self._cut_short = False  # the answer was driven, then replaced by a stop
        self._heard_s: float | None = None
        self._deadman_s: float | None = None
        self._human_s: float | None = None
        self._human = Command.zero(0)

    def propose(self, command: Command, now_s: float, clock_ns: int | None = None) -> GateOutput:
        """Answer a proposal; the same stamp again gets the same answer again.

        Parameters
        ----------
        command : stamped with the observation that it answers
        now_s : steady clock
        clock_ns : the clock that stamps observations; None where it stands still (lock-step)
        """
        self._notice_human_gone(now_s)
        self._notice_clock_set_back(clock_ns)
        stamp = command.stamp_ns
        if self._answer is not None and stamp <= self._last_stamp_ns:
            return self._propose_again(stamp, now_s)
        fault = self._fault(command, clock_ns)
        if not fault:
            self._heard_s = now_s
        elapsed_s = self._gap_s(stamp)
        following = self._human_fresh(now_s)
        if following:
            answer = self._follow_human(stamp, elapsed_s)
        elif fault:
            answer = self._stop(Event.REFUSED, fault, stamp)
        elif not self._deadman_live(now_s):
            answer = self._stop(Event.DEADMAN_LOST, 'deadman not held', stamp)
        else:
            limited, reason = self._limit(command, self._reference, elapsed_s)
            self._move(Event.BEYOND if reason else Event.WITHIN)
            answer = GateOutput(limited, self.mode, reason)
        if self._lockstep or not following:  # else it repeats the person's, whose rates go on
            self._reference, self._reference_s = answer.command, now_s
        if fault != FROM_THE_FUTURE:  # which would put every later stamp out of order
            self._answer, self._cut_short = answer, False
        return answer

    def tick(self, now_s: float) -> GateOutput | None:
        """The watchdog: a stop while in doubt, None while the last command still stands."""
        gone = self._notice_human_gone(now_s)
        if self._human_fresh(now_s):
            return None
        if gone:
            return self._interrupt(Event.HUMAN_GONE, 'the person let go')
        if not self._deadman_live(now_s):
            return self._interrupt(Event.DEADMAN_LOST, 'deadman not held')
        if not _recent(self._heard_s, now_s, self.limits.max_age_s):
            return self._interrupt(Event.SILENCE, 'no proposals')
        return None

    def deadman(self, pressed: bool, now_s: float) -> GateOutput | None:
        """Take note of the deadman; returns the stop if it was let go while the car may move."""
        self._deadman_s = now_s if pressed else None
        if pressed or self._lockstep or self.mode in (Mode.STOPPED, Mode.TAKEOVER):
            return None
        return self.tick(now_s)

    def takeover(self, command: Command, now_s: float) -> GateOutput | None:
        """A person drives: returns the command to send at once, None in lock-step.

        The person's command is held to the same limits; one that is not finite counts as zero.
        """
        self._human = command if command.finite else Command.zero(command.stamp_ns)
        self._human_s = now_s
        self._move(Event.HUMAN)
        if self._lockstep:
            return None
        gap_s = 0.0 if self._reference_s is None else now_s - self._reference_s
        elapsed_s = min(self.limits.max_age_s, max(0.0, gap_s))  # in this order: 0 for a NaN
        wanted = dataclasses.replace(self._human, stamp_ns=self._last_stamp_ns)
        limited, reason = self._limit(wanted, self._reference, elapsed_s)
        self._reference, self._reference_s = limited, now_s
        self._cut_short = True
        return GateOutput(limited, self.mode, reason)

    def stop(self, reason: str) -> GateOutput:
        """The owner puts an end to driving; `reset` before driving again."""
        return self._interrupt(Event.SILENCE, reason)

    @property
    def _lockstep(self) -> bool:
        return self.limits.lockstep

    @property
    def _last_stamp_ns(self) -> int:
        return 0 if self._answer is None else self._answer.command.stamp_ns

    def _move(self, event: Event) -> None:
        self.mode = TRANSITIONS[self.mode, event]

    def _gap_s(self, stamp_ns: int) -> float:
        """Time since the proposal before, by the stamps; no gap earns more than `max_age_s`."""
        if self._answer is None:
            return self.limits.max_age_s
        return min((stamp_ns - self._last_stamp_ns) * 1e-9, self.limits.max_age_s)

    def _fault(self, command: Command, clock_ns: int | None) -> str:
        """Why the proposal cannot be trusted, '' if it can."""
        if not command.finite:
            return 'not finite'
        if clock_ns is not None and not self._lockstep:
            age_s = (clock_ns - command.stamp_ns) * 1e-9
            if age_s > self.limits.max_age_s:
                return 'stale'
            if age_s < -self.limits.max_age_s:
                return FROM_THE_FUTURE
        return ''

    def _propose_again(self, stamp_ns: int, now_s: float) -> GateOutput:
        """A stamp that was answered before, or an older one."""
        if self._human_fresh(now_s) and not self._lockstep:
            return self._follow_human(stamp_ns, 0.0)
        if stamp_ns < self._last_stamp_ns:
            return self._stop(Event.REFUSED, 'out of order', stamp_ns, driven=not self._lockstep)
        if self._cut_short:
            return self._stop(Event.REFUSED, 'stopped since this was answered', stamp_ns)
        assert self._answer is not None
        doubt = None if self._lockstep else self.tick(now_s)
        return doubt or self._answer

    def _stop(self, event: Event, reason: str, stamp_ns: int, driven: bool = True) -> GateOutput:
        self._move(event)
        zero = Command.zero(stamp_ns)
        if driven:
            self._reference = zero
            self._cut_short = not self._lockstep
        return GateOutput(zero, Mode.STOPPED, reason)

    def _interrupt(self, event: Event, reason: str) -> GateOutput:
        """A stop that answers no proposal."""
        if self._lockstep:
            return self._stop(event, reason, 0, driven=False)
        return self._stop(event, reason, self._last_stamp_ns)

    def _follow_human(self, stamp_ns: int, elapsed_s: float) -> GateOutput:
        """Answer a proposal while a person drives."""
        if not self._lockstep:  # the person's command was sent when it came
            return GateOutput(
                dataclasses.replace(self._reference, stamp_ns=stamp_ns), self.mode, 'takeover'
            )
        wanted = dataclasses.replace(self._human, stamp_ns=stamp_ns)
        limited, reason = self._limit(wanted, self._reference, elapsed_s)
        return GateOutput(limited, self.mode, reason or 'takeover')

    def _human_fresh(self, now_s: float) -> bool:
        return _recent(self._human_s, now_s, self.limits.takeover_timeout_s)

    def _notice_human_gone(self, now_s: float) -> bool:
        gone = self.mode is Mode.TAKEOVER and not self._human_fresh(now_s)
        if gone:
            self._move(Event.HUMAN_GONE)
            self._cut_short = not self._lockstep  # what was answered meanwhile was the person's
        return gone

    def _notice_clock_set_back(self, clock_ns: int | None) -> None:
        """Forget an answer of the future, before which every stamp would be out of order."""
        if clock_ns is None or self._lockstep or self._answer is None:
            return
        if (self._last_stamp_ns - clock_ns) * 1e-9 > self.limits.max_age_s:
            self._answer = None

    def _deadman_live(self, now_s: float) -> bool:
        return not self.limits.require_deadman or _recent(
            self._deadman_s, now_s, self.limits.deadman_timeout_s
        )


def _recent(then_s: float | None, now_s: float, timeout_s: float) -> bool:
    """False also if nothing ever came, or if the clock makes no sense."""
    return then_s is not None and 0.0 <= now_s - then_s <= timeout_s
