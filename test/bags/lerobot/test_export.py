"""An exported dataset, read with other people's readers, holds what was recorded."""

import dataclasses
import errno
import json
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rtrrl_ros.bags.demonstrations.frame_streams import EVENTS
from rtrrl_ros.bags.lerobot.dataset import DatasetWriter
from rtrrl_ros.bags.lerobot.export import ExportConfig, export
from rtrrl_ros.bags.tracks import ODOM, REWARD, TELEOP
from rtrrl_ros.errors import UserError
from rtrrl_ros.tracking.reference_line import ReferenceLine

av = pytest.importorskip('av')
parquet = pytest.importorskip('pyarrow.parquet')

IMAGE = 'observation.images.events'
#: the second is lost; each is 1.2 s, with a pause behind it
LAPS = [(0, 120), (200, 320), (400, 520)]


def rows(folder: Path) -> dict[str, np.ndarray]:
    """All columns of the data table."""
    table = parquet.read_table(folder / 'data/chunk-000/file-000.parquet')
    return {name: np.array(table[name].to_pylist()) for name in table.column_names}


def episodes(folder: Path) -> list[dict[str, Any]]:
    return parquet.read_table(folder / 'meta/episodes/chunk-000/file-000.parquet').to_pylist()


def info(folder: Path) -> dict[str, Any]:
    return json.loads((folder / 'meta/info.json').read_text())


