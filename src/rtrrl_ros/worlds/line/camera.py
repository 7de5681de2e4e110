"""A pinhole camera on the car that looks at the floor.

The camera is level from side to side, so all pixels of an image row see the floor at one distance
ahead, and equally far apart. The homography between image and floor is then, row by row, a point
and a step: a whole row is sampled along a straight line through the floor's map.
"""

import dataclasses
import math

import numba
import numpy as np

from ...parameters import Checked, parameter
from .floor_map import FloorMap

#: compiled with what keeps results the same on every run: no order of sums is left open
OPTIONS = {'cache': True, 'error_model': 'numpy', 'fastmath': {'contract', 'nsz', 'arcp'}}


@dataclasses.dataclass(frozen=True)
class CameraConfig(Checked):
    """Sensor and mounting; the defaults are a DAVIS346 (18.5 um pixels) with a 4 mm lens."""

    width: int = parameter(346, 'columns', unit='pixels', low=16, high=1280)
    height: int = parameter(260, 'rows', unit='pixels', low=16, high=720)
    focal_length_px: float = parameter(
        216.0, 'focal length over pixel pitch', unit='pixels', low=10.0, high=5000.0
    )
    camera_height_m: float = parameter(0.18, 'above the floor', unit='m', low=0.02, high=2.0)
    camera_pitch_rad: float = parameter(
        0.70, 'optical axis below the horizon', unit='rad', low=0.05, high=1.57
    )
    camera_forward_m: float = parameter(
        0.30, 'in front of the rear axle', unit='m', low=-1.0, high=2.0
    )
    view_distance_m: float = parameter(
        3.0, 'rows that see further than this ahead of the camera see nothing', unit='m',
        low=0.1, high=10.0,
    )  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Rows:
    """Where the rows of the image meet the floor, in the car's frame (x forward, y left, in m).

    Attributes
    ----------
    first : the first row that sees the floor; those above it see nothing
    ahead_m : (height,) float32, x of every pixel of a row
    step_m : (height,) float32, y falls by this from one column to the next
    footprint_m : (height,) float32, square root of the area of the floor that a pixel sees
    """

    first: int
    ahead_m: np.ndarray
    step_m: np.ndarray
    footprint_m: np.ndarray


def floor_rows(config: CameraConfig) -> Rows:
    """The rows of a camera; rows before `first` are zero.

    The ray of pixel (u, v) is ((u - cu) / f, (v - cv) / f, 1) to the right, down and forward.
    Turned down by the pitch p, it falls by s = sin p + (v - cv) / f cos p while it goes forward by
    cos p - (v - cv) / f sin p, and meets the floor after height / s of that.
    """
    sine, cosine = math.sin(config.camera_pitch_rad), math.cos(config.camera_pitch_rad)
    down = (np.arange(config.height) - 0.5 * (config.height - 1)) / config.focal_length_px
    falls = sine + down * cosine
    depth = config.camera_height_m / np.maximum(falls, 1e-9)
    ahead = depth * (cosine - down * sine)
    seen = (falls > 0.0) & (ahead < config.view_distance_m)
    first = int(np.argmax(seen)) if seen.any() else config.height
    step = depth / config.focal_length_px
    # along the ray a pixel covers (h / s^2) / f, across it (h / s) / f
    footprint = step / np.sqrt(np.maximum(falls, 1e-9))
    columns = [ahead + config.camera_forward_m, step, footprint]
    rows = [np.where(seen, column, 0.0).astype(np.float32) for column in columns]
    return Rows(first, *rows)


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


@numba.njit(**OPTIONS)
def sample_row(
    texels: np.ndarray, levels: np.ndarray, level: int, geometry: np.ndarray, pose: np.ndarray,
    out: np.ndarray,
) -> None:  # fmt: skip
    """One image row of log luminance by bilinear interpolation in the floor's map.

    Parameters
    ----------
    texels, levels : of a `FloorMap`
    level : which of them
    geometry : `ahead_m` and `step_m` of the row
    pose : x, y and heading of the rear axle, float64
    out : (width,) float32
    """
    start, columns, rows = int(levels[level, 0]), int(levels[level, 1]), int(levels[level, 2])
    x0, y0, per_m = levels[level, 3], levels[level, 4], levels[level, 5]
    width = out.shape[0]
    cosine, sine = math.cos(pose[2]), math.sin(pose[2])
    ahead, step = geometry[0], geometry[1]
    # texel coordinates of column u: (ax + u bx, ay + u by); to the right is (sin, -cos)
    left = 0.5 * (width - 1) * step
    ax = np.float32((pose[0] + cosine * ahead - sine * left - x0) * per_m - 0.5)
    ay = np.float32((pose[1] + sine * ahead + cosine * left - y0) * per_m - 0.5)
    bx, by = np.float32(sine * step * per_m), np.float32(-cosine * step * per_m)
    # First where, then what is there: the compiler finds SIMD in a loop without scattered reads.
    # Beyond its edge the map goes on as it is there.
    zero, most_x, most_y = np.float32(0.0), np.float32(columns - 1.001), np.float32(rows - 1.001)
    place = np.empty(width, dtype=np.int32)
    part = np.empty((2, width), dtype=np.float32)
    for u in range(width):
        fx = min(max(ax + np.float32(u) * bx, zero), most_x)
        fy = min(max(ay + np.float32(u) * by, zero), most_y)
        ix, iy = np.int32(fx), np.int32(fy)
        part[0, u], part[1, u] = fx - np.float32(ix), fy - np.float32(iy)
        place[u] = np.int32(iy * np.int32(columns)) + ix
    corner, right = texels[start:], texels[start + 1 :]
    above, diagonal = texels[start + columns :], texels[start + columns + 1 :]
    for u in range(width):
        at = np.uint32(place[u])  # unsigned: no check for places counted from the end
        near = corner[at] + part[0, u] * (right[at] - corner[at])
        far = above[at] + part[0, u] * (diagonal[at] - above[at])
        out[u] = near + part[1, u] * (far - near)
