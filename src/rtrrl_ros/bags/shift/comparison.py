"""Two recordings compared: are their features of one distribution, and which of them differ."""

import dataclasses
import math
from typing import Any

import numpy as np

from ...errors import UserError
from .features import FeatureSample
from .mmd import MmdResult, correlation_time, mmd_test

#: Blocks are so many correlation times long. With two, one comparison in six of equal recordings
#: had p < 0.05; with five, one in nine to one in thirty (test/bags/shift/test_mmd.py).
BLOCK_TIMES = 5.0
LEVEL = 0.05


@dataclasses.dataclass(frozen=True)
class Comparison:
    """What came out.

    Attributes
    ----------
    names : of the bags
    source : 'recorded', or the model whose encoder computed the features
    places : (m,) and (n,) numbers of the sampled features in their recordings
    samples : (m, d) and (n, d)
    seen : features that there were in each
    periods_s : mean time between features
    block_steps : features that are permuted as one block
    correlation_steps : how long features resemble each other, in each
    seed : of drawing and permuting
    result : of the test
    """

    names: tuple[str, str]
    source: str
    places: tuple[np.ndarray, np.ndarray]
    samples: tuple[np.ndarray, np.ndarray]
    seen: tuple[int, int]
    periods_s: tuple[float, float]
    block_steps: int
    correlation_steps: tuple[float, float]
    seed: int
    result: MmdResult

    @property
    def differences(self) -> np.ndarray:
        """(d,) mean of the second minus that of the first, in pooled standard deviations."""
        a, b = self.samples
        std = np.sqrt(0.5 * (a.var(0) + b.var(0)))
        return np.where(std > 0, (b.mean(0) - a.mean(0)) / np.where(std > 0, std, 1.0), 0.0)

    @property
    def least_p(self) -> float:
        """No p value below this is possible, with so few blocks or permutations."""
        assignments = math.comb(sum(self.result.blocks), self.result.blocks[0])
        return 1.0 / min(assignments, 1 + len(self.result.null))

    def lines(self) -> list[str]:
        """What came out, in words."""
        result = self.result
        same = 'no evidence that the features differ in distribution'
        differ = 'the features of the two recordings are not of one distribution'
        m, n = (len(sample) for sample in self.samples)
        lines = [
            f'MMD {math.sqrt(max(0.0, result.mmd2)):.3f} (0: the same, 1.41: nothing in common; '
            f'unbiased MMD^2 {result.mmd2:.5f}), p = {result.p_value:.4f}: '
            f'{differ if result.p_value <= LEVEL else same}',
            f'features {"as recorded" if self.source == "recorded" else f"by {self.source}"}: '
            f'{m} of {self.seen[0]} and {n} of {self.seen[1]}, drawn with seed {self.seed}; '
            f'Gaussian kernel of width {result.width:.3g}',
            f'{len(result.null)} permutations of {result.blocks[0]} + {result.blocks[1]} blocks of '
            f'{self.block_steps} features ({self.block_steps * max(self.periods_s):.2g} s); '
            f'features resemble each other for {max(self.correlation_steps):.0f} steps',
        ]
        if self.least_p > LEVEL:
            lines.append(
                f'with so few blocks p cannot be below {self.least_p:.2g}: record longer '
                '(or give a shorter --block, and expect false alarms)'
            )
        elif self.block_steps < max(self.correlation_steps):
            lines.append('blocks are shorter than features resemble each other: p is too small')
        return lines

    def to_json(self) -> dict[str, Any]:
        result = self.result
        return {
            'mmd2': result.mmd2, 'mmd': math.sqrt(max(0.0, result.mmd2)),
            'p_value': result.p_value, 'permutations': len(result.null), 'seed': self.seed,
            'kernel_width': result.width, 'features': self.source,
            'samples': [len(sample) for sample in self.samples], 'seen': list(self.seen),
            'block_steps': self.block_steps, 'blocks': list(result.blocks),
            'correlation_steps': list(self.correlation_steps), 'least_p_value': self.least_p,
            'differences': [float(value) for value in self.differences],
        }  # fmt: skip


def compare(
    a: FeatureSample, b: FeatureSample, *, block_s: float | None, permutations: int, seed: int
) -> Comparison:
    """Compare the samples of two bags that have been read.

    Parameters
    ----------
    block_s : length of a block; 0: every feature for itself; None: by how long they are correlated
    permutations, seed : of the test

    Raises
    ------
    UserError
        a bag has no features, or those of the two cannot be compared
    """
    (places_a, values_a), (places_b, values_b) = a.sample(), b.sample()
    if values_a.shape[1] != values_b.shape[1]:
        raise UserError(
            f'features of {values_a.shape[1]} numbers in {a.name}, of {values_b.shape[1]} in '
            f'{b.name}: they are of different encoders; use --model'
        )
    times = correlation_time(a.stretch), correlation_time(b.stretch)
    if block_s is None:
        steps = round(BLOCK_TIMES * max(times))
    else:
        steps = round(block_s / max(a.period_s, b.period_s, 1e-9))
    steps = max(1, steps)
    result = mmd_test(
        values_a, values_b, places_a // steps, places_b // steps,
        permutations=permutations, seed=seed,
    )  # fmt: skip
    return Comparison(
        (a.name, b.name), a.source, (places_a, places_b), (values_a, values_b), (a.seen, b.seen),
        (a.period_s, b.period_s), steps, times, seed, result,
    )  # fmt: skip
