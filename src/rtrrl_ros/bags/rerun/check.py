"""Everything that a recording says about encoder and agent, against what they compute."""

from collections.abc import Callable
from typing import Any

from ...checkpoint import Checkpoint
from ...driving.learner_run import END, RunMark, RunStart, software, weight_digests
from ..reading import Bag
from .agent import Outcome, RecordingGapError, Rerun
from .comparison import Comparison, same_bits
from .runs import TOPIC, RecordedRun
from .sight import ANEW, GAP, Sight
from .steps import Step

#: floats of a LearnerStatus, and where they are in a report
_FLOATS: dict[str, Callable[[Any], float]] = {
    'reward': lambda report: report.signal.reward,
    'value': lambda report: report.update.value,
    'td_error': lambda report: report.update.td_error,
    'drift': lambda report: report.drift,
}
_COUNTERS = ('updates', 'refused', 'missed', 'rollbacks')


class RunCheck:
    """Compares a run step by step.

    Parameters
    ----------
    checkpoint : the model that drove; None: unknown
    sight : its eye; None: there is nothing that it could see

    Attributes
    ----------
    comparison : quantity by quantity
    not_checked : what cannot be compared, and why, a line each
    remarks : what else one should know, a line each
    """

    def __init__(
        self, bag: Bag, run: RecordedRun, checkpoint: Checkpoint | None, sight: Sight | None
    ) -> None:
        self.comparison = Comparison()
        self.not_checked: list[str] = []
        self.remarks: list[str] = [bag.incomplete] if bag.incomplete else []
        self._bag, self._run, self._checkpoint, self._sight = bag, run, checkpoint, sight
        self._rerun: Rerun | None = None
        self._stopped = False  # the agent, for a reason that was told
        self._partial = False  # its counters began before the recording
        self._unseen = 0  # features without all that they were made of
        self._gap = False  # what they were made of is still missing something
        self._learned_ns = 0  # stamp of what was learned from last
        if sight is None:
            what = 'the model' if checkpoint is None else 'the topic of its camera'
            self.not_checked.append(f'features: the bag does not have {what}')
        elif not self._has('/features'):
            self.not_checked.append('features: the bag does not have /features')
        if run.start is None:
            self._stop(f'the bag does not have {TOPIC}')
        else:
            self._tell_machine(run.start)
            for topic, what in (
                ('/drive_proposal', 'proposals'),
                ('/learner_status', 'values, TD errors and drift'),
            ):
                if not self._has(topic):
                    self.not_checked.append(f'{what}: the bag does not have {topic}')
            for topic in ('/reward', '/executed'):
                if not self._has(topic):
                    self._stop(f'the bag does not have {topic}')

    def _has(self, topic: str) -> bool:
        return topic in self._bag.topics and self._bag.topics[topic].count > 0

    def _stop(self, reason: str) -> None:
        if not self._stopped:
            self.not_checked.append(f'agent: {reason}')
        self._stopped = True

    def _tell_machine(self, start: RunStart) -> None:
        here = software()
        for name, then in start.software.items():
            if here.get(name) != then:
                self.remarks.append(f'recorded with {name} {then}, here it is {here.get(name)}')

    def step(self, index: int, step: Step) -> None:
        """Compare one step."""
        if step.past == ANEW:
            self._gap = False
        elif step.past == GAP or (step.features is not None and step.encoded is None):
            self._gap = True
        if self._gap and same_bits(step.features, step.encoded):
            self._gap = False  # what was missing is forgotten
        if self._gap:
            self._unseen += step.features is not None
        elif step.encoded is not None:
            self.comparison.check('features', step.features, step.encoded, index, step.stamp_ns)
        if self._stopped:
            return
        if self._rerun is None:
            self._begin(step)
        if self._rerun is None:
            return
        try:
            outcome = self._rerun.advance(step)
        except RecordingGapError as error:
            self._stop(f'from step {index} on: {error}')
            return
        if outcome.acted:
            self._compare(index, step, outcome)

    def _begin(self, step: Step) -> None:
        """Make the agent, at the first step that shows where the run stands."""
        start, checkpoint = self._run.start, self._checkpoint
        assert start is not None and checkpoint is not None
        if step.features is None and step.encoded is None and step.status is None:
            return  # what comes before the first picture is of no use to the agent
        statuses = self._has('/learner_status')
        whole = start.steps == 0
        if statuses:
            whole = whole and step.status is not None and step.status.step == 1
        else:
            whole = whole and step.seq <= 0
        if not whole and (start.learn or start.explore):
            self._stop('the recording begins in the midst of the run')
            return
        if not whole:
            self.remarks.append(
                'the recording begins in the midst of the run: its first lap is out'
            )
            self._partial = True
        self._rerun = Rerun(
            start, checkpoint, self._run.marks, whole=whole, statuses=statuses,
            proposals=self._has('/drive_proposal'),
        )  # fmt: skip
        weights = _joined(weight_digests(self._rerun.agent))
        self.comparison.check(
            'weights at the start', _joined(start.weights), weights, 0, step.stamp_ns
        )

    def _compare(self, index: int, step: Step, outcome: Outcome) -> None:
        stamp_ns, report, status = step.stamp_ns, outcome.report, step.status
        place = index, stamp_ns
        check = self.comparison.check
        check('proposal', _numbers(step.proposal), _numbers(outcome.proposal), *place)
        if status is not None:
            for name, of in _FLOATS.items():
                value = None if report is None else of(report)
                check(name, getattr(status, name), value, *place)
            learning = None if report is None else report.learning
            check('learning', bool(status.learning), learning, *place)
            for name in () if self._partial else _COUNTERS:
                check(name, int(getattr(status, name)), outcome.counters[name], *place)
        if report is not None:
            self._learned_ns = stamp_ns
        if outcome.weights is not None:
            for mark in self._run.marks:
                if mark.event != END and mark.stamp_ns == stamp_ns:
                    self._check_weights(mark, outcome.weights, index)
                    if not self._partial:
                        check('lap return', str(mark.lap_return), str(outcome.lap_return), *place)

    def _check_weights(self, mark: RunMark, weights: dict[str, str], index: int) -> None:
        for role, digest in mark.weights.items():
            name = f'weights of the {role}'
            self.comparison.check(name, digest, weights.get(role), index, mark.stamp_ns)

    def finish(self, index: int, stamp_ns: int) -> None:
        """Compare what stands at the end."""
        if self._sight is not None:
            self.remarks += self._sight.remarks()
            if self._unseen:
                self.not_checked.append(
                    f'features of {self._unseen} observations: the bag does not have all that '
                    'they were made of'
                )
        if self._rerun is None:
            self._stop('the bag does not have a single observation of the run')
            return
        if not self._run.marks:
            self.not_checked.append('weights: the bag ends before the first lap does')
            return
        last = self._run.marks[-1]
        if last.event == END and last.stamp_ns == self._learned_ns:
            self._check_weights(last, weight_digests(self._rerun.agent), index)
        elif not self._stopped and last.stamp_ns != self._learned_ns:
            self.remarks.append('the bag ends before the run: weights up to its last whole lap')


def _numbers(command: Any) -> tuple[float, float, float] | None:
    if command is None:
        return None
    return command.steering_angle_rad, command.speed_m_s, command.acceleration_m_s2


def _joined(weights: dict[str, str]) -> str:
    return ' '.join(f'{role} {digest}' for role, digest in sorted(weights.items()))
