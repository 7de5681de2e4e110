"""Maximum mean discrepancy of two samples, with a permutation test. NumPy only.

The statistic is the unbiased estimate of MMD^2 with a Gaussian kernel whose width is the median
distance of the pooled sample. Under the null hypothesis (both samples are of one distribution) who
belongs to which sample is arbitrary, so it is compared with what arbitrary assignments give.

Consecutive features of one recording resemble one another. Permuting them one by one would then
call any two recordings different; so whole blocks of them are permuted, which need not resemble
their neighbours. Blocks are as long as the data are correlated, see `correlation_time`.

Source: Gretton et al., A kernel two-sample test, JMLR 13 (2012), equation 3 and section 5.
"""

import dataclasses

import numpy as np

#: Squared distances below this share of the largest count as none.
_SAME = 1e-12
#: rows of the kernel matrix that are in memory at once, and samples that the median is taken of
_CHUNK, _MEDIAN_SAMPLES = 512, 1000
#: permutations that are worked on at once
_PERMUTED = 256


@dataclasses.dataclass(frozen=True)
class MmdResult:
    """What came out.

    Attributes
    ----------
    mmd2 : unbiased estimate of MMD^2; may be below 0
    p_value : share of permutations that give at least as much, the data themselves counted
    null : (permutations,) MMD^2 of the permuted samples
    width : of the kernel, exp(-d^2 / (2 width^2)); 0 where all points are the same
    blocks : of the first and of the second sample
    witness_a, witness_b : (m,) and (n,) for each point the mean kernel to the first sample minus
        that to the second: high is typical of the first, low of the second
    """

    mmd2: float
    p_value: float
    null: np.ndarray
    width: float
    blocks: tuple[int, int]
    witness_a: np.ndarray
    witness_b: np.ndarray


def median_distance(points: np.ndarray, rng: np.random.Generator) -> float:
    """Median Euclidean distance of two points (n, d) that differ; of 1000 random ones of many."""
    if len(points) > _MEDIAN_SAMPLES:
        points = points[rng.choice(len(points), _MEDIAN_SAMPLES, replace=False)]
    squares = _square_distances(points, points)[np.triu_indices(len(points), 1)]
    # what rounding alone puts between two equal points is no distance
    apart = squares[squares > _SAME * squares.max(initial=0.0)]
    return float(np.sqrt(np.median(apart))) if len(apart) else 0.0


