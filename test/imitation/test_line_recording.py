"""Learning from a bag of the simulated driver is learning from the laps themselves."""

import dataclasses
import functools
from pathlib import Path

import numpy as np
import pytest

from rtrrl_ros.bags.demonstrations.laps import RecordedConfig, recorded_laps
from rtrrl_ros.bags.writing import BagWriter
from rtrrl_ros.configuration import TaskConfig, load_task_config
from rtrrl_ros.errors import UserError
from rtrrl_ros.imitation import line_recording
from rtrrl_ros.imitation.demonstrations import Perturbation
from rtrrl_ros.imitation.line_laps import FRAMES, LapJob, record
from rtrrl_ros.imitation.line_recording import record_laps
from rtrrl_ros.perception.events.windows import WindowConfig


@pytest.fixture
def task() -> TaskConfig:
    """The line, but laps end after a short time."""
    task = load_task_config('line')
    return dataclasses.replace(task, world=dataclasses.replace(task.world, time_limit_s=0.4))


def test_the_bag_holds_the_laps_bit_for_bit(task: TaskConfig, tmp_path: Path) -> None:
    jobs = [LapJob(task, 5, lap, Perturbation(0.25, 0.99)) for lap in (0, 0)]
    driven = record_laps(tmp_path / 'bag', jobs)
    recorded = recorded_laps(
        [tmp_path / 'bag'], WindowConfig(), FRAMES, tmp_path / 'cache',
        task.actuation.max_steering_angle_rad, RecordedConfig(shortest_s=0.1),
    )  # fmt: skip
    assert recorded.counts.used == recorded.counts.recorded == 2 * 41
    for job, lap, told in zip(jobs, recorded.laps, driven, strict=True):
        alone = record(job)
        assert np.array_equal(told.images[:], alone.images[:])
        assert np.array_equal(lap.images[:], alone.images[:])
        assert np.abs(lap.actions - alone.actions).max() < 1e-6
        assert np.array_equal(lap.rewards, alone.rewards)
        assert lap.rewarded and lap.terminated == alone.terminated
        assert lap.task_return == pytest.approx(alone.task_return)
    assert len(np.unique(recorded.laps[0].actions)) > 20, 'somebody steers'


def test_a_bag_is_not_written_over(task: TaskConfig, tmp_path: Path) -> None:
    with pytest.raises(UserError, match='exists already'):
        record_laps(tmp_path, [])
    assert tmp_path.is_dir()


@pytest.mark.parametrize('fault', [KeyboardInterrupt(), OSError('broken')])
def test_a_bag_that_lacks_laps_is_not_there(task: TaskConfig, tmp_path: Path, fault) -> None:
    def on_lap(lap) -> None:
        raise fault

    jobs = [LapJob(task, 5, lap, Perturbation(0.25, 0.99)) for lap in (0, 1)]
    with pytest.raises(type(fault)):
        record_laps(tmp_path / 'bag', jobs, on_lap=on_lap)
    assert not (tmp_path / 'bag').exists()


def test_a_full_disk_is_one_line_and_no_bag(task: TaskConfig, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(
        line_recording, 'BagWriter', functools.partial(BagWriter, least_free_bytes=1 << 60)
    )
    with pytest.raises(UserError, match=r'the disk is full; .*laps are missing'):
        record_laps(tmp_path / 'bag', [LapJob(task, 5, 0, Perturbation(0.25, 0.99))])
    assert not (tmp_path / 'bag').exists()
