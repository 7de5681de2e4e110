"""What a lap is judged by, and how it is written."""

import dataclasses
import statistics
from collections.abc import Mapping, Sequence
from typing import Any


@dataclasses.dataclass(frozen=True)
class Score:
    """A number of a lap's JSON.

    Attributes
    ----------
    key : its name there
    label : what it is, with the unit in which it is shown
    factor : from the unit of the JSON to that unit
    digits : shown after the point
    lower_is_better : an error, not a return
    """

    key: str
    label: str
    factor: float = 1.0
    digits: int = 0
    lower_is_better: bool = False

    def of(self, laps: Sequence[Mapping[str, Any]]) -> list[float]:
        """The score of each lap, in the unit in which it is shown."""
        return [self.factor * lap[self.key] for lap in laps]

    def mean(self, laps: Sequence[Mapping[str, Any]]) -> float:
        """Mean over the laps."""
        return statistics.fmean(self.of(laps))

    def text(self, value: float) -> str:
        """A value with its digits."""
        return f'{value:.{self.digits}f}'

    def better(self, value: float, other: float) -> bool:
        """Whether `value` is better than `other`."""
        return value < other if self.lower_is_better else value > other


RETURN = Score('return', 'return')
LATERAL_ERROR = Score(
    'mean_abs_lateral_error_m', 'mean absolute lateral error in cm', 100.0, 2, lower_is_better=True
)
SCORES = {'car-racing': RETURN, 'line': LATERAL_ERROR}
