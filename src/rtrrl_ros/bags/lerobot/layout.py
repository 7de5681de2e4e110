"""Where a LeRobotDataset of version 3.0 keeps what.

Tables and videos are each a sequence of files, with many episodes in one. Which file an episode is
in, and where, is told by the table of episodes.
"""

from typing import NamedTuple

VERSION = 'v3.0'
INFO, STATISTICS, TASKS = 'meta/info.json', 'meta/stats.json', 'meta/tasks.parquet'

_FILE = 'chunk-{chunk_index:03d}/file-{file_index:03d}'
EPISODES = f'meta/episodes/{_FILE}.parquet'
DATA = f'data/{_FILE}.parquet'
VIDEOS = f'videos/{{video_key}}/{_FILE}.mp4'

#: files in one chunk, which is a folder
CHUNK_FILES = 1000
#: a file that has this size takes no further episode
DATA_FILE_MB, VIDEO_FILE_MB = 100, 200
#: Neither does a video of this length. Readers look for a frame by its time in single precision,
#: to 0.1 ms, and the step between two such numbers is 0.12 ms from 1024 s on.
VIDEO_FILE_S = 900.0


class FileNumber(NamedTuple):
    """Which file of a sequence."""

    chunk: int = 0
    file: int = 0

    def following(self) -> 'FileNumber':
        """The one after this."""
        last = self.file + 1 >= CHUNK_FILES
        return FileNumber(self.chunk + last, 0 if last else self.file + 1)

    def path(self, pattern: str, video_key: str = '') -> str:
        """Its name below the dataset, for one of the patterns above."""
        return pattern.format(chunk_index=self.chunk, file_index=self.file, video_key=video_key)
