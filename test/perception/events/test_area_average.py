"""Area averages: against cv2, bit for bit, and against plain NumPy."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtrrl_ros.perception.events.area_average import AreaAverage
from rtrrl_ros.perception.events.frames_reference import area_average

#: width, height, columns, rows; the first is what the shipped models see
SIZES = [(346, 260, 64, 48), (346, 260, 100, 77), (640, 480, 70, 33), (346, 260, 346, 48)]


def pictures(width: int, height: int, seed: int = 0) -> np.ndarray:
    """(2, height, width) float32, most of it zero as a time surface is."""
    random = np.random.default_rng(seed)
    values = random.random((2, height, width), dtype=np.float32)
    return values * (random.random(values.shape) < 0.3)


@pytest.mark.parametrize('size', SIZES)
def test_the_bits_are_those_of_cv2(size: tuple[int, int, int, int]) -> None:
    width, height, columns, rows = size
    whole = pictures(width, height)
    expected = [
        cv2.resize(picture, (columns, rows), interpolation=cv2.INTER_AREA) for picture in whole
    ]
    got = AreaAverage(*size)(np.ascontiguousarray(whole.transpose(0, 2, 1)))
    assert got.dtype == np.float32
    assert np.array_equal(got, np.stack(expected))


@settings(max_examples=50, deadline=None)
@given(data=st.data(), width=st.integers(1, 50), height=st.integers(1, 50))
def test_it_is_the_average_over_areas(data: st.DataObject, width: int, height: int) -> None:
    columns, rows = data.draw(st.integers(1, width)), data.draw(st.integers(1, height))
    whole = pictures(width, height, seed=data.draw(st.integers(0, 99)))
    expected = area_average(height, rows) @ whole @ area_average(width, columns).T
    got = AreaAverage(width, height, columns, rows)(np.ascontiguousarray(whole.transpose(0, 2, 1)))
    assert np.allclose(got, expected, rtol=1e-5, atol=1e-6)


def test_a_result_is_not_touched_by_the_next() -> None:
    average = AreaAverage(10, 8, 5, 3)
    first = average(np.ones((2, 10, 8), dtype=np.float32))
    kept = first.copy()
    average(np.zeros((2, 10, 8), dtype=np.float32))
    assert np.array_equal(first, kept)
