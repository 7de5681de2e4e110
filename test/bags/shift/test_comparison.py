"""From the features of two bags to a comparison and its picture."""

import json
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from rtrrl_ros.bags.reading import Record
from rtrrl_ros.bags.shift.comparison import Comparison, compare
from rtrrl_ros.bags.shift.features import FeatureSample
from rtrrl_ros.bags.shift.picture import plot
from rtrrl_ros.errors import UserError

MS = 1_000_000


def sample_of(rows: Sequence[np.ndarray] | np.ndarray, name: str = 'a') -> FeatureSample:
    sample = FeatureSample(name, '/features', size=300, seed=0)
    for index, row in enumerate(rows):
        record = Record('/features', 'rtrrl_msgs/msg/Features', 10 * MS * index, b'')
        sample.add(SimpleNamespace(data=row), record, 10 * MS * (index + 1))
    return sample


def noise(count: int, seed: int, mean: float = 0.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, 1.0, size=(count, 4))


def compared(a: np.ndarray, b: np.ndarray, block_s: float | None = None) -> Comparison:
    pair = sample_of(a, 'A'), sample_of(b, 'B')
    return compare(*pair, block_s=block_s, permutations=200, seed=0)


def test_recordings_of_one_distribution_and_of_two() -> None:
    same = compared(noise(1000, 0), noise(800, 1))
    assert same.result.p_value > 0.05
    assert 'no evidence' in same.lines()[0]
    other = compared(noise(1000, 0), noise(800, 1, mean=1.0))
    assert other.result.p_value < 0.01
    assert 'not of one distribution' in other.lines()[0]
    assert other.differences == pytest.approx([1.0] * 4, abs=0.25)
    document = other.to_json()
    json.dumps(document, allow_nan=False)
    assert document['samples'] == [300, 300] and document['seen'] == [1000, 800]


def test_blocks_are_as_long_as_features_are_alike() -> None:
    slow = np.repeat(noise(100, 0), 20, axis=0)
    comparison = compared(slow, np.repeat(noise(100, 1), 20, axis=0))
    assert comparison.correlation_steps[0] == pytest.approx(20, rel=0.4)
    assert 60 <= comparison.block_steps <= 150
    assert compared(slow, slow, block_s=0.0).block_steps == 1
    assert compared(slow, slow, block_s=0.5).block_steps == 50
    assert 'p is too small' in compared(slow, slow, block_s=0.0).lines()[-1]


def test_a_recording_too_short_to_tell_says_so() -> None:
    comparison = compared(noise(100, 0), noise(100, 1, mean=3.0), block_s=0.6)
    assert comparison.result.blocks == (2, 2)
    assert comparison.result.p_value >= 1 / 6
    assert 'p cannot be below 0.17' in comparison.lines()[-1]


def test_features_that_are_not_finite_are_left_out_and_counted() -> None:
    rows = noise(50, 0)
    rows[10, 2], rows[20, 0] = np.nan, np.inf
    sample = sample_of(rows)
    assert sample.seen == 48 and sample.not_finite == 2
    assert np.isfinite(sample.sample()[1]).all()


def test_features_of_different_encoders_are_refused() -> None:
    with pytest.raises(UserError, match='of 4 numbers in A, of 3 in B'):
        compared(noise(50, 0), noise(50, 1)[:, :3])
    with pytest.raises(UserError, match='two encoders were recorded'):
        sample_of([np.zeros(4), np.zeros(3)])


def test_no_features_are_refused_in_one_line() -> None:
    with pytest.raises(UserError, match='B: 0 features; two are needed'):
        compared(noise(50, 0), noise(0, 1))
    with pytest.raises(UserError, match='0 features, 5 that are not finite'):
        compared(np.full((5, 4), np.nan), noise(50, 0))


@pytest.mark.parametrize('size', [1, 4])
def test_the_picture(tmp_path: Path, size: int) -> None:
    comparison = compared(noise(400, 0)[:, :size], noise(400, 1, 0.5)[:, :size])
    plot(comparison, tmp_path / 'shift.png')
    assert (tmp_path / 'shift.png').read_bytes()[:4] == b'\x89PNG'


def test_the_picture_of_features_that_never_change(tmp_path: Path) -> None:
    comparison = compared(np.ones((50, 4)), np.ones((50, 4)))
    assert comparison.result.p_value == 1.0
    plot(comparison, tmp_path / 'shift.png')
