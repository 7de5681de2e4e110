"""A drive cut into pieces to learn from: laps where they are known, else what lies between pauses.

What is held out later must not be the neighbour, 10 ms away, of what was trained on: pieces are
long, and never mixed frame by frame.
"""

import dataclasses

import numpy as np

from ...tracking.interventions import InterventionConfig
from ...tracking.line_tracker import LineTracker
from ...tracking.poses import Pose, PoseBuffer
from ...tracking.reference_line import ReferenceLine
from ...worlds.contract import StepType
from ...worlds.rewards import RewardFunction
from ..tracks import Columns
from .pairing import Pairs

#: as in track_reward_node: no pose is interpolated between two that are further apart
MAX_POSE_GAP_S = 0.1


@dataclasses.dataclass(frozen=True)
class Piece:
    """Frames that follow one another.

    Attributes
    ----------
    rows : (T,) int64, which frames of the drive
    rewards : (T,) float32, of the transition into each; zeros where they are not known
    rewarded : they are known, all of them
    terminated : the lap was lost at the end
    task_return : sum of the task's own rewards
    """

    rows: np.ndarray
    rewards: np.ndarray
    rewarded: bool
    terminated: bool
    task_return: float


def rewards_from_odometry(
    stamps_ns: np.ndarray, epochs: np.ndarray, odom: Columns, line: ReferenceLine,
    reward: RewardFunction,
) -> dict[str, np.ndarray]:  # fmt: skip
    """The columns that `reward` would have had, epoch by epoch: laps and errors along a line.

    Parameters
    ----------
    stamps_ns, epochs : (N,) int64, of the frames; one without a pose has no reward
    odom : columns of `odom`
    """
    parts = []
    for epoch in np.unique(epochs):
        poses = _of_epoch(odom, epoch)
        part = _rewards_of_run(stamps_ns[epochs == epoch], poses, line, reward)
        parts.append({**part, 'epoch': np.full(len(part['stamp_ns']), epoch)})
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _of_epoch(columns: Columns, epoch: int) -> dict[str, np.ndarray]:
    """The rows of one epoch."""
    rows = columns['epoch'] == epoch
    return {name: values[rows] for name, values in columns.items()}


def _rewards_of_run(
    stamps_ns: np.ndarray, odom: Columns, line: ReferenceLine, reward: RewardFunction
) -> dict[str, np.ndarray]:
    poses = PoseBuffer(MAX_POSE_GAP_S)
    tracker = LineTracker(line, InterventionConfig(), reward.config.closeness_m)
    coming = iter(
        zip(
            odom['stamp_ns'].tolist(), odom['x_m'], odom['y_m'], odom['heading_rad'],
            odom['speed_m_s'], odom['yaw_rate_rad_s'], strict=True,
        )
    )  # fmt: skip
    rows = []
    for stamp_ns in np.sort(stamps_ns).tolist():
        while not poses.reaches(stamp_ns) and (row := next(coming, None)) is not None:
            poses.add(Pose(*row))
        pose = poses.at(stamp_ns)
        state = None if pose is None else tracker.observe(pose)
        if state is not None:
            rows.append(
                (stamp_ns, state.lap, state.step_type, state.terminated, reward.reward(state),
                 state.task_reward)
            )  # fmt: skip
    names = ('lap', 'step_type', 'terminated', 'reward', 'task_reward')
    columns = [np.array([row[k + 1] for row in rows], float) for k in range(len(names))]
    found = dict(zip(names, columns, strict=True))
    return {'stamp_ns': np.array([row[0] for row in rows], np.int64), **found}


def cut(
    stamps_ns: np.ndarray, epochs: np.ndarray, pairs: Pairs, rewards: Columns | None, *,
    max_gap_s: float, longest_s: float,
) -> list[Piece]:  # fmt: skip
    """Pieces of the usable frames.

    A piece ends where a lap does, where the next usable frame is more than `max_gap_s` later (the
    person let go, frames are missing) or earlier or of another epoch, and after `longest_s`.

    Parameters
    ----------
    stamps_ns, epochs : (N,) int64, of the frames, in the order of the recording
    rewards : columns of `reward`; None: not known
    """
    rows = np.flatnonzero(pairs.usable)
    if not len(rows):
        return []
    stamps = stamps_ns[rows]
    facts = _at_frames(stamps, epochs[rows], rewards)
    step_ns = np.diff(stamps)
    breaks = (step_ns > max_gap_s * 1e9) | (step_ns <= 0)
    breaks |= (np.diff(epochs[rows]) != 0) | (facts.lap[1:] != facts.lap[:-1])
    pieces = []
    for part in np.split(np.arange(len(rows)), np.flatnonzero(breaks) + 1):
        begun_ns = stamps[part[0]]
        number = (stamps[part] - begun_ns) // round(longest_s * 1e9)
        for few in np.split(part, np.flatnonzero(np.diff(number)) + 1):
            known = bool(facts.known[few].all())
            pieces.append(
                Piece(
                    rows[few],
                    np.where(facts.known[few], facts.reward[few], 0.0).astype(np.float32),
                    known,
                    bool(facts.terminated[few[-1]]),
                    float(facts.task_reward[few].sum()),
                )
            )
    return pieces


@dataclasses.dataclass(frozen=True)
class _Facts:
    """Of each frame (N,): the lap it is in (-1: none), its reward where that is known, ..."""

    lap: np.ndarray
    known: np.ndarray
    reward: np.ndarray
    terminated: np.ndarray
    task_reward: np.ndarray


def _at_frames(stamps_ns: np.ndarray, epochs: np.ndarray, rewards: Columns | None) -> _Facts:
    """Epochs follow one another; the laps of each are counted anew."""
    runs = [
        _of_run(stamps_ns[epochs == epoch], None if rewards is None else _of_epoch(rewards, epoch))
        for epoch in np.unique(epochs)
    ]
    names = [field.name for field in dataclasses.fields(_Facts)]
    return _Facts(*(np.concatenate([getattr(run, name) for run in runs]) for name in names))


def _of_run(stamps_ns: np.ndarray, rewards: Columns | None) -> _Facts:
    count = len(stamps_ns)
    if rewards is None or not len(rewards['stamp_ns']):
        none = np.zeros(count)
        return _Facts(np.full(count, -1), none > 0, none, none > 0, none)
    # laps are numbered as they come: the number of a recording may begin anew
    first = rewards['step_type'] == StepType.FIRST
    first[1:] |= rewards['lap'][1:] != rewards['lap'][:-1]
    lap = np.cumsum(first)
    at = np.searchsorted(rewards['stamp_ns'], stamps_ns, side='right') - 1
    inside = at >= 0
    at = np.maximum(at, 0)
    exact = inside & (rewards['stamp_ns'][at] == stamps_ns)
    # after the last reward of a lap there is no lap until the next begins
    inside &= exact | (rewards['step_type'][at] != StepType.LAST)
    return _Facts(
        np.where(inside, lap[at], -1),
        exact,
        rewards['reward'][at],
        exact & (rewards['terminated'][at] > 0),
        np.where(exact, rewards['task_reward'][at], 0.0),
    )
