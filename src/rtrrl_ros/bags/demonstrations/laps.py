"""Laps that a person drove, out of recordings: event frames and the commands given at them.

Nothing is held in memory but columns of numbers: frames lie in the cache and are read where they
are needed, so that there may be more of them than there is memory.
"""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from ...errors import UserError
from ...imitation.demonstrations import Demonstration
from ...parameters import Checked, parameter
from ...perception.events.frames import FrameConfig
from ...perception.events.windows import WindowConfig
from ...tracking.reference_line import ReferenceLine
from ...worlds.rewards import RewardFunction
from ..tracks import ODOM, REWARD, Columns
from .frame_cache import CachedDrive, cached_drive
from .lap_pieces import Piece, cut, rewards_from_odometry
from .pairing import PairCounts, Pairs, pair


@dataclasses.dataclass(frozen=True)
class RecordedConfig(Checked):
    """How a recording becomes demonstrations."""

    max_skew_s: float = parameter(
        0.05, 'a command further from a frame is not its command; teleop comes 20 times a second '
        'or more', unit='s', low=0.0, high=1.0,
    )  # fmt: skip
    max_gap_s: float = parameter(
        0.2, 'a longer pause between two frames with a command ends a lap', unit='s',
        low=0.001, high=60.0,
    )  # fmt: skip
    shortest_s: float = parameter(1.0, 'shorter pieces are left out', unit='s', low=0.0, high=60.0)
    longest_s: float = parameter(
        60.0, 'longer ones are cut, where neither laps nor pauses are known', unit='s',
        low=1.0, high=3600.0,
    )  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Recorded:
    """Laps out of recordings, in the order of these.

    Attributes
    ----------
    laps : demonstrations whose images are read where they are sliced
    counts : what became of the frames
    size : width and height of the sensor in pixels
    notes : one line about each thing that was not as it should be
    """

    laps: list[Demonstration]
    counts: PairCounts
    size: tuple[int, int]
    notes: list[str]


def recorded_laps(
    paths: Sequence[Path], window: WindowConfig, frames: FrameConfig, cache: Path,
    max_steering_angle_rad: float, config: RecordedConfig, *,
    reference: ReferenceLine | None = None, reward: RewardFunction | None = None,
    on_progress: Callable[[Path, int, int], None] = lambda path, done, total: None,
) -> Recorded:  # fmt: skip
    """Read bags (and .aedat4 recordings with a bag of commands beside them) into laps.

    Parameters
    ----------
    cache : folder for the decoded frames
    max_steering_angle_rad : what is 1 in the label, as in the actuation of the car
    reference : the line that was followed: laps and rewards are then those of `odom` along it
    reward : with a reference line: its rewards

    Raises
    ------
    UserError
        a recording cannot be used, or no command fits the frames of one
    """
    laps, counts, notes = [], PairCounts(), []
    size: tuple[int, int] | None = None
    for path in paths:

        def tell(done: int, total: int, path: Path = path) -> None:
            on_progress(path, done, total)

        drive = cached_drive(path, window, frames, cache, tell)
        if size not in (None, drive.size):
            raise UserError(
                f'{path}: from a sensor of {drive.size[0]} x {drive.size[1]} pixels, the '
                f'recordings before from {size[0]} x {size[1]}; train on one sensor'  # type: ignore[index]
            )
        size = drive.size
        notes += drive_faults(drive)
        found, of_drive = _laps(drive, max_steering_angle_rad, config, reference, reward)
        laps += found
        counts += of_drive
    assert size is not None, 'no recording was named'
    return Recorded(laps, counts, size, notes)


def _laps(
    drive: CachedDrive, most_rad: float, config: RecordedConfig,
    reference: ReferenceLine | None, reward: RewardFunction | None,
) -> tuple[list[Demonstration], PairCounts]:  # fmt: skip
    pieces, pairs = drive_pieces(drive, config, drive_rewards(drive, reference, reward))
    laps = [
        _demonstration(drive, piece, pairs.steering_rad[piece.rows] / most_rad) for piece in pieces
    ]
    return laps, pairs.counts


def drive_pieces(
    drive: CachedDrive, config: RecordedConfig, rewards: Columns | None,
    complete: np.ndarray | None = None,
) -> tuple[list[Piece], Pairs]:  # fmt: skip
    """The pieces of a drive that are long enough, and the commands at its frames.

    Parameters
    ----------
    rewards : see `drive_rewards`
    complete : (N,) bool, frames that lack nothing else than a command; None: all. The others count
        as stale

    Raises
    ------
    UserError
        no command fits any frame
    """
    try:
        pairs = pair(
            drive.stamps_ns, drive.epochs, drive.columns, config.max_skew_s, drive.policy_drove
        )
    except UserError as error:
        raise UserError(f'{drive.path}: {error}') from None
    counts = pairs.counts
    if not counts.used:
        raise UserError(
            f'{drive.path}: no frame has a command: of {counts.recorded} frames {counts.stale} are '
            f'further than {config.max_skew_s:g} s from any (do the clocks agree?), '
            f'{counts.policy} were driven by a policy, {counts.standing} standing'
        )
    if complete is not None:
        lacking = int((pairs.usable & ~complete).sum())
        pairs = dataclasses.replace(pairs, usable=pairs.usable & complete)
        counts.used -= lacking
        counts.stale += lacking
    pieces = []
    for piece in cut(
        drive.stamps_ns, drive.epochs, pairs, rewards, max_gap_s=config.max_gap_s,
        longest_s=config.longest_s,
    ):  # fmt: skip
        stamps = drive.stamps_ns[piece.rows]
        if stamps[-1] - stamps[0] < config.shortest_s * 1e9:
            counts.used -= len(piece.rows)
            counts.short += len(piece.rows)
        else:
            pieces.append(piece)
    return pieces, pairs


def _demonstration(drive: CachedDrive, piece: Piece, steering: np.ndarray) -> Demonstration:
    return Demonstration(
        images=drive.frames(piece.rows),
        actions=np.clip(steering, -1.0, 1.0).astype(np.float32)[:, None],
        rewards=piece.rewards,
        terminated=piece.terminated,
        task_return=piece.task_return,
        rewarded=piece.rewarded,
    )


def drive_rewards(
    drive: CachedDrive, reference: ReferenceLine | None, reward: RewardFunction | None
) -> Columns | None:
    """The rewards of a drive: along a line, else as recorded; None where they are not known.

    Raises
    ------
    UserError
        there is no odometry that could be compared with the line
    """
    if reference is None:
        return drive.columns.get(REWARD)
    if ODOM not in drive.columns:
        raise UserError(f'{drive.path}: {ODOM} is needed to find laps along a reference line')
    return rewards_from_odometry(
        drive.stamps_ns, drive.epochs, drive.columns[ODOM], reference, reward or RewardFunction()
    )


def drive_faults(drive: CachedDrive) -> list[str]:
    """One line about each thing in the recording that is not as it should be."""
    notes = []
    if drive.incomplete:
        notes.append(f'{drive.path}: {drive.incomplete}')
    if drive.lost_packets or drive.unusable_packets:
        notes.append(
            f'{drive.path}: {drive.lost_packets} event packets are missing, '
            f'{drive.unusable_packets} in all were no use'
        )
    return notes
