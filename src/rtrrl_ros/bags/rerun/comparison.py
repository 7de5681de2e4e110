"""Bit for bit: what was recorded against what is computed now, quantity by quantity."""

import dataclasses
from typing import Any

import numpy as np


@dataclasses.dataclass(frozen=True)
class Difference:
    """The first place where a quantity is not what was recorded.

    Attributes
    ----------
    step : index of the observation in the run, from 0
    stamp_ns : of the observation
    recorded, computed : in a form to read
    """

    quantity: str
    step: int
    stamp_ns: int
    recorded: str
    computed: str

    def __str__(self) -> str:
        return (
            f'{self.quantity} at step {self.step} ({self.stamp_ns * 1e-9:.3f} s): recorded '
            f'{self.recorded}, computed {self.computed}'
        )


@dataclasses.dataclass
class Tally:
    """How often one quantity was compared, and how often it differed."""

    checked: int = 0
    different: int = 0
    first: Difference | None = None


class Comparison:
    """Adds up over the steps of a run.

    Attributes
    ----------
    tallies : by quantity, in the order in which they were first compared
    """

    def __init__(self) -> None:
        self.tallies: dict[str, Tally] = {}

    def check(self, quantity: str, recorded: Any, computed: Any, step: int, stamp_ns: int) -> None:
        """Compare one value: numbers as float32, vectors, texts or whole numbers.

        None as `recorded` means that there is nothing to compare with; None as `computed` is a
        difference.
        """
        if recorded is None:
            return
        tally = self.tallies.setdefault(quantity, Tally())
        tally.checked += 1
        if same_bits(recorded, computed):
            return
        tally.different += 1
        if tally.first is None:
            texts = _texts(recorded, computed)
            tally.first = Difference(quantity, step, stamp_ns, *texts)

    @property
    def first(self) -> Difference | None:
        """The first difference of all; of several in one step that which was compared first."""
        found = [tally.first for tally in self.tallies.values() if tally.first is not None]
        return min(found, key=lambda difference: difference.step, default=None)

    @property
    def checked(self) -> int:
        """Comparisons of all quantities."""
        return sum(tally.checked for tally in self.tallies.values())


def same_bits(recorded: Any, computed: Any) -> bool:
    """Whether two values are the same, numbers as float32; None is like nothing."""
    if recorded is None or computed is None:
        return False
    if type(recorded) is float and type(computed) is float and recorded == computed != 0.0:
        return True  # most often
    return _bits(recorded) == _bits(computed)


def _bits(value: Any) -> Any:
    """Something that is equal only for the same bits; any NaN is as good as another."""
    if isinstance(value, bool | int | str):
        return value
    numbers = np.asarray(value, np.float32)
    if np.isnan(np.add.reduce(numbers, axis=None)):
        numbers = np.where(np.isnan(numbers), np.float32(np.nan), numbers)
    return numbers.tobytes()


def _texts(recorded: Any, computed: Any) -> tuple[str, str]:
    """Both values; of vectors the first elements that differ."""
    if computed is None:
        return _text(recorded), 'nothing'
    if np.ndim(recorded) == 0 or np.shape(recorded) != np.shape(computed):
        return _text(recorded), _text(computed)
    differs = [_bits(a) != _bits(b) for a, b in zip(recorded, computed, strict=True)]
    index = differs.index(True)
    where = f'{sum(differs)} of {len(differs)} elements, first [{index}] = '
    return where + _text(recorded[index]), f'[{index}] = {_text(computed[index])}'


def _text(value: Any) -> str:
    if isinstance(value, bool | int | str):
        return str(value)
    if np.ndim(value):
        return f'{len(value)} numbers'
    return np.format_float_positional(np.float32(value), unique=True, trim='-', min_digits=1)
