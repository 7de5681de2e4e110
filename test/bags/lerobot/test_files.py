"""Sequences of files: an episode is in one, and where it is, is told."""

from pathlib import Path

import numpy as np
import pytest

from rtrrl_ros.bags.lerobot.features import Column, columns
from rtrrl_ros.bags.lerobot.layout import DATA, VIDEO_FILE_S, VIDEOS, FileNumber
from rtrrl_ros.bags.lerobot.tables import DataFiles
from rtrrl_ros.bags.lerobot.video import VideoFiles

av = pytest.importorskip('av')
parquet = pytest.importorskip('pyarrow.parquet')


def test_numbers_fill_a_chunk_before_the_next() -> None:
    assert FileNumber().following() == (0, 1)
    assert FileNumber(0, 999).following() == (1, 0)
    assert FileNumber(1, 2).path(DATA) == 'data/chunk-001/file-002.parquet'
    assert FileNumber().path(VIDEOS, 'key') == 'videos/key/chunk-000/file-000.mp4'


def pictures(count: int) -> np.ndarray:
    return np.random.default_rng(count).integers(0, 255, (count, 32, 48, 3)).astype(np.uint8)


@pytest.mark.parametrize('most', [{'longest_s': 0.2}, {'largest_bytes': 1}])
def test_a_full_video_takes_no_further_episode(tmp_path: Path, most: dict) -> None:
    files = VideoFiles(tmp_path, 'key', 100, **most)
    places = [files.write([pictures(20)]) for _ in range(3)]
    files.close()
    # a small file is still in memory when its size is asked for
    begun = [place for place in places if place.from_s == 0.0]
    assert (
        len({place.number for place in places}) == len(begun) >= (3 if 'longest_s' in most else 1)
    )
    for place in places:
        with av.open(str(tmp_path / place.number.path(VIDEOS, 'key'))) as container:
            stream = container.streams.video[0]
            times = [float(f.pts * stream.time_base) for f in container.decode(stream)]
            assert stream.average_rate == 100
        assert place.to_s - place.from_s == pytest.approx(0.2)
        expected = place.from_s + np.arange(20) / 100
        assert np.abs(np.array(times)[:, None] - expected).min(0).max() < 1e-9


def test_episodes_share_a_video_until_it_is_full(tmp_path: Path) -> None:
    files = VideoFiles(tmp_path, 'key', 100, longest_s=0.3)
    places = [files.write([pictures(10), pictures(5)]) for _ in range(3)]
    files.close()
    assert [place.number.file for place in places] == [0, 0, 1]
    assert [place.from_s for place in places] == [0.0, 0.15, 0.0]


def test_times_in_a_video_can_be_told_apart_in_single_precision() -> None:
    """A reader compares them in float32, and tolerates 0.1 ms; an episode may last 60 s more."""
    assert np.spacing(np.float32(VIDEO_FILE_S + 60.0)) < 1e-4


def test_a_full_table_takes_no_further_episode(tmp_path: Path) -> None:
    names = (Column('pair', 'float32', ('a', 'b')), Column('flag', 'bool'))
    files = DataFiles(tmp_path, names, largest_bytes=200)
    flags = np.arange(20) % 2 == 0
    found = [files.write({'pair': np.full((20, 2), k), 'flag': flags}) for k in range(4)]
    files.close()
    assert [number.file for number in found] == [0, 0, 1, 1]
    table = parquet.read_table(tmp_path / FileNumber(0, 1).path(DATA))
    assert table['pair'].to_pylist() == 20 * [[2.0, 2.0]] + 20 * [[3.0, 3.0]]
    assert table['flag'].to_pylist() == 2 * flags.tolist()
    assert parquet.ParquetFile(tmp_path / FileNumber().path(DATA)).num_row_groups == 2


def test_rewards_and_motion_are_columns_where_they_are_known() -> None:
    assert [c.name for c in columns(motion=True, rewards=False)][:3] == [
        'observation.state', 'action', 'stamp_ns'
    ]  # fmt: skip
    assert columns(motion=True, rewards=False)[0].size == 3
    assert columns(motion=False, rewards=True)[0].names == ('steering_angle_before_rad',)
