"""What a row of the dataset holds: names, types and shapes, as meta/info.json tells them."""

import dataclasses
from typing import Any

IMAGE, STATE, ACTION = 'observation.images.events', 'observation.state', 'action'
REWARD, DONE, TRUNCATED = 'next.reward', 'next.done', 'next.truncated'
STAMP = 'stamp_ns'

ACTION_NAMES = ('steering_angle_rad', 'speed_m_s')
#: what odometry tells of the car, then what was asked for at the frame before
MOTION_NAMES = ('speed_m_s', 'yaw_rate_rad_s')
BEFORE_NAME = 'steering_angle_before_rad'


@dataclasses.dataclass(frozen=True)
class Column:
    """A column of the data table: a number per row where `size` is 1, else a vector.

    Attributes
    ----------
    kind : 'float32', 'int64' or 'bool'
    names : of the elements of a vector
    """

    name: str
    kind: str
    names: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        return len(self.names) or 1

    def described(self) -> dict[str, Any]:
        """As in info.json."""
        return {'dtype': self.kind, 'shape': [self.size], 'names': list(self.names) or None}


#: what every dataset has at the end of a row
_PLACES = (
    Column('timestamp', 'float32'),
    *(Column(name, 'int64') for name in ('frame_index', 'episode_index', 'index', 'task_index')),
)


def columns(motion: bool, rewards: bool) -> tuple[Column, ...]:
    """The columns of the data table.

    motion : the state tells speed and yaw rate; rewards : there is what a learner wants beside
    """
    state = (*(MOTION_NAMES if motion else ()), BEFORE_NAME)
    learning = (Column(REWARD, 'float32'), Column(DONE, 'bool'), Column(TRUNCATED, 'bool'))
    return (
        Column(STATE, 'float32', state),
        Column(ACTION, 'float32', ACTION_NAMES),
        *(learning if rewards else ()),
        Column(STAMP, 'int64'),
        *_PLACES,
    )


def described_video(height: int, width: int, fps: int, stream: dict[str, Any]) -> dict[str, Any]:
    """The feature of the video, in pixels, as in info.json; `stream`: how it is encoded."""
    facts = {
        'video.height': height, 'video.width': width, **stream, 'video.fps': fps,
        'video.channels': 3, 'has_audio': False, 'is_depth_map': False,
    }  # fmt: skip
    return {
        'dtype': 'video', 'shape': [height, width, 3], 'names': ['height', 'width', 'channels'],
        'info': facts,
    }  # fmt: skip
