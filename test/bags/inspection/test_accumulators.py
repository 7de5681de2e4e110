"""What is said about a stream is what the whole of it says."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtrrl_ros.bags.inspection.accumulators import IntervalHistogram, LineFit, Reservoir, TimeBins

lengths = st.lists(st.floats(1e-5, 1e4), min_size=1, max_size=60)


@settings(deadline=None)  # the machine may be busy
@given(lengths, st.floats(0.0, 1.0))
def test_a_quantile_is_that_of_the_intervals(values: list[float], share: float) -> None:
    histogram = IntervalHistogram()
    for value in values:
        histogram.add(value)
    expected = np.quantile(values, share, method='inverted_cdf')
    assert histogram.quantile(share) == pytest.approx(expected, rel=0.012)
    assert histogram.longest_s == max(values)
    middle = 1.05 * expected
    assert histogram.above(middle) in {
        sum(value > edge for value in values) for edge in (middle / 1.012, middle, middle * 1.012)
    }


def test_without_an_interval_everything_is_zero() -> None:
    histogram = IntervalHistogram()
    assert (histogram.quantile(0.5), histogram.longest_s, histogram.above(0.0)) == (0.0, 0.0, 0)


@settings(deadline=None)  # the machine may be busy
@given(
    st.lists(
        st.tuples(st.floats(0, 1e5), st.floats(-1e3, 1e3)), min_size=3, max_size=50,
        unique_by=lambda pair: round(pair[0]),
    ),
    st.sampled_from([0.0, 1e9]),
)  # fmt: skip
def test_the_line_is_that_of_least_squares(points: list, offset: float) -> None:
    fit = LineFit()
    for x, y in points:
        fit.add(x, y + offset)
    x, y = np.array(points).T
    centred = x - x.mean()
    slope = float(centred @ (y - y.mean()) / (centred @ centred))
    scale = np.abs(y).max() / np.abs(centred).max() + 1e-3
    assert fit.slope == pytest.approx(slope, abs=1e-4 * scale)
    residuals = y - y.mean() - slope * centred
    assert fit.residual_std == pytest.approx(np.sqrt(np.mean(residuals**2)), abs=1e-2)
    assert fit.span == x[-1] - x[0]


def test_a_reservoir_keeps_everything_that_fits_in_order() -> None:
    reservoir = Reservoir(10, seed=0)
    for value in range(7):
        reservoir.add(np.array([value, -value], float))
    numbers, values = reservoir.sample()
    assert numbers.tolist() == list(range(7))
    assert values[:, 1].tolist() == [-value for value in range(7)]


def test_a_reservoir_draws_evenly_and_the_same_with_the_same_seed() -> None:
    hits = np.zeros(100)
    for seed in range(300):
        reservoir = Reservoir(10, seed)
        for value in range(100):
            reservoir.add(np.array([float(value)]))
        numbers, values = reservoir.sample()
        assert len(set(numbers.tolist())) == 10 and (np.diff(numbers) > 0).all()
        assert values[:, 0].tolist() == numbers.tolist()
        hits[numbers] += 1
    # each number is kept in 10 % of 300 draws: 30, standard deviation 5.2
    assert hits.min() > 8 and hits.max() < 55
    first, again = Reservoir(5, 3), Reservoir(5, 3)
    for value in range(50):
        first.add(np.array([float(value)]))
        again.add(np.array([float(value)]))
    assert first.sample()[0].tolist() == again.sample()[0].tolist()


@settings(deadline=None)  # the machine may be busy
@given(st.integers(0, 10**19), st.integers(0, 10**13), st.integers(1, 500))
def test_every_time_of_a_bag_has_a_bin(start: int, length: int, count: int) -> None:
    bins = TimeBins(start, start + length, count)
    assert bins.index(start) == bins.index(start - 10**6) == 0
    assert 0 <= bins.index(start + length) < count
    assert bins.index(start + length + 10**15) == count - 1