def video(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Pictures (T, H, W, 3) and their times in seconds."""
    with av.open(str(folder / f'videos/{IMAGE}/chunk-000/file-000.mp4')) as container:
        stream = container.streams.video[0]
        frames = [(f.to_ndarray(format='rgb24'), f.pts) for f in container.decode(stream)]
        return np.array([f[0] for f in frames]), np.array(
            [float(f[1] * stream.time_base) for f in frames]
        )


@pytest.fixture
def exported(bag_of, config: ExportConfig, tmp_path: Path) -> Callable[..., tuple[Path, dict]]:
    """Exports bags: `folder, summary = exported(bag, ..., rewards=False)`."""

    def run(*bags: Path, **changes: Any) -> tuple[Path, dict]:
        out = tmp_path / 'dataset'
        changed = dataclasses.replace(config, **changes)
        return out, export(bags, out, tmp_path / 'cache', changed)

    return run


def test_rows_are_what_was_recorded(exported, bag_of, track) -> None:
    folder, summary = exported(bag_of('drive', LAPS, lost=[1]))
    # the last observation of a lap has no action that another observation follows
    frames = np.concatenate([np.arange(first, end - 1) for first, end in LAPS])
    found = rows(folder)
    assert (summary['episodes'], summary['frames']) == (3, 3 * 119) == (3, len(frames))
    assert found['stamp_ns'].tolist() == [track.stamp_ns(f) for f in frames.tolist()]
    asked = [(track.steering(f), track.speed(f)) for f in frames]
    np.testing.assert_array_equal(found['action'], np.float32(asked))
    np.testing.assert_array_equal(
        found['observation.state'][:, :2], np.float32([track.motion(f) for f in frames])
    )
    before = np.float32([0.0 if f == 0 else track.steering(f - 1) for f in frames])
    within = np.isin(frames, [first for first, _ in LAPS], invert=True)
    np.testing.assert_array_equal(found['observation.state'][within, 2], before[within])
    np.testing.assert_array_equal(found['next.reward'], [track.reward(f + 1) for f in frames])
    ends = np.flatnonzero(found['next.done'])
    assert ends.tolist() == [118, 237, 356]
    assert np.flatnonzero(found['next.truncated']).tolist() == [118, 356]  # the other was lost


def test_the_steering_before_an_episode_is_that_of_the_frame_before(exported, bag_of, track):
    """Also where the frame before belongs to no episode, or there is none."""
    folder, _ = exported(bag_of('drive', LAPS))
    found = rows(folder)
    first = found['frame_index'] == 0
    expected = np.float32([0.0, track.steering(119), track.steering(319)])
    np.testing.assert_array_equal(found['observation.state'][first, 2], expected)


def test_places_and_times_count_on(exported, bag_of) -> None:
    folder, _ = exported(bag_of('drive', LAPS))
    found = rows(folder)
    assert found['index'].tolist() == list(range(3 * 119))
    assert found['frame_index'].tolist() == 3 * list(range(119))
    assert found['episode_index'].tolist() == np.repeat([0, 1, 2], 119).tolist()
    assert not found['task_index'].any()
    even = np.tile(np.arange(119) / 100, 3).astype(np.float32)
    np.testing.assert_array_equal(found['timestamp'].astype(np.float32), even)
    for number, episode in enumerate(episodes(folder)):
        assert episode['episode_index'] == number
        assert (episode['length'], episode['tasks']) == (119, ['follow the spot'])
        assert episode['dataset_from_index'] == 119 * number
        assert episode['dataset_to_index'] == 119 * (number + 1)
        assert episode[f'videos/{IMAGE}/from_timestamp'] == pytest.approx(1.19 * number)
        assert episode[f'videos/{IMAGE}/to_timestamp'] == pytest.approx(1.19 * (number + 1))


def test_pictures_are_the_frames_of_the_rows(exported, bag_of, track) -> None:
    """The newest spot is the brightest: ON red, OFF blue, where the bag had its events."""
    folder, _ = exported(bag_of('drive', LAPS))
    pictures, times_s = video(folder)
    described = info(folder)['features'][IMAGE]
    assert list(pictures.shape[1:]) == described['shape'] == [96, 128, 3]
    assert len(pictures) == 3 * 119
    np.testing.assert_allclose(times_s, np.arange(len(pictures)) / 100, atol=1e-9)
    stamps = rows(folder)['stamp_ns']
    blocks = pictures.reshape(-1, 24, 4, 32, 4, 3).mean((2, 4))
    for picture, stamp_ns in zip(blocks, stamps, strict=True):
        left = track.column((int(stamp_ns) - track.start_ns) // track.period_ns)
        spot = slice(left, left + track.spot)
        for colour, row in ((0, track.on_row), (2, track.off_row)):
            seen = picture[row : row + track.spot, :, colour].mean(0)
            assert seen[spot].min() > 235  # exp(-10 us / 5 ms) of 255, and the codec
            rest = np.delete(seen, np.r_[spot, max(left - 1, 0)])
            assert rest.size == 0 or rest.max() < 0.2 * 255  # earlier ones fade with 5 ms
        assert picture[..., 1].max() < 40 and picture[-2:].max() < 40


def test_statistics_are_those_of_the_values(exported, bag_of) -> None:
    folder, _ = exported(bag_of('drive', LAPS))
    statistics, found = json.loads((folder / 'meta/stats.json').read_text()), rows(folder)
    assert statistics.keys() == info(folder)['features'].keys()
    for name in ('action', 'observation.state', 'next.reward', 'timestamp'):
        values = found[name].reshape(len(found[name]), -1)
        assert statistics[name]['count'] == [3 * 119]
        np.testing.assert_allclose(statistics[name]['mean'], values.mean(0), atol=1e-6)
        np.testing.assert_allclose(statistics[name]['std'], values.std(0), atol=1e-6)
        np.testing.assert_allclose(statistics[name]['max'], values.max(0), atol=1e-6)
        np.testing.assert_allclose(statistics[name]['q50'], np.median(values, 0), atol=1e-6)
    pictures, _ = video(folder)
    shown = np.array(statistics[IMAGE]['mean'])
    assert shown.shape == (3, 1, 1)
    np.testing.assert_allclose(shown.ravel(), pictures.mean((0, 1, 2)) / 255, atol=0.01)
    second = episodes(folder)[1]
    mine = found['episode_index'] == 1
    np.testing.assert_allclose(
        second['stats/action/mean'], found['action'][mine].mean(0), atol=1e-6
    )
    assert np.shape(second[f'stats/{IMAGE}/std']) == (3, 1, 1)


def test_columns_are_as_described(exported, bag_of) -> None:
    folder, summary = exported(bag_of('drive', LAPS))
    facts = info(folder)
    assert (facts['codebase_version'], facts['fps'], facts['total_tasks']) == ('v3.0', 100, 1)
    assert (facts['total_episodes'], facts['total_frames']) == (3, 357)
    assert facts['splits'] == {'train': '0:3'}
    schema = parquet.read_schema(folder / facts['data_path'].format(chunk_index=0, file_index=0))
    described = {k: v for k, v in facts['features'].items() if v['dtype'] != 'video'}
    assert schema.names == list(described)
    assert ['observation.images.events', *schema.names] == summary['features']
    kinds = {'float32': 'float', 'int64': 'int64', 'bool': 'bool'}
    for name, feature in described.items():
        kind, of_name = kinds[feature['dtype']], str(schema.field(name).type)
        vector = len(feature['names'] or ()) > 0
        assert of_name == (
            f'fixed_size_list<element: {kind}>[{feature["shape"][0]}]' if vector else kind
        )
    tasks = parquet.read_table(folder / 'meta/tasks.parquet')
    assert tasks.to_pydict() == {'task_index': [0], 'task': ['follow the spot']}
    assert json.loads(tasks.schema.metadata[b'pandas'])['index_columns'] == ['task']


def test_two_recordings_are_one_dataset(exported, bag_of) -> None:
    folder, summary = exported(bag_of('monday', LAPS[:1]), bag_of('tuesday', LAPS[:2]))
    assert [e['recording'] for e in episodes(folder)] == ['monday', 'tuesday', 'tuesday']
    assert rows(folder)['index'].tolist() == list(range(summary['frames']))
    assert len(video(folder)[0]) == summary['frames']


def test_without_odometry_the_state_is_what_was_steered(exported, bag_of, track) -> None:
    whole, bare = bag_of('whole', LAPS[:1]), bag_of('bare', LAPS[:1], without={ODOM})
    folder, summary = exported(whole, bare)
    assert info(folder)['features']['observation.state']['names'] == ['steering_angle_before_rad']
    assert any('bare without /odom' in note for note in summary['notes'])
    expected = np.float32([track.steering(f) for f in range(118)])
    np.testing.assert_array_equal(rows(folder)['observation.state'][1:119, 0], expected)


@pytest.mark.parametrize('why', ['not recorded', 'not wanted'])
def test_without_rewards_every_frame_has_a_row(exported, bag_of, why: str) -> None:
    bag = bag_of('drive', LAPS[:1], without={REWARD} if why == 'not recorded' else ())
    folder, summary = exported(bag, rewards=why == 'not recorded')
    assert not {'next.reward', 'next.done', 'next.truncated'} & rows(folder).keys()
    assert summary['frames'] == 120
    assert len(summary['notes']) == (why == 'not recorded')


def test_rewards_along_a_line_take_the_place_of_recorded_ones(exported, bag_of) -> None:
    """The made-up car stands on the line, and gets on by nothing; what was recorded is not 0."""
    angles = np.linspace(0.0, 2.0 * np.pi, 200, endpoint=False)
    circle = np.column_stack([np.sin(angles), 1.0 - np.cos(angles)])
    folder, summary = exported(bag_of('drive', LAPS[:1]), reference=ReferenceLine.of(circle))
    found = rows(folder)['next.reward']
    assert summary['frames'] == len(found) > 100
    assert not found.any()


def test_an_episode_that_lacks_a_reward_is_left_out(exported, bag_of) -> None:
    folder, summary = exported(bag_of('drive', LAPS, missing={REWARD: [230]}))
    assert (summary['episodes'], summary['frames_unrewarded']) == (2, 120)
    assert rows(folder)['stamp_ns'].size == 2 * 119
    assert any('--no-rewards' in note for note in summary['notes'])


def test_a_missing_window_ends_an_episode(exported, bag_of, track) -> None:
    """Frames in an episode come evenly, as their times say."""
    bag = bag_of('drive', [(0, 360)], missing={EVENTS: [150]}, without={REWARD})
    folder, _ = exported(bag)
    stamps, number = rows(folder)['stamp_ns'], rows(folder)['episode_index']
    assert [int((number == k).sum()) for k in (0, 1)] == [150, 209]
    assert set(np.diff(stamps)[np.diff(number) == 0]) == {track.period_ns}


def test_uneven_frames_are_kept_where_they_are_allowed(exported, bag_of, config) -> None:
    bag = bag_of('drive', [(0, 300)], missing={EVENTS: range(0, 300, 10)}, without={REWARD})
    folder, summary = exported(bag, recorded=dataclasses.replace(config.recorded, max_gap_s=0.1))
    assert (summary['episodes'], summary['frames']) == (1, 270)
    recorded = np.diff(rows(folder)['stamp_ns'])
    off_s = recorded.sum() / 1e9 - 269 / 100
    assert summary['largest_departure_s'] == pytest.approx(off_s)
    assert any('stamp_ns' in note for note in summary['notes'])


def test_frames_without_odometry_are_left_out(exported, bag_of) -> None:
    """Further than the allowed skew from any: 50 ms at both ends of the hole."""
    bag = bag_of('drive', [(0, 400)], missing={ODOM: range(150, 200)}, without={REWARD})
    folder, summary = exported(bag)
    number = rows(folder)['episode_index']
    assert [int((number == k).sum()) for k in (0, 1)] == [155, 205]
    assert summary['frames_stale'] == 40


def test_memory_holds_a_few_frames(exported, bag_of, monkeypatch) -> None:
    from rtrrl_ros.bags.demonstrations.frame_file import FrameRows

    read, slices = FrameRows.__getitem__, []

    def spy(self: FrameRows, part: slice) -> np.ndarray:
        found = read(self, part)
        slices.append(len(found))
        return found

    monkeypatch.setattr(FrameRows, '__getitem__', spy)
    exported(bag_of('drive', LAPS))
    assert sum(slices) == 3 * 119 and max(slices) <= 64


@pytest.mark.parametrize('fault', [OSError(errno.ENOSPC, 'No space left'), KeyboardInterrupt()])
def test_nothing_is_left_of_what_was_not_finished(
    exported, bag_of, tmp_path: Path, monkeypatch, fault: BaseException
) -> None:
    bag, add = bag_of('drive', LAPS), DatasetWriter.add
    made = []

    def fail(self: DatasetWriter, episode: Any) -> None:
        if made:
            raise fault
        made.append(add(self, episode))

    monkeypatch.setattr(DatasetWriter, 'add', fail)
    with pytest.raises((UserError, KeyboardInterrupt)) as caught:
        exported(bag)
    if isinstance(fault, OSError):
        assert 'No space left' in str(caught.value) and '--out' in str(caught.value)
    assert {path.name for path in tmp_path.iterdir()} == {'drive', 'cache'}


def test_a_file_that_cannot_grow_is_one_line(exported, bag_of, tmp_path: Path) -> None:
    """As on a full disk, in the midst of the video; the error is FFmpeg's."""
    bag = bag_of('drive', LAPS)
    exported(bag)[0].rename(tmp_path / 'whole')  # frames are in the cache now
    videos = (tmp_path / 'whole').rglob('*.mp4')
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (next(videos).stat().st_size // 2, before[1]))
    try:
        with pytest.raises(UserError, match=r'--out .*dataset: File too large'):
            exported(bag)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert {path.name for path in tmp_path.iterdir()} == {'drive', 'cache', 'whole'}


@pytest.mark.parametrize('package', ['pyarrow', 'av'])
def test_a_missing_package_is_named_before_anything_is_read(
    exported, tmp_path: Path, monkeypatch, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UserError, match=rf'{package}.*pip install .rtrrl_ros\[lerobot\]'):
        exported(tmp_path / 'no such bag')


def test_progress_ends_with_all_frames(bag_of, config: ExportConfig, tmp_path: Path) -> None:
    told = []
    out = tmp_path / 'dataset'
    export([bag_of('drive', LAPS)], out, tmp_path / 'cache', config, lambda *p: told.append(p))
    assert told[-1] == ('writing frames', 357, 357)


def test_no_command_and_too_short_are_one_line(exported, bag_of) -> None:
    with pytest.raises(UserError, match='nobody knows what a person did'):
        exported(bag_of('mute', LAPS[:1], without={TELEOP}))
    with pytest.raises(UserError, match=r'10 ms apart.*--max-gap'):
        exported(bag_of('short', [(0, 50)]))
    with pytest.raises(UserError, match='--no-rewards'):
        exported(bag_of('unrewarded', LAPS[:1], missing={REWARD: [7]}))
