"""Recordings to one LeRobotDataset: read, cut, written, and only then there."""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import UserError
from ...perception.events.frames import FrameConfig
from ...perception.events.windows import WindowConfig
from ...tracking.reference_line import ReferenceLine
from ..demonstrations.frame_cache import CachedDrive, cached_drive
from ..demonstrations.laps import RecordedConfig, drive_faults, drive_rewards
from ..demonstrations.pairing import PairCounts
from ..tracks import ODOM, REWARD, Columns
from .dataset import DatasetWriter, whole_folder
from .episodes import Cut, cut_episodes
from .features import columns
from .packages import require_packages

#: told the stage, how many parts are done, of how many
OnProgress = Callable[[str, int, int], None]
#: windows between two frames that still follow one another
GAP_WINDOWS = 1.5
#: recorded times further than this from even ones are worth a note
_MUCH_S = 0.05
_US_PER_S = 1_000_000


@dataclasses.dataclass(frozen=True)
class ExportConfig:
    """What is exported, and as what.

    Attributes
    ----------
    window, frames : what the policy sees
    recorded : how recordings are cut; a `max_gap_s` of more than a window makes times uneven
    task : what was being done, in words
    rewards : rows tell the next reward, where all recordings have rewards
    reference : the line that was followed: laps and rewards are then those of `odom` along it
    """

    window: WindowConfig
    frames: FrameConfig
    recorded: RecordedConfig
    task: str
    rewards: bool = True
    reference: ReferenceLine | None = None

    @property
    def fps(self) -> int:
        """Frames per second: one for each window; UserError where that is no whole number."""
        if _US_PER_S % self.window.window_us:
            raise UserError(
                f'a window of {self.window.window_ms:g} ms: a dataset has a whole number of frames '
                'per second; take a window of 4, 5, 8, 10 or 20 ms'
            )
        return _US_PER_S // self.window.window_us


def export(
    paths: Sequence[Path], out: Path, cache: Path, config: ExportConfig,
    on_progress: OnProgress = lambda stage, done, total: None,
) -> dict[str, Any]:  # fmt: skip
    """Make the dataset `out`; returns a summary.

    Nothing is there under the name `out` before all of it is there.

    Raises
    ------
    UserError
        a package is missing, `out` exists, a recording cannot be used, the disk is full
    """
    require_packages()
    _check(paths, out)
    fps = config.fps
    drives = _drives(paths, cache, config, on_progress)
    laps = [drive_rewards(drive, config.reference, None) for drive in drives]
    motion = all(ODOM in drive.columns for drive in drives)
    rewards = config.rewards and all(rows is not None and len(rows['stamp_ns']) for rows in laps)
    cuts = [
        cut_episodes(drive, config.recorded, rows, motion=motion, rewards=rewards)
        for drive, rows in zip(drives, laps, strict=True)
    ]
    episodes = [episode for cut in cuts for episode in cut.episodes]
    if not episodes:
        raise UserError(_why_none(drives, cuts, config))
    total, done = sum(map(len, episodes)), 0

    def count(frames: int) -> None:
        nonlocal done
        done += frames
        on_progress('writing frames', done, total)

    try:
        with whole_folder(out) as part:
            writer = DatasetWriter(
                part, fps, columns(motion, rewards), drives[0].frame_shape, config.task, count
            )
            try:
                for episode in episodes:
                    writer.add(episode)
                info = writer.finish()
            finally:
                writer.close()
    except OSError as error:  # those of FFmpeg as well
        raise UserError(f'--out {out}: {error.strerror or error}') from None
    departure_s = max(episode.departure_s(fps) for episode in episodes)
    counts = sum((cut.counts for cut in cuts), PairCounts())
    return {
        'dataset': str(out), 'episodes': len(episodes), 'frames': total, 'fps': fps,
        'seconds': total / fps, 'features': list(info['features']),
        'largest_departure_s': departure_s,
        **{f'frames_{name}': value for name, value in dataclasses.asdict(counts).items()},
        'frames_unrewarded': sum(cut.unrewarded for cut in cuts),
        'notes': [
            *(note for drive in drives for note in drive_faults(drive)),
            *_notes(drives, laps, cuts, config, departure_s),
        ],
    }  # fmt: skip


def _check(paths: Sequence[Path], out: Path) -> None:
    """Raise UserError before anything is read."""
    if out.exists() or out.is_symlink():
        raise UserError(f'--out {out}: exists already; name a new folder')
    known = set()
    for path in paths:
        if path.resolve() in known:
            raise UserError(f'{path}: named twice')
        known.add(path.resolve())


def _drives(
    paths: Sequence[Path], cache: Path, config: ExportConfig, on_progress: OnProgress
) -> list[CachedDrive]:
    """All recordings, decoded; their frames stay on the disk."""
    drives: list[CachedDrive] = []
    for path in paths:

        def tell(done: int, total: int, path: Path = path) -> None:
            on_progress(f'frames of {path.name}', done, total)

        drive = cached_drive(path, config.window, config.frames, cache, tell)
        if drives and drive.frame_shape != drives[0].frame_shape:
            shapes = [' x '.join(map(str, d.frame_shape)) for d in (drive, drives[0])]
            raise UserError(
                f'{path}: event frames of {shapes[0]}, those of the recordings before are '
                f'{shapes[1]}; export one sensor at a time'
            )
        drives.append(drive)
    return drives


def _why_none(drives: Sequence[CachedDrive], cuts: Sequence[Cut], config: ExportConfig) -> str:
    """One line for recordings that hold no episode."""
    unrewarded = sum(cut.unrewarded for cut in cuts)
    if unrewarded:
        return f'{drives[0].path}: no episode has all of its rewards: leave them out, --no-rewards'
    steps_ms = np.concatenate([np.diff(drive.stamps_ns) for drive in drives]) / 1e6
    usual = f', frames are {np.median(steps_ms):g} ms apart' if len(steps_ms) else ''
    return (
        f'{drives[0].path}: no episode of {config.recorded.shortest_s:g} s or more with a command '
        f'at every frame{usual}, and {1e3 * config.recorded.max_gap_s:g} ms end an episode: '
        'allow more with --max-gap'
    )


def _notes(
    drives: Sequence[CachedDrive], laps: Sequence[Columns | None], cuts: Sequence[Cut],
    config: ExportConfig, departure_s: float,
) -> list[str]:  # fmt: skip
    """One line about each thing that a user may not expect."""
    notes = []
    still = [str(drive.path) for drive in drives if ODOM not in drive.columns]
    if still:
        notes.append(f'no speed, no yaw rate: {", ".join(still)} without {ODOM}')
    bare = [str(drive.path) for drive, rows in zip(drives, laps, strict=True) if rows is None]
    if bare and config.rewards:
        notes.append(f'no rewards: {", ".join(bare)} without {REWARD}')
    unrewarded = sum(cut.unrewarded for cut in cuts)
    if unrewarded:
        notes.append(f'{unrewarded} frames left out: their episodes lack rewards (--no-rewards)')
    if departure_s > _MUCH_S:
        notes.append(
            f'times are those of even frames, up to {departure_s:.2f} s off the recorded ones, '
            'which are in stamp_ns'
        )
    return notes
