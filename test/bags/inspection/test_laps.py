"""Laps by the odometry, where nobody counted them."""

from types import SimpleNamespace

import numpy as np
import pytest

from rtrrl_ros.bags.inspection.laps import Path

S_NS = 1_000_000_000


def odometry(x: float, y: float, heading: float) -> SimpleNamespace:
    position = SimpleNamespace(x=x, y=y)
    turn = SimpleNamespace(x=0.0, y=0.0, z=np.sin(heading / 2), w=np.cos(heading / 2))
    return SimpleNamespace(
        pose=SimpleNamespace(pose=SimpleNamespace(position=position, orientation=turn))
    )


def test_rounds_on_a_circle() -> None:
    path = Path()
    for step in range(1001):  # 3.2 rounds of 2 m radius in 10 s
        turn = 3.2 * 2 * np.pi * step / 1000
        path.add(odometry(2 * np.cos(turn), 2 * np.sin(turn), turn + np.pi / 2), step * S_NS // 100)
    assert len(path.laps_s) == 3
    assert path.laps_s[1] == pytest.approx(10 / 3.2, abs=0.02)
    assert path.driven_m == pytest.approx(3.2 * 4 * np.pi, rel=1e-3)


def test_driving_back_past_the_start_is_no_round() -> None:
    path = Path()
    forward = np.linspace(0, 5, 200)
    for step, x in enumerate(forward):
        path.add(odometry(x, 0.0, 0.0), step)
    for step, x in enumerate(forward[::-1]):
        path.add(odometry(x, 0.3, np.pi), 200 + step)
    assert path.laps_s == []


def test_memory_stays_small_however_long_the_way_is() -> None:
    path = Path()
    for step in range(100_000):
        path.add(odometry(step * 0.01, 0.0, 0.0), step)
    x, y = path.points
    assert len(x) == len(y) <= 4001
    assert x[0] == 0.0 and x[-1] > 900.0


def test_a_pose_that_is_not_finite_is_left_out() -> None:
    path = Path()
    for x in (0.0, float('nan'), 1.0):
        path.add(odometry(x, 0.0, 0.0), 0)
    assert path.driven_m == 1.0


def test_a_car_that_is_put_down_elsewhere_begins_anew() -> None:
    path = Path()
    for lap, (x0, radius) in enumerate(((0.0, 2.0), (50.0, 3.0))):
        for step in range(500):
            turn = 2 * np.pi * step / 499
            place = x0 + radius * np.cos(turn), radius * np.sin(turn)
            path.add(odometry(*place, turn + np.pi / 2), (500 * lap + step) * S_NS // 100)
    assert len(path.laps_s) == 2
    assert path.laps_s[1] == pytest.approx(5.0, abs=0.2)
    assert path.driven_m == pytest.approx(2 * np.pi * 5, rel=1e-3)
