"""Values against returns."""

import numpy as np
import pytest

from rtrrl_ros.bags.rerun.calibration import Returns, calibration


def test_returns_are_known_where_little_is_missing():
    returns = Returns(0.5)
    for lap in range(2):
        for _ in range(10):
            returns.add(1.0)
        returns.end_lap(terminated=lap == 1)
    total, known = returns.arrays()
    assert total[0] == pytest.approx(2.0 - 0.5**8)
    assert total[9] == total[19] == 0.0
    assert known[:10].sum() == 5  # 0.5^5 < 0.05
    assert known[10:].all()  # nothing more could come


def test_a_lap_that_was_cut_off_counts_as_one_that_goes_on():
    returns = Returns(0.0)
    returns.add(1.0)
    total, known = returns.arrays()
    assert len(total) == len(known) == 1


def test_a_critic_that_is_right_and_one_that_promises_too_much():
    truth = np.random.default_rng(0).standard_normal(1000)
    right = calibration(truth, truth)
    assert right['bias'] == right['rmse'] == 0.0
    assert right['explained_variance'] == pytest.approx(1.0)
    assert right['correlation'] == pytest.approx(1.0)
    more = calibration(truth + 2.0, truth)
    assert more['bias'] == pytest.approx(2.0) and more['explained_variance'] == pytest.approx(1.0)
    assert all(part['value'] > part['return'] for part in more['bins'])
    assert sum(part['observations'] for part in more['bins']) == 1000


def test_nothing_to_calibrate():
    assert calibration(np.zeros(0), np.zeros(0)) is None
    assert calibration(np.ones(3), np.ones(3))['explained_variance'] is None
