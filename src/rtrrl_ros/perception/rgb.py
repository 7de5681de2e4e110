"""The pixels of an image message. NumPy alone, so that any node may use it."""

from typing import Any

import numpy as np

from ..errors import UserError


def rgb_pixels(encoding: str, width: int, height: int, step: int, data: Any) -> np.ndarray:
    """(height, width, 3) uint8 of the fields of a sensor_msgs/Image, without a copy.

    step : bytes of a row
    data : anything with a buffer of bytes

    Raises
    ------
    UserError
        it is no complete rgb8 image
    """
    if encoding != 'rgb8':
        raise UserError(f'image encoding {encoding!r}: rgb8 is needed')
    pixels = np.frombuffer(data, np.uint8)
    if min(height, width) < 1 or step < 3 * width or pixels.size != height * step:
        raise UserError(f'image of {width} x {height} with {pixels.size} bytes: incomplete')
    return pixels.reshape(height, step)[:, : 3 * width].reshape(height, width, 3)
