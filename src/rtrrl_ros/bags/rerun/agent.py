"""The agent of a recorded run once more, in a fresh process, fed from the bag.

In lock-step the run is a function of what was recorded. In real time it also depends on what was
there when the agent looked; that shows in its own reports: it learned from an observation if it
published a status for it, and acted if it proposed a command.
"""

import dataclasses

from ...checkpoint import Checkpoint
from ...driving.assembly import load_agent, single_threaded
from ...driving.driver import Driver, DriverReport
from ...driving.learner_run import RunStart, weight_digests
from ...safety.command import Command
from ...worlds.contract import StepType
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
    weights : digests, where a lap ended
    counters : after it
    """

    acted: bool
    proposal: Command | None = None
    report: DriverReport | None = None
    weights: dict[str, str] | None = None
    counters: dict[str, int] = dataclasses.field(default_factory=dict)


class Rerun:
    """Advances step by step, in the order of the stamps.

    Parameters
    ----------
    start, checkpoint : what the run began with
    whole : the steps begin with the run. Otherwise nothing is done until a lap begins, which is
        all that a policy needs that neither learns nor explores
    statuses, proposals : whether the bag has the agent's own reports
    """

    def __init__(
        self, start: RunStart, checkpoint: Checkpoint, *,
        whole: bool = True, statuses: bool = True, proposals: bool = True,
    ) -> None:  # fmt: skip
        single_threaded()
        self.agent = load_agent(
            checkpoint, start.learner, learn=start.learn, explore=start.explore, seed=start.seed
        )
        self._lockstep = start.lockstep
        self._waiting = not whole
        self._statuses, self._proposals = statuses, proposals
        self._reports: list[DriverReport] = []
        self.driver = Driver(
            self.agent, start.actuation, lockstep=start.lockstep, on_report=self._reports.append
        )
        self._previous: Step | None = None  # acted on last
        self._withheld: Step | None = None  # its reward came too late to learn from

    def advance(self, step: Step) -> Outcome:
        """Act and learn as the recorded agent did.

        Raises
        ------
        RecordingGapError
            from here on nothing that the agent computes can be known
        """
        first = step.signal is not None and step.signal.step_type is StepType.FIRST
        if self._waiting and not first:
            return Outcome(acted=False)
        self._waiting = False
        if not self._was_acted_on(step):
            return Outcome(acted=False)
        learned = self._was_learned_from(step)
        self._demand(step, learned, first)
        self._reports.clear()
        commands: list[Command] = []
        if learned and step.signal is not None:
            commands += self.driver.on_reward(step.signal)
        features = step.encoded if step.features is None else step.features
        assert features is not None
        commands += self.driver.on_features(step.stamp_ns, features)
        commands += self._late_reward(step, learned, first)
        if step.executed is not None:
            commands += self.driver.on_executed(step.stamp_ns, step.executed.mode)
        self._previous = step
        report = self._reports[-1] if self._reports else None
        ended = report is not None and report.lap_end is not None
        return Outcome(
            True, commands[0] if commands else None, report,
            weight_digests(self.agent) if ended else None,
            dataclasses.asdict(self.agent.counters),
        )  # fmt: skip

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

    def _demand(self, step: Step, learned: bool, first: bool) -> None:
        """Raise unless all is there that the agent had."""
        missing = ''
        previous = self._previous
        if step.features is None and step.encoded is None:
            missing = 'features'
        elif (learned or self._lockstep) and step.signal is None and step.status is not None:
            missing = 'reward'
        elif self._lockstep and previous is not None and previous.signal is None:
            missing, step = 'reward', previous
        elif learned and not first and (previous is None or previous.executed is None):
            missing, step = 'executed command', previous or step
        if missing:
            raise RecordingGapError(f'the bag lacks the {missing} of {step.stamp_ns * 1e-9:.3f} s')

    def _late_reward(self, step: Step, learned: bool, first: bool) -> list[Command]:
        """Rewards that were not learned from, at the time when the driver has no use for them.

        One that told of a new lap was heard after the action and before the next; the driver then
        starts anew. Any other one counts for the return of the lap only.
        """
        commands: list[Command] = []
        before, self._withheld = self._withheld, None
        if before is not None and before.signal is not None:
            commands += self.driver.on_reward(before.signal)
        if not learned and step.signal is not None:
            if first:
                commands += self.driver.on_reward(step.signal)
            else:
                self._withheld = step
        return commands
