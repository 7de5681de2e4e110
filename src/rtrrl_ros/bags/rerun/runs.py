"""Which runs of an agent a bag holds: what each was a function of, and how it went.

One recording may hold several: `rtrrl run` starts the agent three times.
"""

import dataclasses

from ...driving.learner_run import RunMark, RunStart, from_text
from ...errors import UserError
from ..reading import Bag, require

TOPIC, TYPE = '/learner_run', 'std_msgs/msg/String'


@dataclasses.dataclass(frozen=True)
class RecordedRun:
    """One run.

    Attributes
    ----------
    start : what the run was a function of; None: the bag does not say
    marks : how it stood at the end of each lap and at its end
    begin_ns, end_ns : log times of its messages, both inclusive; None: from the bag's first
        message, until the last
    """

    start: RunStart | None
    marks: tuple[RunMark, ...] = ()
    begin_ns: int | None = None
    end_ns: int | None = None


def recorded_runs(bag: Bag) -> list[RecordedRun]:
    """The runs in a bag in their order; one without a start where the bag tells of none."""
    if TOPIC not in bag.topics:
        return [RecordedRun(None)]
    require(bag, {TOPIC: TYPE})
    starts: list[tuple[int, RunStart]] = []
    marks: list[list[RunMark]] = []
    heard_ns: int | None = None  # when the account before this one was recorded
    for record in bag.records([TOPIC]):
        try:
            account = from_text(bag.message(record).data)
        except UserError as error:
            raise UserError(f'{bag.path}: {error}') from None
        if isinstance(account, RunMark):
            if marks and account not in marks[-1]:
                marks[-1].append(account)
        elif not starts or starts[-1][1] != account:
            # a recorder that came late was told late: the run began when the agent says, but after
            # all that the one before said; its clock need not be that of the recorder
            told_ns = account.time_ns if heard_ns is None else max(account.time_ns, heard_ns + 1)
            starts.append((min(record.log_ns, told_ns), account))
            marks.append([])
        heard_ns = record.log_ns
    if not starts:
        return [RecordedRun(None)]
    begins: list[int | None] = [None, *(begin for begin, _ in starts[1:])]
    ends: list[int | None] = [*(begin - 1 for begin, _ in starts[1:]), None]
    return [
        RecordedRun(start, tuple(told), begin, end)
        for (_, start), told, begin, end in zip(starts, marks, begins, ends, strict=True)
    ]


def choose_run(runs: list[RecordedRun], number: int | None, path: object) -> RecordedRun:
    """The run with this number, counted from 1; None: the only one."""
    if number is None:
        if len(runs) > 1:
            raise UserError(
                f'{path} holds {len(runs)} runs: choose one with --run 1 ... {len(runs)}'
            )
        return runs[0]
    if not 1 <= number <= len(runs):
        raise UserError(f'--run {number}: {path} holds {len(runs)}')
    return runs[number - 1]
