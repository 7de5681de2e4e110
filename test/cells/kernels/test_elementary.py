"""The approximations inside the kernels, over the whole range that a cell can ask for."""

import math

import numba
import numpy as np
import pytest

from rtrrl_ros.cells.kernels import elementary
from rtrrl_ros.cells.kernels.denormals import flush_denormals, restore


@numba.njit
def evaluate(x: np.ndarray) -> tuple:
    exps, sigmoids, tanhs = np.empty_like(x), np.empty_like(x), np.empty_like(x)
    cosines, sines = np.empty_like(x), np.empty_like(x)
    for i in range(x.size):
        exps[i] = elementary.exp(x[i])
        sigmoids[i] = elementary.sigmoid(x[i])
        tanhs[i] = elementary.tanh(x[i])
        cosines[i], sines[i] = elementary.cos_sin(x[i])
    return exps, sigmoids, tanhs, cosines, sines


def test_they_are_right_to_float32() -> None:
    x = np.concatenate([np.linspace(-80, 80, 40001), np.linspace(-1, 1, 4001)]).astype(np.float32)
    exps, sigmoids, tanhs, cosines, sines = evaluate(x)
    truth = x.astype(np.float64)
    assert np.abs(exps / np.exp(truth) - 1).max() < 3e-7
    assert np.abs(sigmoids - 1 / (1 + np.exp(-truth))).max() < 3e-7
    assert np.abs(tanhs - np.tanh(truth)).max() < 3e-7
    assert np.abs(cosines - np.cos(truth)).max() < 3e-7
    assert np.abs(sines - np.sin(truth)).max() < 3e-7


def test_out_of_range_they_saturate_and_keep_what_is_not_a_number() -> None:
    x = np.array([-1e30, -np.inf, 1e30, np.inf, np.nan], np.float32)
    exps, sigmoids, tanhs, _, _ = evaluate(x)
    assert np.allclose(sigmoids[:4], [0, 0, 1, 1]) and math.isnan(sigmoids[4])
    assert np.allclose(tanhs[:4], [-1, -1, 1, 1]) and math.isnan(tanhs[4])
    assert np.isfinite(exps[:4]).all() and math.isnan(exps[4])


@numba.njit
def halve(x: np.ndarray, flush: bool) -> None:
    mode = flush_denormals() if flush else 0
    for i in range(x.size):
        x[i] *= np.float32(0.5)
    if flush:
        restore(mode)


@pytest.mark.parametrize(('flush', 'expected'), [(True, 0.0), (False, 6.5e-39)])
def test_the_smallest_numbers_are_flushed_only_where_asked(flush: bool, expected: float) -> None:
    for ask, result in ((flush, expected), (False, 6.5e-39)):
        x = np.full(16, 1.3e-38, np.float32)
        halve(x, ask)
        assert x == pytest.approx(result, rel=1e-3, abs=1e-45)
