"""More than was recorded: mirrored laps, and frames with something else in view.

Both need no label but the driver's: in a mirror the steering changes its sign, and whatever else
comes into view, the driver would have gone on along the line. A policy that has learned to look
past a distraction needs its memory; sunlit edges and seams on the floor are such distractions.
"""

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


def distracted(
    frames: Tensor, source: Tensor, chance: float, generator: np.random.Generator
) -> Tensor:
    """Lay pieces of other drives over some of the laps, where they are the stronger.

    Parameters
    ----------
    frames : (B, t, C, H, W), a window of each lap, around 0 where nothing is seen
    source : (B, T, C, H, W), all frames to take from
    chance : that a lap is distracted in this window, for `SHORTEST` decisions to all of it

    Returns
    -------
    (B, t, C, H, W), a copy
    """
    frames = frames.clone()
    laps, length = frames.shape[:2]
    for lap in range(laps):
        if generator.random() >= chance or length < SHORTEST:
            continue
        count = int(generator.integers(SHORTEST, length + 1))
        start = int(generator.integers(0, length - count + 1))
        other = int(generator.integers(0, source.shape[0]))
        begin = int(generator.integers(0, max(1, source.shape[1] - count)))
        over = source[other, begin : begin + count].to(frames.dtype)
        if generator.random() < 0.5:
            over = over.flip(-1)
        under = frames[lap, start : start + len(over)]
        frames[lap, start : start + len(over)] = torch.where(over.abs() > under.abs(), over, under)
    return frames
