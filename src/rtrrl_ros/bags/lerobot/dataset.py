"""A LeRobotDataset, episode by episode: pictures, rows, and what describes them."""

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from .episodes import Episode
from .features import IMAGE, Column, described_video
from .layout import (
    CHUNK_FILES,
    DATA,
    DATA_FILE_MB,
    EPISODES,
    INFO,
    STATISTICS,
    TASKS,
    VERSION,
    VIDEO_FILE_MB,
    VIDEOS,
    FileNumber,
)
from .pixels import enlarged, enlargement, picture
from .statistics import PictureStatistics, Statistics, column_statistics
from .tables import DataFiles, write_rows, write_tasks
from .video import STREAM, VideoFiles

#: frames that are in memory at a time
_BLOCK = 64
ROBOT = 'ackermann'


@contextmanager
def whole_folder(out: Path) -> Iterator[Path]:
    """A folder beside `out` to fill, which takes its name at the end, and goes after an error."""
    out.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(dir=out.parent, prefix=f'.{out.name}.part-'))
    try:
        part = beside / out.name  # mkdtemp makes a folder that nobody else may read
        part.mkdir()
        yield part
        part.rename(out)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


class DatasetWriter:
    """Fills a folder with a dataset.

    Parameters
    ----------
    root : the folder, empty
    fps : frames per second
    columns : of the rows
    frame_shape : (C, H, W) of the event frames
    task : what was being done, for all episodes
    on_frames : told of every few frames that are written
    """

    def __init__(
        self, root: Path, fps: int, columns: Sequence[Column], frame_shape: tuple[int, int, int],
        task: str, on_frames: Callable[[int], None] = lambda count: None,
    ) -> None:  # fmt: skip
        self._root, self._fps, self._columns, self._task = root, fps, columns, task
        self._height, self._width = frame_shape[1:]
        self._factor = enlargement(self._height, self._width)
        self._on_frames = on_frames
        self._data, self._video = DataFiles(root, columns), VideoFiles(root, IMAGE, fps)
        self._pictures = PictureStatistics()
        self._values: dict[str, list[np.ndarray]] = {column.name: [] for column in columns}
        self._episodes: list[dict[str, Any]] = []
        self._frames = 0

    def add(self, episode: Episode) -> None:
        """Write an episode."""
        number, count, first = len(self._episodes), len(episode), self._frames
        frame = np.arange(count)
        values = episode.values | {
            'timestamp': (frame / self._fps).astype(np.float32), 'frame_index': frame,
            'episode_index': np.full(count, number), 'index': first + frame,
            'task_index': np.zeros(count, np.int64),
        }  # fmt: skip
        seen = PictureStatistics()
        place = self._video.write(self._shown(episode, seen))
        file = self._data.write(values)
        self._pictures.merge(seen)
        self._frames += count
        statistics = {IMAGE: seen.statistics()}
        for column in self._columns:
            of_column = np.asarray(values[column.name], column.kind)
            self._values[column.name].append(of_column)
            statistics[column.name] = column_statistics(of_column)
        self._episodes.append(
            {
                'episode_index': number, 'tasks': [self._task], 'length': count,
                'recording': episode.name,
                'data/chunk_index': file.chunk, 'data/file_index': file.file,
                'dataset_from_index': first, 'dataset_to_index': self._frames,
                f'videos/{IMAGE}/chunk_index': place.number.chunk,
                f'videos/{IMAGE}/file_index': place.number.file,
                f'videos/{IMAGE}/from_timestamp': place.from_s,
                f'videos/{IMAGE}/to_timestamp': place.to_s,
                'meta/episodes/chunk_index': 0, 'meta/episodes/file_index': 0,
                **_flat(statistics),
            }
        )  # fmt: skip

    def finish(self) -> dict[str, Any]:
        """Complete all files; returns what is in meta/info.json."""
        self.close()
        statistics = {IMAGE: self._pictures.statistics()}
        for column in self._columns:
            statistics[column.name] = column_statistics(np.concatenate(self._values[column.name]))
        write_rows(self._root / FileNumber().path(EPISODES), self._episodes)
        write_tasks(self._root / TASKS, [self._task])
        info = self._info()
        (self._root / STATISTICS).write_text(json.dumps(statistics, indent=2) + '\n')
        (self._root / INFO).write_text(json.dumps(info, indent=2) + '\n')
        return info

    def close(self) -> None:
        """Close the files, complete or not."""
        self._video.close()
        self._data.close()

    def _shown(self, episode: Episode, seen: PictureStatistics) -> Iterator[np.ndarray]:
        """The pictures of an episode, block by block."""
        for begin in range(0, len(episode), _BLOCK):
            pictures = picture(episode.frames[begin : begin + _BLOCK])
            seen.add(pictures)
            yield enlarged(pictures, self._factor)
            self._on_frames(len(pictures))

    def _info(self) -> dict[str, Any]:
        height, width = self._factor * self._height, self._factor * self._width
        return {
            'codebase_version': VERSION,
            'robot_type': ROBOT,
            'total_episodes': len(self._episodes),
            'total_frames': self._frames,
            'total_tasks': 1,
            'chunks_size': CHUNK_FILES,
            'data_files_size_in_mb': DATA_FILE_MB,
            'video_files_size_in_mb': VIDEO_FILE_MB,
            'fps': self._fps,
            'splits': {'train': f'0:{len(self._episodes)}'},
            'data_path': DATA,
            'video_path': VIDEOS,
            'features': {
                IMAGE: described_video(height, width, self._fps, STREAM),
                **{column.name: column.described() for column in self._columns},
            },
        }


def _flat(statistics: dict[str, Statistics]) -> dict[str, Any]:
    return {
        f'stats/{feature}/{name}': value
        for feature, of_feature in statistics.items()
        for name, value in of_feature.items()
    }
