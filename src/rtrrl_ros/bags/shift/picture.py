"""The comparison of two recordings as a picture."""

from pathlib import Path

import matplotlib
import numpy as np

from .comparison import LEVEL, Comparison

matplotlib.use('Agg')  # no display on a car or a server
from matplotlib import pyplot
from matplotlib.axes import Axes

COLOURS = '#1f77b4', '#d62728'
#: points of each recording that are drawn; features named in the bar chart
_POINTS, _NAMED = 1500, 32


def plot(comparison: Comparison, file: Path) -> None:
    """Write the picture of a comparison as PNG."""
    figure, grid = pyplot.subplots(2, 2, figsize=(13.0, 9.0), layout='constrained')
    parts = (_test, _plane, _differences, _over_time)
    for axes, part in zip(grid.flat, parts, strict=True):
        part(axes, comparison)
        axes.grid(alpha=0.3)
    a, b = comparison.names
    figure.suptitle(
        f'A: {a} ({comparison.seen[0]} features)    B: {b} ({comparison.seen[1]} features)'
    )
    figure.savefig(file, dpi=110, format='png')
    pyplot.close(figure)


def _test(axes: Axes, comparison: Comparison) -> None:
    result = comparison.result
    axes.hist(result.null, bins=40, color='#bdbdbd', label='permuted blocks')
    limit = float(np.quantile(result.null, 1.0 - LEVEL))
    axes.axvline(limit, color='black', linestyle=':', label=f'{1.0 - LEVEL:.0%} of them are below')
    axes.axvline(result.mmd2, color='#2ca02c', linewidth=2.5, label='A against B')
    axes.set(
        xlabel='unbiased MMD²', ylabel='permutations',
        title=f'MMD² = {result.mmd2:.4f}, p = {result.p_value:.4f} '
        f'({result.blocks[0]} + {result.blocks[1]} blocks)',
    )  # fmt: skip
    axes.legend(fontsize='small')


def _plane(axes: Axes, comparison: Comparison) -> None:
    """Both samples in the plane in which they extend most (principal components)."""
    pooled = np.concatenate(comparison.samples)
    centred = pooled - pooled.mean(0)
    _, scales, directions = np.linalg.svd(centred, full_matrices=False)
    total = float((scales**2).sum())
    shares = scales**2 / total if total else scales
    rng = np.random.default_rng(0)  # of the order of drawing only, so that neither hides the other
    plane = np.zeros((len(pooled), 2))
    found = directions[:2]
    plane[:, : len(found)] = centred @ found.T
    m = len(comparison.samples[0])
    chosen = np.concatenate(
        [rng.permutation(m)[:_POINTS], m + rng.permutation(len(pooled) - m)[:_POINTS]]
    )
    chosen = rng.permutation(chosen)
    axes.scatter(
        plane[chosen, 0], plane[chosen, 1], s=5.0, alpha=0.5, linewidths=0.0,
        c=[COLOURS[int(index >= m)] for index in chosen],
    )  # fmt: skip
    for colour, name in zip(COLOURS, 'AB', strict=True):
        axes.plot([], [], 'o', color=colour, label=name)
    shown = [f'{share:.0%}' for share in shares[:2]]
    axes.set(
        xlabel='first principal component', ylabel='second principal component',
        title=f'features; the axes hold {" and ".join(shown)} of the variance',
    )  # fmt: skip
    axes.legend(fontsize='small')


def _differences(axes: Axes, comparison: Comparison) -> None:
    differences = comparison.differences
    order = np.argsort(-np.abs(differences))[:_NAMED]
    axes.bar(range(len(order)), differences[order], color='#7f7f7f')
    axes.set_xticks(range(len(order)), [str(index) for index in order], fontsize='x-small')
    axes.axhline(0.0, color='black', linewidth=0.8)
    axes.set(
        xlabel='feature', ylabel='mean of B minus mean of A / standard deviation',
        title=f'single features that differ most, of {len(differences)}',
    )  # fmt: skip


def _over_time(axes: Axes, comparison: Comparison) -> None:
    """The witness along the recordings: where what was seen is typical of one of them."""
    witnesses = comparison.result.witness_a, comparison.result.witness_b
    for places, witness, period_s, colour, name in zip(
        comparison.places, witnesses, comparison.periods_s, COLOURS, 'AB', strict=True
    ):
        axes.plot(places * period_s, witness, '.', markersize=2.5, color=colour, label=name)
    axes.axhline(0.0, color='black', linewidth=0.8)
    axes.set(
        xlabel='time in the recording / s', ylabel='witness: typical of A above 0, of B below',
        title='where they differ',
    )  # fmt: skip
    axes.legend(fontsize='small', markerscale=4)
