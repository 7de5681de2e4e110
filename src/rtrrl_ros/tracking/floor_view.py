"""Where a pinhole camera's pixels meet the floor, in the frame of the car.

The camera is level from side to side, so all pixels of an image row see the floor at one distance
ahead, and equally far apart. The homography between image and floor is then, row by row, a point
and a step.
"""

import dataclasses
import math

import numpy as np

from ..parameters import Checked, parameter


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
