"""More than was recorded: mirrored laps, and frames with something else in view.

Both need no label but the driver's: in a mirror the steering changes its sign, and whatever else
comes into view, the driver would have gone on along the line. A policy that has learned to look
past a distraction needs its memory; sunlit edges and seams on the floor are such distractions.
"""

import dataclasses
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

#: shortest distraction, in decisions
SHORTEST = 5


def mirrored(frames: Tensor, actions: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
    """Mirror some laps: frames (B, T, ..., W) and actions (B, T, A), whose first is the steering.

    rows : (B,) bool
    """
    frames, actions = frames.clone(), actions.clone()
    frames[rows] = frames[rows].flip(-1)
    actions[rows, :, 0] *= -1.0
    return frames, actions


@dataclasses.dataclass(frozen=True)
class Piece:
    """A piece of another drive: where it is laid, and what is."""

    lap: int
    start: int
    count: int
    other: int
    begin: int
    flip: bool


class Source(Protocol):
    """Frames (B, T, C, H, W) of which pieces are taken."""

    @property
    def shape(self) -> Sequence[int]: ...

    def __getitem__(self, part: tuple[int, slice], /) -> Tensor: ...


def distractions(
    laps: int, length: int, source: Sequence[int], chance: float, generator: np.random.Generator
) -> list[Piece]:
    """Draw the pieces to lay over a window of some laps.

    Parameters
    ----------
    laps, length : B laps of t decisions each
    source : (B, T, ...), shape of what pieces are taken from
    chance : that a lap is distracted in this window, for `SHORTEST` decisions to all of it
    """
    pieces = []
    for lap in range(laps):
        if generator.random() >= chance or length < SHORTEST:
            continue
        count = int(generator.integers(SHORTEST, length + 1))
        start = int(generator.integers(0, length - count + 1))
        other = int(generator.integers(0, source[0]))
        begin = int(generator.integers(0, max(1, source[1] - count)))
        pieces.append(Piece(lap, start, count, other, begin, bool(generator.random() < 0.5)))
    return pieces


def distracted(
    frames: Tensor, source: Source, pieces: Sequence[Piece], rows: slice = slice(None)
) -> Tensor:
    """Lay pieces of other drives over some of the laps, where they are the stronger.

    Parameters
    ----------
    frames : (b, t, C, H, W), a window of each lap, around 0 where nothing is seen
    source : (B, T, C, H, W), all frames to take from
    pieces : of laps 0 ... B - 1
    rows : which of these laps `frames` holds

    Returns
    -------
    (b, t, C, H, W), a copy
    """
    frames = frames.clone()
    first = rows.start or 0
    for piece in pieces:
        if not first <= piece.lap < first + len(frames):
            continue
        over = source[piece.other, piece.begin : piece.begin + piece.count].to(frames.dtype)
        if piece.flip:
            over = over.flip(-1)
        lap = frames[piece.lap - first]
        under = lap[piece.start : piece.start + len(over)]
        lap[piece.start : piece.start + len(over)] = torch.where(
            over.abs() > under.abs(), over, under
        )
    return frames
