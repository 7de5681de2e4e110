"""Laps side by side, read window by window: there may be more frames than memory."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from .demonstrations import Demonstration, as_frames


class PaddedFrames:
    """The frames of some laps as if they were one tensor (B, T, C, H, W), zeros after their ends.

    Attributes
    ----------
    shape : (B, T)
    """

    def __init__(self, laps: Sequence[Demonstration], device: torch.device) -> None:
        self._laps, self._device = laps, device
        self.shape = len(laps), max((len(lap.actions) for lap in laps), default=0)

    def __getitem__(self, part: tuple[int, slice]) -> Tensor:
        """Consecutive frames of one lap, (t, C, H, W) float32."""
        return as_frames(self._read([self._laps[part[0]]], part[1]))[0]

    def window(self, rows: slice, part: slice) -> Tensor:
        """Consecutive frames of some laps, (b, t, C, H, W) float32."""
        return as_frames(self._read(self._laps[rows], part))

    def _read(self, laps: Sequence[Demonstration], part: slice) -> Tensor:
        start, stop, _ = part.indices(self.shape[1])
        images = laps[0].images
        out = np.zeros((len(laps), stop - start, *images.shape[1:]), images.dtype)
        for row, lap in zip(out, laps, strict=True):
            seen = lap.images[start:stop]
            row[: len(seen)] = seen
        return torch.from_numpy(out).to(self._device)


class Batch:
    """Laps padded to one length: frames (B, T, ...), actions (B, T, A), mask (B, T)."""

    def __init__(self, laps: Sequence[Demonstration], device: torch.device) -> None:
        self.frames = PaddedFrames(laps, device)
        length = self.frames.shape[1]

        def padded(arrays: list[np.ndarray]) -> Tensor:
            out = np.zeros((len(arrays), length, *arrays[0].shape[1:]), arrays[0].dtype)
            for row, array in zip(out, arrays, strict=True):
                row[: len(array)] = array
            return torch.from_numpy(out).to(device)

        self.actions = padded([lap.actions for lap in laps])
        self.mask = padded([np.ones(len(lap.actions), np.float32) for lap in laps])

    def windows(self, size: int) -> Iterator[slice]:
        """Consecutive windows in time."""
        for start in range(0, self.mask.shape[1], size):
            yield slice(start, min(start + size, self.mask.shape[1]))


def split_laps(
    laps: Sequence[Demonstration], share: float
) -> tuple[list[Demonstration], list[Demonstration]]:
    """Training and held-out laps: whole laps, evenly spread."""
    count = max(1, round(share * len(laps)))
    held = {int((index + 0.5) * len(laps) / count) for index in range(count)}
    train = [lap for index, lap in enumerate(laps) if index not in held]
    return train, [laps[index] for index in sorted(held)]


def batches(
    laps: Sequence[Demonstration], size: int, order: np.ndarray, device: torch.device
) -> Iterator[Batch]:
    """The laps in this order, in batches of at most `size`."""
    for start in range(0, len(order), size):
        yield Batch([laps[index] for index in order[start : start + size]], device)
