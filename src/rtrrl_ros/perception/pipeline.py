"""From what a sensor gave to features: one face for images and for events.

Threading: none; one caller, which calls `observe` once for each observation, in order.
"""

import dataclasses
from typing import Protocol

import numpy as np

from .encoder import Encoder, FrameEncoder
from .events.contract import EventBatch
from .events.frames import FrameBuilder, FrameConfig
from .events.windows import EventWindow, EventWindows, WindowConfig
from .frozen_encoder import FrozenEncoder
from .image import shrink


class Pipeline(Protocol):
    """What the driving loop and the demonstrations need."""

    def reset(self) -> None:
        """Forget the past: a new stream or lap starts."""

    def frame(self, sensed: np.ndarray | EventBatch) -> np.ndarray:
        """What the encoder sees: (S, S) uint8 of an image, (C, H, W) float16 of events."""

    def observe(self, sensed: np.ndarray | EventBatch) -> np.ndarray:
        """Features (latent,) float32."""


class ImagePipeline:
    """Camera images (H, W, 3) uint8; an encoder is needed for `observe` only."""

    def __init__(self, image_size: int, encoder: Encoder | None = None) -> None:
        self.image_size, self.encoder = image_size, encoder

    def reset(self) -> None:
        """Images have no past."""

    def frame(self, sensed: np.ndarray | EventBatch) -> np.ndarray:
        """The grey, shrunk image."""
        assert isinstance(sensed, np.ndarray)
        return shrink(sensed, self.image_size)

    def observe(self, sensed: np.ndarray | EventBatch) -> np.ndarray:
        """Features of the newest image."""
        assert isinstance(sensed, np.ndarray) and self.encoder is not None
        return self.encoder.encode(sensed)


class EventPipeline:
    """Batches of events to windows of sensor time, to frames, to features.

    Parameters
    ----------
    window, frames : how windows are cut and frames are made
    width, height : of the sensor in pixels
    encoder : needed for `observe` only

    Attributes
    ----------
    window_us : length of a window
    """

    def __init__(
        self, window: WindowConfig, frames: FrameConfig, width: int, height: int,
        encoder: FrameEncoder | FrozenEncoder | None = None,
    ) -> None:  # fmt: skip
        self._window, self._size = window, (width, height)
        self.window_us = window.window_us
        self.builder = FrameBuilder(frames, width, height, window.window_us)
        self.encoder = encoder
        self.reset()

    def reset(self) -> None:
        """Start with an empty frame."""
        self.windows = EventWindows(self._window, *self._size)
        self._fresh = self._anew = True
        self._ahead: tuple[int, int, int] | None = None
        self._frame = np.zeros(self.builder.shape, np.float32)

    def push(self, batch: EventBatch) -> bool:
        """Take events; returns whether they completed a window, so that there is a new frame."""
        if self._fresh:  # the window that a first batch completes has to begin somewhere
            self.windows.advance(max(0, batch.until_us - self.window_us))
            self._fresh = False
        done = self.windows.push(batch)
        for window in done:
            self._build(window)
            self._frame = self.builder.frame()
            self._ahead = None
        # without a new frame nobody waits for anything
        if not done and (filling := self.windows.filling) is not None:
            self._build(filling)
        return bool(done)

    def _build(self, window: EventWindow) -> None:
        """Give the builder what it does not have of this window, which may be yet to be filled."""
        which = self.windows.counters.restarts, window.start_us
        if self._ahead is None or self._ahead[:2] != which:
            # the builder remembers what it saw before the reset
            self.builder.begin(dataclasses.replace(window, restart=window.restart or self._anew))
            self._anew, self._ahead = False, (*which, 0)
        for part in window.parts[self._ahead[2] :]:
            self.builder.add(part)
        self._ahead = *which, len(window.parts)

    def frame(self, sensed: np.ndarray | EventBatch) -> np.ndarray:
        """The newest frame, halved in precision: demonstrations are kept in memory."""
        assert isinstance(sensed, EventBatch)
        self.push(sensed)
        return self._frame.astype(np.float16)

    def encode(self) -> np.ndarray:
        """Features of the newest frame."""
        assert self.encoder is not None
        return self.encoder.encode(self._frame)

    def observe(self, sensed: np.ndarray | EventBatch) -> np.ndarray:
        """Features of the newest frame, these events included."""
        assert isinstance(sensed, EventBatch)
        self.push(sensed)
        return self.encode()
