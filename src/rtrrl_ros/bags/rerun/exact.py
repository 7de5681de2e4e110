"""A recorded run must come out again, bit for bit.

Encoder and agent are run once more, in this process, on what the bag holds, and everything that the
recording says about them is compared with what they compute: features, proposals, values, TD
errors, drift, counters, and the weights after each lap. The agent is fed with the features that
were recorded, so that a difference in the encoder does not hide what the agent does.
"""

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ...errors import UserError
from ..reading import Bag
from .check import RunCheck
from .comparison import Comparison, Difference
from .models import find_model
from .runs import RecordedRun
from .sight import make_sight, sees
from .steps import recorded_steps


@dataclasses.dataclass
class ExactReport:
    """What came out.

    Attributes
    ----------
    comparison : quantity by quantity
    not_checked : what could not be compared, and why, a line each
    remarks : what else one should know, a line each
    steps : observations in the recording
    driven_s : time between the first and the last of them
    seconds : that it took
    """

    comparison: Comparison
    not_checked: list[str]
    remarks: list[str]
    steps: int
    driven_s: float
    seconds: float

    @property
    def identical(self) -> bool:
        """Everything that could be compared is the same."""
        return self.comparison.checked > 0 and self.comparison.first is None

    def to_json(self) -> dict[str, Any]:
        """The JSON of `rtrrl replay --exact`, without the bag."""

        def place(difference: Difference | None) -> dict[str, Any] | None:
            return None if difference is None else dataclasses.asdict(difference)

        tallies = self.comparison.tallies
        return {
            'identical': self.identical,
            'first_difference': place(self.comparison.first),
            'quantities': {
                name: {
                    'checked': tally.checked, 'different': tally.different,
                    'first_difference': place(tally.first),
                }
                for name, tally in tallies.items()
            },
            'not_checked': self.not_checked, 'remarks': self.remarks, 'steps': self.steps,
            'driven_s': self.driven_s, 'seconds': self.seconds,
        }  # fmt: skip


def replay_exact(
    bag: Bag, run: RecordedRun, *,
    model: Path | None = None, stamp_offset_s: float = 0.0,
    on_step: Callable[[int], None] = lambda index: None,
) -> ExactReport:  # fmt: skip
    """Repeat a recorded run and compare.

    Parameters
    ----------
    model : the model folder, where it is no longer where it was
    stamp_offset_s : the encoder's parameter of this name when it was recorded
    on_step : told the index of each step

    Raises
    ------
    UserError
        the model is gone or has changed, or nothing in the bag can be compared
    """
    began_s = time.perf_counter()
    checkpoint = find_model(run.start, model)
    sight = None if checkpoint is None else make_sight(checkpoint, stamp_offset_s)
    if sight is not None and not sees(bag, sight):
        sight = None
    check = RunCheck(bag, run, checkpoint, sight)
    first_ns = last_ns = None
    index = -1
    for index, step in enumerate(recorded_steps(bag, run, sight, check.remarks)):
        first_ns, last_ns = step.stamp_ns if first_ns is None else first_ns, step.stamp_ns
        check.step(index, step)
        on_step(index)
    check.finish(index, last_ns or 0)
    report = ExactReport(
        check.comparison, check.not_checked, check.remarks, index + 1,
        ((last_ns or 0) - (first_ns or 0)) * 1e-9, time.perf_counter() - began_s,
    )  # fmt: skip
    if not report.comparison.checked:
        raise UserError(f'{bag.path}: nothing can be compared: {"; ".join(report.not_checked)}')
    return report
