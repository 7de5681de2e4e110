"""A drive cut into episodes: what is in the rows of each, but for the pictures."""

import dataclasses

import numpy as np

from ..demonstrations.frame_cache import CachedDrive
from ..demonstrations.frame_file import FrameRows
from ..demonstrations.lap_pieces import Piece
from ..demonstrations.laps import RecordedConfig, drive_pieces
from ..demonstrations.pairing import PairCounts, Pairs, nearest_of_epoch
from ..tracks import ODOM, Columns
from .features import ACTION, DONE, MOTION_NAMES, REWARD, STAMP, STATE, TRUNCATED


@dataclasses.dataclass(frozen=True)
class Episode:
    """Frames that follow one another, and what was known and done at each.

    Attributes
    ----------
    name : of the recording
    frames : (T, C, H, W) float16, read where they are sliced
    values : (T,) or (T, D) of each column that a drive tells
    """

    name: str
    frames: FrameRows
    values: dict[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.frames)

    def departure_s(self, fps: int) -> float:
        """How far the recorded times are off those of frames that come evenly, at most."""
        stamps_ns = self.values[STAMP]
        elapsed_s = (stamps_ns - stamps_ns[0]) / 1e9
        return float(np.abs(elapsed_s - np.arange(len(self)) / fps).max())


@dataclasses.dataclass(frozen=True)
class Cut:
    """Episodes of a drive; what became of its frames; frames left out since a reward is missing."""

    episodes: list[Episode]
    counts: PairCounts
    unrewarded: int


def cut_episodes(
    drive: CachedDrive, config: RecordedConfig, laps: Columns | None, *, motion: bool, rewards: bool
) -> Cut:
    """The episodes of a drive.

    With rewards, an episode is as long as there are actions with a next observation: the last
    frame of a piece is what its last reward belongs to, and has no row of its own.

    Parameters
    ----------
    laps : rewards with the laps they belong to; None: not known
    motion : the state tells speed and yaw rate; a frame without odometry is then left out
    rewards : rows tell the next reward; a piece without all of its rewards is then left out

    Raises
    ------
    UserError
        nobody gave commands
    """
    seen, fresh = _motion(drive, config.max_skew_s) if motion else (None, None)
    pieces, pairs = drive_pieces(drive, config, laps, fresh)
    before = np.nan_to_num(np.concatenate([[0.0], pairs.steering_rad[:-1]]), posinf=0, neginf=0)
    state = np.column_stack([before] if seen is None else [seen, before])
    episodes, unrewarded = [], 0
    for piece in pieces:
        if rewards and not piece.rewarded:
            unrewarded += len(piece.rows)
        elif len(piece.rows) > int(rewards):
            episodes.append(_episode(drive, piece, pairs, state, rewards))
    return Cut(episodes, pairs.counts, unrewarded)


def _motion(drive: CachedDrive, max_skew_s: float) -> tuple[np.ndarray, np.ndarray]:
    """At each frame what odometry says (N, 2), and whether it is fresh and finite (N,)."""
    odom = drive.columns[ODOM]
    index, away_ns = nearest_of_epoch(drive.stamps_ns, drive.epochs, odom)
    values = np.column_stack([odom[name][index] for name in MOTION_NAMES])
    return values, (away_ns <= round(max_skew_s * 1e9)) & np.isfinite(values).all(axis=1)


def _episode(
    drive: CachedDrive, piece: Piece, pairs: Pairs, state: np.ndarray, rewards: bool
) -> Episode:
    rows = piece.rows[:-1] if rewards else piece.rows
    values = {
        STATE: state[rows],
        ACTION: np.column_stack([pairs.steering_rad[rows], pairs.speed_m_s[rows]]),
        STAMP: drive.stamps_ns[rows],
    }
    if rewards:
        last = np.arange(len(rows)) == len(rows) - 1
        values[REWARD] = piece.rewards[1:]
        values[DONE], values[TRUNCATED] = last, last & (not piece.terminated)
    return Episode(drive.path.resolve().name, drive.frames(rows), values)
