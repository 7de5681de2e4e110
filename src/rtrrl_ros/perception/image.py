"""From a camera image to the small grey image that the encoder sees."""

import cv2
import numpy as np


def shrink(image: np.ndarray, size: int) -> np.ndarray:
    """Grey, area-averaged down to (size, size) uint8.

    `image` is (H, W, 3) uint8 RGB, whole: in CarRacing its lowest rows show speed and steering.
    """
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return cv2.resize(grey, (size, size), interpolation=cv2.INTER_AREA)


def preprocess(image: np.ndarray, size: int) -> np.ndarray:
    """The shrunk image in [0, 1], float32."""
    return shrink(image, size).astype(np.float32) * np.float32(1.0 / 255.0)
