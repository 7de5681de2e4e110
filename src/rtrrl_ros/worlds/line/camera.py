"""A pinhole camera on the car that looks at the floor of the line world.

By the geometry of `tracking.floor_view` a whole row is sampled along a straight line through the
floor's map.
"""

import numpy as np

from ...tracking.floor_view import CameraConfig, floor_rows
from .floor_map import FloorMap
from .pixels import sample_row

__all__ = ['Camera', 'CameraConfig', 'floor_rows']


class Camera:
    """The rows of a camera over one floor: which level of its map each row reads.

    Attributes
    ----------
    geometry : (height, 2) float32: `ahead_m`, `step_m`
    level : (height,) int64, levels of the map
    """

    def __init__(self, config: CameraConfig, floor: FloorMap) -> None:
        self.config = config
        self.rows = floor_rows(config)
        self.geometry = np.stack([self.rows.ahead_m, self.rows.step_m], axis=1)
        texels = np.maximum(self.rows.footprint_m / floor.texel_m, 1.0)
        level = np.rint(np.log2(texels)).astype(np.int64)
        self.level = np.minimum(level, len(floor.levels) - 1)
        self.floor = floor

    def picture(self, pose: np.ndarray) -> np.ndarray:
        """Log luminance at a pose (x, y, heading of the rear axle), (height, width) float32.

        What does not see the floor is 0.
        """
        image = np.zeros((self.config.height, self.config.width), dtype=np.float32)
        for row in range(self.rows.first, self.config.height):
            sample_row(
                self.floor.texels, self.floor.levels, self.level[row], self.geometry[row],
                np.asarray(pose, dtype=np.float64), image[row],
            )  # fmt: skip
        return image
