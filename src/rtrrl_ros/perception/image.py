"""From a camera image to the small grey image that the encoder sees."""

import cv2
import numpy as np


def preprocess(image: np.ndarray, size: int) -> np.ndarray:
    """Grey, area-averaged down to (size, size), in [0, 1], float32.

    `image` is (H, W, 3) uint8 RGB, whole: in CarRacing its lowest rows show speed and steering.
    """
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (size, size), interpolation=cv2.INTER_AREA)
    return small.astype(np.float32) * np.float32(1.0 / 255.0)