def _square_distances(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(m, n) squared Euclidean distances of points (m, d) and (n, d)."""
    squares = (x * x).sum(1)[:, None] + (y * y).sum(1) - 2.0 * (x @ y.T)
    return np.maximum(squares, 0.0)


def mmd_test(
    a: np.ndarray, b: np.ndarray,
    blocks_a: np.ndarray, blocks_b: np.ndarray, *,
    permutations: int, seed: int,
) -> MmdResult:  # fmt: skip
    """Compare two samples.

    Parameters
    ----------
    a, b : (m, d) and (n, d) float64, finite; at least two points each
    blocks_a, blocks_b : (m,) and (n,) which block a point belongs to, any integers; a block of its
        own for every point is the ordinary test, right for independent points only
    permutations : how many
    seed : of the permutations

    Raises
    ------
    ValueError
        shapes that do not fit, or a sample of fewer than two points
    """
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1] or min(len(a), len(b)) < 2:
        raise ValueError(f'samples of shape {a.shape} and {b.shape}')
    rng = np.random.default_rng(seed)
    points = np.concatenate([a, b])
    points = points - points.mean(0)  # distances of large numbers that differ little
    width = median_distance(points, rng)
    count_a, count_b = (len(np.unique(blocks)) for blocks in (blocks_a, blocks_b))
    block = np.concatenate(
        [np.unique(blocks_a, return_inverse=True)[1],
         count_a + np.unique(blocks_b, return_inverse=True)[1]]
    )  # fmt: skip
    sums, witness = _block_sums(points, block, width, len(a))
    sizes = np.bincount(block).astype(np.float64)
    first = np.zeros((1, count_a + count_b))
    first[0, :count_a] = 1.0
    mmd2 = float(_mmd2(first, sums, sizes)[0])
    null = np.concatenate(
        [
            _mmd2(rng.permuted(np.repeat(first, count, axis=0), axis=1), sums, sizes)
            for count in _portions(permutations)
        ]
    )
    # rounding must not make a permutation that changes nothing count as smaller
    at_least = int(np.count_nonzero(null >= mmd2 - 1e-12))
    return MmdResult(
        mmd2, (1 + at_least) / (1 + permutations), null, width, (count_a, count_b),
        witness[: len(a)], witness[len(a) :],
    )  # fmt: skip


def _portions(total: int) -> list[int]:
    """`total` in parts of at most `_PERMUTED`."""
    whole, rest = divmod(total, _PERMUTED)
    return [_PERMUTED] * whole + ([rest] if rest else [])


def _block_sums(
    points: np.ndarray, block: np.ndarray, width: float, m: int
) -> tuple[np.ndarray, np.ndarray]:
    """(blocks, blocks) sums of the kernel over pairs of different points, and the witness.

    The kernel matrix itself is never whole in memory.
    """
    n = len(points)
    members = np.zeros((n, int(block.max()) + 1))
    members[np.arange(n), block] = 1.0
    sums = np.zeros((members.shape[1], members.shape[1]))
    witness = np.empty(n)
    scale = -0.5 / width**2 if width else 0.0
    for start in range(0, n, _CHUNK):
        rows = slice(start, start + _CHUNK)
        kernel = np.exp(scale * _square_distances(points[rows], points))
        kernel[np.arange(len(kernel)), np.arange(start, start + len(kernel))] = 0.0
        sums += members[rows].T @ (kernel @ members)
        to_a, to_b = kernel[:, :m].sum(1), kernel[:, m:].sum(1)
        in_a = np.arange(start, start + len(kernel)) < m
        witness[rows] = to_a / (m - in_a) - to_b / (n - m - ~in_a)
    return sums, witness


def _mmd2(first: np.ndarray, sums: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """(p,) unbiased MMD^2 for assignments (p, blocks) of 1 (first sample) and 0 (second)."""
    within_a = np.einsum('pi,pi->p', first @ sums, first)
    to_all = first @ sums.sum(1)
    across = to_all - within_a
    within_b = sums.sum() - 2.0 * to_all + within_a
    m = first @ sizes
    n = sizes.sum() - m
    # blocks differ in size: a sample of one point has no pairs, and then tells nothing
    pairs_a, pairs_b = np.maximum(m * (m - 1.0), 1.0), np.maximum(n * (n - 1.0), 1.0)
    return within_a / pairs_a + within_b / pairs_b - 2.0 * across / np.maximum(m * n, 1.0)


def correlation_time(series: np.ndarray) -> float:
    """Integrated autocorrelation time of a stretch of consecutive vectors (n, d), in steps.

    Mean over the components, weighted by their variance; summed over a window of five such times
    (Sokal's rule). 1: neighbours are independent.

    Source: Sokal, Monte Carlo methods in statistical mechanics (1997), section 3.
    """
    n = len(series)
    if n < 4:
        return 1.0
    centred = series - series.mean(0)
    spectrum = np.abs(np.fft.rfft(centred, 2 * n, axis=0)) ** 2
    covariance = np.fft.irfft(spectrum.sum(1))[:n]
    if covariance[0] <= 0.0:
        return 1.0
    times = 2.0 * np.cumsum(covariance / covariance[0]) - 1.0
    long_enough = np.arange(n) >= 5.0 * times
    index = int(np.argmax(long_enough)) if long_enough.any() else n - 1
    return max(1.0, float(times[index]))
