"""Event frames as pictures, and back.

Red is ON and blue is OFF; of an edge map, red is positive and blue negative. Black is 0, full
colour is 1. What is lost: values outside [0, 1] (of an edge map [-1, 1]) are cut off, and 255 steps
are left between. Pixels are enlarged, because video keeps colour at half the resolution: a block of
4 x 4 has its colour to itself.
"""

import numpy as np

_RED, _BLUE = 0, 2
#: frames with a longer side are large enough, and each block is 2 x 2
_LARGE = 128


def enlargement(height: int, width: int) -> int:
    """Pixels of the picture along one side of a pixel of the frame; even, as video wants it."""
    return 2 if max(height, width) > _LARGE else 4


def picture(frames: np.ndarray) -> np.ndarray:
    """Colours of event frames, one pixel for each of theirs.

    frames : (T, C, H, W) float; C is 2, OFF and ON, or 1, signed. Returns (T, H, W, 3) uint8.
    """
    off, on = (
        (-frames[:, 0], frames[:, 0]) if frames.shape[1] == 1 else (frames[:, 0], frames[:, 1])
    )
    shown = np.zeros((len(frames), *frames.shape[2:], 3), np.uint8)
    for colour, values in ((_RED, on), (_BLUE, off)):
        levels = np.rint(np.clip(values.astype(np.float32), 0.0, 1.0) * 255.0)
        shown[..., colour] = levels.astype(np.uint8)
    return shown


def enlarged(pictures: np.ndarray, factor: int) -> np.ndarray:
    """(T, H, W, 3) to (T, factor H, factor W, 3), each pixel a block."""
    return pictures.repeat(factor, axis=1).repeat(factor, axis=2)


def frames_of(pictures: np.ndarray, factor: int, channels: int) -> np.ndarray:
    """The event frames that enlarged pictures show, but for what the video lost.

    pictures : (T, factor H, factor W, 3) uint8. Returns (T, channels, H, W) float32.
    """
    count, height, width, _ = pictures.shape
    blocks = pictures.reshape(count, height // factor, factor, width // factor, factor, 3)
    colours = blocks.mean(axis=(2, 4), dtype=np.float32) / np.float32(255.0)
    off, on = colours[..., _BLUE], colours[..., _RED]
    return np.stack([on - off] if channels == 1 else [off, on], axis=1)
