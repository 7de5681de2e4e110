"""Which command a person gave at each frame of a drive."""

import dataclasses
from collections.abc import Mapping

import numpy as np

from ...errors import UserError
from ...safety.modes import Mode
from ..tracks import ACKERMANN_CMD, EXECUTED, TELEOP, Columns

#: slower than this was not meant to drive
LEAST_SPEED_M_S = 0.01


@dataclasses.dataclass
class PairCounts:
    """What became of the frames.

    Attributes
    ----------
    recorded : all
    used : with a command
    stale : without: the nearest command was too far away in time, or not finite
    standing : without: the command was to stand
    policy : without: somebody else than a person drove
    short : with, but in a piece too short to learn from
    """

    recorded: int = 0
    used: int = 0
    stale: int = 0
    standing: int = 0
    policy: int = 0
    short: int = 0

    def __add__(self, other: 'PairCounts') -> 'PairCounts':
        mine, others = dataclasses.asdict(self), dataclasses.asdict(other)
        return PairCounts(**{name: mine[name] + others[name] for name in mine})


@dataclasses.dataclass(frozen=True)
class Pairs:
    """Commands at the frames.

    Attributes
    ----------
    usable : (N,) bool
    steering_rad, speed_m_s : (N,) float64; have a meaning where usable
    """

    usable: np.ndarray
    steering_rad: np.ndarray
    speed_m_s: np.ndarray
    counts: PairCounts


def nearest(stamps_ns: np.ndarray, of_ns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Index of the stamp in `of_ns` (M,), M > 0, sorted, nearest to each of `stamps_ns` (N,).

    Returns indices (N,) and distances (N,) in ns. Of two equally near the earlier is taken: what
    was done before the frame rather than after it.
    """
    after = np.clip(np.searchsorted(of_ns, stamps_ns), 1, max(1, len(of_ns) - 1))
    after = np.minimum(after, len(of_ns) - 1)
    before = np.maximum(after - 1, 0)
    to_before, to_after = np.abs(stamps_ns - of_ns[before]), np.abs(of_ns[after] - stamps_ns)
    index = np.where(to_before <= to_after, before, after)
    return index, np.minimum(to_before, to_after)


def nearest_of_epoch(
    stamps_ns: np.ndarray, epochs: np.ndarray, columns: Columns
) -> tuple[np.ndarray, np.ndarray]:
    """As `nearest` among the rows of `columns` that are of the epoch of each frame.

    Where there is none, the distance is the largest there is, and the index has no meaning.
    """
    index = np.zeros(len(stamps_ns), np.int64)
    away_ns = np.full(len(stamps_ns), np.iinfo(np.int64).max)
    for epoch in np.unique(epochs):
        frames = epochs == epoch
        rows = np.flatnonzero(columns['epoch'] == epoch)
        if len(rows):
            at, away_ns[frames] = nearest(stamps_ns[frames], columns['stamp_ns'][rows])
            index[frames] = rows[at]
    return index, away_ns


def pair(
    stamps_ns: np.ndarray, epochs: np.ndarray, columns: Mapping[str, Columns], max_skew_s: float,
    policy_drove: bool,
) -> Pairs:  # fmt: skip
    """Give each frame the command of the person who drove.

    The person's wish is on `teleop`, and counts where `executed` does not say that somebody else
    was obeyed. Without `teleop` a takeover on `executed` is the person's, and without both
    whatever the mux sent, `ackermann_cmd`, unless a policy drove as well.

    Parameters
    ----------
    stamps_ns, epochs : (N,) int64, of the frames
    max_skew_s : a command further from the frame than this is not its command
    policy_drove : commands of a policy were recorded, too

    Raises
    ------
    UserError
        no topic tells what a person did
    """
    commands, takeovers_only = _commands(columns, policy_drove)
    skew_ns = round(max_skew_s * 1e9)
    index, away_ns = nearest_of_epoch(stamps_ns, epochs, commands)
    steering, speed = commands['steering_rad'][index], commands['speed_m_s'][index]
    fresh = (away_ns <= skew_ns) & np.isfinite(steering) & np.isfinite(speed)
    with np.errstate(invalid='ignore'):
        moving = np.abs(speed) >= LEAST_SPEED_M_S
    human = np.ones(len(stamps_ns), bool)
    if takeovers_only:
        human = commands['mode'][index] == Mode.TAKEOVER
    elif EXECUTED in columns:
        executed = columns[EXECUTED]
        at, gap_ns = nearest_of_epoch(stamps_ns, epochs, executed)
        human = (gap_ns > skew_ns) | (executed['mode'][at] == Mode.TAKEOVER)
    usable = fresh & moving & human
    counts = PairCounts(
        recorded=len(stamps_ns),
        used=int(usable.sum()),
        stale=int((~fresh).sum()),
        policy=int((fresh & ~human).sum()),
        standing=int((fresh & human & ~moving).sum()),
    )
    return Pairs(usable, steering, speed, counts)


def _commands(columns: Mapping[str, Columns], policy_drove: bool) -> tuple[Columns, bool]:
    """The commands to take, and whether they are a person's only in mode TAKEOVER."""
    if TELEOP in columns:
        return columns[TELEOP], False
    if EXECUTED in columns and (columns[EXECUTED]['mode'] == Mode.TAKEOVER).any():
        return columns[EXECUTED], True
    if ACKERMANN_CMD in columns and not policy_drove and EXECUTED not in columns:
        return columns[ACKERMANN_CMD], False
    raise UserError(
        f'nobody knows what a person did: record {TELEOP} (or {EXECUTED} with takeovers, or '
        f'{ACKERMANN_CMD} of a drive without a policy)'
    )
