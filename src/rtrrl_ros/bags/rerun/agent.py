"""The agent of a recorded run once more, in a fresh process, fed from the bag.

In lock-step the run is a function of what was recorded. In real time it also depends on what was
there when the agent looked. That shows in its own reports: it acted if it proposed a command, it
learned from an observation if it published a status for it, and its account tells when it left a
lap and what it judged each lap by. What it did not learn from is kept from the driver until it can
do no more than count.
"""

import dataclasses
from collections.abc import Iterable, Iterator

from ...checkpoint import Checkpoint
from ...driving.assembly import load_agent, single_threaded
from ...driving.driver import Driver, DriverReport, LapLeft
from ...driving.lap_returns import LapReturns
from ...driving.learner_run import LAP, LEFT, RunMark, RunStart, weight_digests
from ...safety.command import Command
from .steps import Step


class RecordingGapError(Exception):
    """The bag lacks what the agent had; the text says what, and where."""


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What came of one step.

    Attributes
    ----------
    acted : the agent was shown the features
    proposal : None if it proposed nothing
    report : None if it learned nothing
    weights : digests, where a lap ended or was left
    lap_return : that the lap was judged by, if it was
    counters : after it
    """

    acted: bool
    proposal: Command | None = None
    report: DriverReport | None = None
    weights: dict[str, str] | None = None
    lap_return: float | None = None
    counters: dict[str, int] = dataclasses.field(default_factory=dict)


class _ToldReturns(LapReturns):
    """Returns of a run whose agent alone knew which rewards it had heard: it told in its account.

    Attributes
    ----------
    told : of the lap that is judged at the newest observation; None: none is
    """

    told: RunMark | None = None

    def of_policy(self, lap: int) -> float | None:
        return None if self.told is None else self.told.lap_return


class Rerun:
    """Advances step by step, in the order of the stamps.

    Parameters
    ----------
    start, checkpoint : what the run began with
    marks : of the account of the run
    whole : the steps begin with the run. Otherwise nothing is done until a lap begins, which is
        all that a policy needs that neither learns nor explores
    statuses, proposals : whether the bag has the agent's own reports
    """

    def __init__(
        self, start: RunStart, checkpoint: Checkpoint, marks: Iterable[RunMark] = (), *,
        whole: bool = True, statuses: bool = True, proposals: bool = True,
    ) -> None:  # fmt: skip
        single_threaded()
        self.agent = load_agent(
            checkpoint, start.learner, learn=start.learn, explore=start.explore, seed=start.seed
        )
        marks = list(marks)
        self._left = {mark.stamp_ns: mark for mark in marks if mark.event == LEFT}
        self._judged = {mark.stamp_ns: mark for mark in marks if mark.event in (LAP, LEFT)}
        self._lockstep = start.lockstep
        self._returns = _ToldReturns()
        self._waiting = not whole
        self._statuses, self._proposals = statuses, proposals
        self._ends: list[DriverReport | LapLeft] = []
        self._reports: list[DriverReport] = []
        self.driver = Driver(
            self.agent, start.actuation, lockstep=start.lockstep, on_report=self._reports.append,
            on_left=self._ends.append,
            laps=None if start.lockstep else self._returns,  # in lock-step it hears all
        )  # fmt: skip
        self._previous: Step | None = None  # acted on last
        self._withheld: Step | None = None  # its reward was not learned from

    def advance(self, step: Step) -> Outcome:
        """Act and learn as the recorded agent did.

        Raises
        ------
        RecordingGapError
            from here on nothing that the agent computes can be known
        """
        if self._waiting and not step.first:
            return Outcome(acted=False)
        self._waiting = False
        if not self._was_acted_on(step):
            return Outcome(acted=False)
        learned = self._was_learned_from(step)
        self._demand(step, learned)
        self._reports.clear()
        self._ends.clear()
        proposal = self._feed(step, learned)
        report = self._reports[-1] if self._reports else None
        if report is not None and report.lap_end is not None:
            self._ends.append(report)
        end = self._ends[-1] if self._ends else None
        return Outcome(
            True, proposal, report, weight_digests(self.agent) if end else None,
            end.lap_return if end else None, dict(vars(self.agent.counters)),
        )  # fmt: skip

    def _feed(self, step: Step, learned: bool) -> Command | None:
        """Tell the driver, in the order in which it heard; returns its command."""
        driver, left, previous = self.driver, self._left.get(step.stamp_ns), self._previous
        commands: list[Command] = []
        self._returns.told = self._judged.get(step.stamp_ns)
        if left is not None and left.lap_return is not None and self._withheld is not None:
            over = self._withheld.signal
            if self._withheld.last and over is not None and over.lap == left.lap:
                commands += self._release()  # it knew that the lap was over
        if learned and step.signal is not None:
            if previous is not None and previous.executed is not None:
                commands += driver.on_executed(previous.stamp_ns, previous.executed.mode)
            commands += driver.on_reward(step.signal)
        features = step.encoded if step.features is None else step.features
        assert features is not None
        commands += driver.on_features(step.stamp_ns, features)
        late, self._withheld = self._withheld, None if learned else step
        if left is not None and left.acted and not (late is not None and late.first):
            commands += self._release()  # before it knew that the lap was over
        commands += self._tell_reward(late)
        if left is not None and left.acted:
            commands += self._release()
        self._previous = step
        return commands[0] if commands else None

    def _release(self) -> Iterator[Command]:
        """Tell the driver of the reward that was withheld."""
        step, self._withheld = self._withheld, None
        yield from self._tell_reward(step)

    def _tell_reward(self, step: Step | None) -> Iterator[Command]:
        if step is not None and step.signal is not None:
            yield from self.driver.on_reward(step.signal)

    def _was_acted_on(self, step: Step) -> bool:
        if self._lockstep:  # what has a reward only was cut off, at the end of a recording
            seen = (step.features, step.encoded, step.proposal, step.status)
            return any(part is not None for part in seen)
        if not self._proposals:
            return step.features is not None
        return step.proposal is not None or step.status is not None

    def _was_learned_from(self, step: Step) -> bool:
        if self._lockstep or not self._statuses:
            return step.signal is not None
        return step.status is not None

    def _demand(self, step: Step, learned: bool) -> None:
        """Raise unless all is there that the agent had."""
        missing = ''
        previous = self._previous
        if step.features is None and step.encoded is None:
            missing = 'features'
        elif (learned or self._lockstep) and step.signal is None and step.status is not None:
            missing = 'reward'
        elif self._lockstep and previous is not None and previous.signal is None:
            missing, step = 'reward', previous
        elif learned and not step.first and (previous is None or previous.executed is None):
            missing, step = 'executed command', previous or step
        if missing:
            raise RecordingGapError(f'the bag lacks the {missing} of {step.stamp_ns * 1e-9:.3f} s')
