"""Laps by the odometry, where nobody counted them."""

from types import SimpleNamespace

import numpy as np
import pytest

from rtrrl_ros.bags.inspection.laps import Path, RewardLaps
from rtrrl_ros.worlds.contract import StepType

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


def drive_laps(laps: RewardLaps, *steps: int, from_s: float = 0.0, whole: bool = True) -> None:
    """A run whose laps have so many steps; its time begins at `from_s`."""
    time_ns = round(from_s * S_NS)
    for lap, count in enumerate(steps):
        for step in range(count + 1):
            time_ns += S_NS // 100
            last = step == count and (whole or lap < len(steps) - 1)
            kind = StepType.LAST if last else StepType.MID if step else StepType.FIRST
            message = SimpleNamespace(
                step_type=int(kind), lap=lap, terminated=False, truncated=last, reward=0.1,
                task_reward=1.0, lateral_error_m=0.01,
            )  # fmt: skip
            laps.add(message, time_ns)


def test_the_laps_of_every_run_count_where_time_begins_anew() -> None:
    laps = RewardLaps()
    for run in ([999] * 2, [1009] * 2, [899] * 10):
        drive_laps(laps, *run)
    found = laps.to_json()
    steps = [999, 999, 1009, 1009, *[899] * 10]
    assert [lap['steps'] for lap in found] == steps
    assert [lap['return'] for lap in found] == steps
    assert [lap['lap'] for lap in found] == [0, 1, 0, 1, *range(10)]
    assert laps.unfinished_steps == 0


def test_a_lap_that_its_run_did_not_end_is_unfinished() -> None:
    laps = RewardLaps()
    drive_laps(laps, 300, 200, whole=False)
    drive_laps(laps, 150, 100, whole=False)
    assert [lap['steps'] for lap in laps.to_json()] == [300, 150]
    assert laps.unfinished_steps == 300


def test_rewards_a_little_late_begin_no_run() -> None:
    laps = RewardLaps()
    drive_laps(laps, 300, whole=False)
    drive_laps(laps, 50, from_s=2.2)
    assert laps.to_json() == []
    drive_laps(laps, 100, 100)
    assert [lap['steps'] for lap in laps.to_json()] == [100, 100]
    assert laps.unfinished_steps == 300
