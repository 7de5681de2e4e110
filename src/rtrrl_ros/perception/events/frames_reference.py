"""Event frames as plain NumPy, event by event or pixel by pixel: slow, and easy to check by eye.

Takes every event of a stream up to the end of a window, so that it needs no memory of its own.
"""

import numpy as np

from .contract import EventBatch
from .frames import LEAST_RMS, FrameConfig


def reference_frame(
    config: FrameConfig, events: EventBatch, start_us: int, end_us: int
) -> np.ndarray:
    """The frame of window [start_us, end_us), float64; `events` begin with the stream.

    Events from `end_us` on are ignored.
    """
    shape = (2, events.height, events.width)
    counts, latest_us = np.zeros(shape), np.full(shape, -np.inf)
    for t, x, y, on in zip(events.t_us, events.x, events.y, events.polarity, strict=True):
        if start_us <= t < end_us:
            counts[int(on), y, x] += 1
        if t < end_us:
            latest_us[int(on), y, x] = t
    if config.representation == 'histogram':
        pixels = counts
    elif config.representation == 'time_surface':
        pixels = np.exp(-(end_us - latest_us) / (config.tau_ms * 1000))
    else:
        pixels = np.sign(counts[1:] - counts[:1])
    bottom = config.crop_top + (config.crop_height or events.height)
    right = config.crop_left + (config.crop_width or events.width)
    pixels = pixels[:, config.crop_top : bottom, config.crop_left : right]
    _, height, width = pixels.shape
    down = area_average(height, config.rows or height)
    across = area_average(width, config.columns or width)
    return normalise(config, down @ pixels @ across.T)


def area_average(size: int, parts: int) -> np.ndarray:
    """(parts, size): what each of `size` pixels contributes to each of `parts` equal parts."""
    weights = np.zeros((parts, size))
    for part in range(parts):
        low, high = part * size / parts, (part + 1) * size / parts
        for pixel in range(size):
            weights[part, pixel] = max(0.0, min(high, pixel + 1) - max(low, pixel))
    return weights * parts / size


def normalise(config: FrameConfig, frame: np.ndarray) -> np.ndarray:
    """Scale as `config.normalise` says."""
    if config.normalise == 'none':
        return frame
    scale = config.full_scale
    if config.normalise == 'rms':
        scale *= max(np.sqrt(np.mean(frame**2)), LEAST_RMS)
    return np.clip(frame / scale, -1.0, 1.0)
