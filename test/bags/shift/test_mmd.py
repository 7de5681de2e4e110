"""The statistic is the published one, and the test is wrong as rarely as it says."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rtrrl_ros.bags.shift.mmd import correlation_time, median_distance, mmd_test


def by_the_formula(a: np.ndarray, b: np.ndarray, width: float) -> float:
    """Equation 3 of Gretton et al. 2012, term by term."""

    def kernel(p: np.ndarray, q: np.ndarray) -> float:
        return float(np.exp(-((p - q) ** 2).sum() / (2 * width**2)))

    m, n = len(a), len(b)
    within_a = sum(kernel(a[i], a[j]) for i in range(m) for j in range(m) if i != j)
    within_b = sum(kernel(b[i], b[j]) for i in range(n) for j in range(n) if i != j)
    across = sum(kernel(p, q) for p in a for q in b)
    return within_a / (m * (m - 1)) + within_b / (n * (n - 1)) - 2 * across / (m * n)


def alone(points: np.ndarray) -> np.ndarray:
    return np.arange(len(points))


def stream(
    length: int, time: float, rng: np.random.Generator, shape: tuple[int, ...] = (4,)
) -> np.ndarray:
    """Stationary autoregressive processes, standard normal at every moment: (length, *shape)."""
    kept = np.exp(-1.0 / time)
    noise = np.sqrt(1 - kept * kept) * rng.normal(size=(length, *shape))
    values = np.empty((length, *shape))
    values[0] = rng.normal(size=shape)
    for index in range(1, length):
        values[index] = kept * values[index - 1] + noise[index]
    return values


points = st.integers(1, 3).flatmap(
    lambda d: st.tuples(
        *(
            st.integers(2, 8).flatmap(
                lambda n: arrays(float, (n, d), elements=st.integers(-20, 20).map(lambda v: v / 4))
            )
            for _ in range(2)
        )
    )
)


@settings(deadline=None)  # the machine may be busy
@given(points, st.integers(1, 4))
def test_the_estimate_is_that_of_the_paper_however_points_are_blocked(
    samples: tuple[np.ndarray, np.ndarray], block: int
) -> None:
    a, b = samples
    result = mmd_test(a, b, alone(a) // block, alone(b) // block, permutations=20, seed=1)
    if result.width:
        assert result.mmd2 == pytest.approx(by_the_formula(a, b, result.width), abs=1e-9)
    assert 1 / 21 <= result.p_value <= 1.0
    assert len(result.null) == 20
    assert result.witness_a.shape == (len(a),) and result.witness_b.shape == (len(b),)


def test_many_points_are_computed_in_pieces_with_the_same_result() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(700, 2)), rng.normal(0.3, 1.0, size=(650, 2))
    result = mmd_test(a, b, alone(a), alone(b), permutations=1, seed=0)
    squares = ((np.concatenate([a, b])[:, None] - np.concatenate([a, b])) ** 2).sum(2)
    kernel = np.exp(-squares / (2 * result.width**2)) - np.eye(1350)
    expected = (
        kernel[:700, :700].sum() / (700 * 699)
        + kernel[700:, 700:].sum() / (650 * 649)
        - 2 * kernel[:700, 700:].mean()
    )
    assert result.mmd2 == pytest.approx(expected, abs=1e-12)
    witness = kernel[0, :700].sum() / 699 - kernel[0, 700:].mean()
    assert result.witness_a[0] == pytest.approx(witness)


def test_the_kernel_is_as_wide_as_points_are_apart() -> None:
    rng = np.random.default_rng(0)
    spread = rng.normal(size=(400, 3))
    distances = np.sqrt(((spread[:, None] - spread) ** 2).sum(2))[np.triu_indices(400, 1)]
    assert median_distance(spread, rng) == pytest.approx(np.median(distances))
    many = rng.normal(size=(5000, 3))
    assert median_distance(many, rng) == pytest.approx(np.median(distances), rel=0.05)


def test_a_far_offset_changes_nothing() -> None:
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=(60, 3)), rng.normal(0.5, 1, size=(60, 3))
    here = mmd_test(a, b, alone(a), alone(b), permutations=50, seed=0)
    there = mmd_test(a + 1e6, b + 1e6, alone(a), alone(b), permutations=50, seed=0)
    assert there.mmd2 == pytest.approx(here.mmd2, abs=1e-6)


def test_samples_of_one_point_over_and_over_are_the_same() -> None:
    a, b = np.ones((10, 2)), np.ones((12, 2))
    result = mmd_test(a, b, alone(a), alone(b), permutations=30, seed=0)
    assert result.mmd2 == pytest.approx(0.0, abs=1e-12) and result.p_value == 1.0


def test_points_that_differ_by_rounding_only_count_as_the_same() -> None:
    a = np.array([[2.0, 4.0], [0.0, 0.0], [0.0, 0.0]])
    b = np.full((2, 2), -2.2e-16)
    result = mmd_test(a, b, alone(a), alone(b), permutations=30, seed=0)
    assert result.width == pytest.approx(np.sqrt(20.0))
    assert result.mmd2 == pytest.approx(by_the_formula(a, b, result.width), abs=1e-12)


def test_the_same_seed_gives_the_same_p() -> None:
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=(50, 2)), rng.normal(0.2, 1, size=(40, 2))
    one, two = (mmd_test(a, b, alone(a), alone(b), permutations=300, seed=5) for _ in range(2))
    assert one.p_value == two.p_value and (one.null == two.null).all()


def test_a_shift_is_found_and_the_witness_says_whose_a_point_is() -> None:
    rng = np.random.default_rng(4)
    a, b = rng.normal(size=(300, 4)), rng.normal(0.5, 1.0, size=(200, 4))
    result = mmd_test(a, b, alone(a), alone(b), permutations=500, seed=0)
    assert result.p_value == 1 / 501
    assert result.witness_a.mean() > 0 > result.witness_b.mean()


def test_a_change_of_spread_alone_is_found() -> None:
    rng = np.random.default_rng(5)
    a, b = rng.normal(size=(300, 2)), rng.normal(0.0, 1.6, size=(300, 2))
    assert mmd_test(a, b, alone(a), alone(b), permutations=500, seed=0).p_value < 0.01


def test_independent_samples_of_one_distribution_are_called_different_as_often_as_said() -> None:
    rejected = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        a, b = rng.normal(size=(40, 3)), rng.normal(size=(60, 3))
        p = mmd_test(a, b, alone(a), alone(b), permutations=99, seed=seed).p_value
        rejected += p <= 0.05
    assert 2 <= rejected <= 20  # of 200: expected 10, standard deviation 3.1


def test_blocks_keep_correlated_samples_from_false_alarms() -> None:
    """Point by point more than half of the pairs of equal streams are called different."""
    single = blocked = 0
    pairs = stream(2000, 20.0, np.random.default_rng(0), (40, 2, 3))
    for seed in range(40):
        a, b = pairs[:, seed, 0], pairs[:, seed, 1]
        steps = round(5 * max(correlation_time(a), correlation_time(b)))
        kept = np.sort(np.random.default_rng(seed).choice(2000, 150, replace=False))
        number, blocks = np.arange(150), kept // steps
        for block in (number, blocks):
            p = mmd_test(a[kept], b[kept], block, block, permutations=99, seed=seed).p_value
            single += block is number and p <= 0.05
            blocked += block is blocks and p <= 0.05
    assert single >= 16
    assert blocked <= 8


def test_a_shift_is_found_in_correlated_samples_too() -> None:
    rng = np.random.default_rng(6)
    a, b = stream(4000, 20.0, rng), stream(4000, 20.0, rng) + 1.0
    blocks = np.arange(4000)[::8] // 200
    assert mmd_test(a[::8], b[::8], blocks, blocks, permutations=500, seed=0).p_value < 0.01


@pytest.mark.parametrize('time', [1e-3, 5.0, 30.0])
def test_the_correlation_time_is_that_of_the_process(time: float) -> None:
    kept = np.exp(-1.0 / time)
    found = correlation_time(stream(20_000, time, np.random.default_rng(7), (8,)))
    assert found == pytest.approx((1 + kept) / (1 - kept), rel=0.2)


@pytest.mark.parametrize('series', [np.zeros((100, 3)), np.ones((1, 3)), np.zeros((0, 0))])
def test_a_series_that_tells_nothing_is_uncorrelated(series: np.ndarray) -> None:
    assert correlation_time(series) == 1.0


@pytest.mark.parametrize(('m', 'n', 'd'), [(1, 5, 2), (5, 1, 2), (0, 0, 2)])
def test_too_few_points_are_refused(m: int, n: int, d: int) -> None:
    with pytest.raises(ValueError, match='samples of shape'):
        mmd_test(
            np.zeros((m, d)), np.zeros((n, d)), np.arange(m), np.arange(n), permutations=9, seed=0
        )
