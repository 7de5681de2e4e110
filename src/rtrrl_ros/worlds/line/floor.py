"""The floor around a track: a line on a textured floor with seams, shadows and sunlight.

Everything is a factor on the luminance: what floor and line reflect, texture, seams, shadows, sun.
"""

import dataclasses
import math

import cv2
import numpy as np

from ...machine_code import numba
from ...parameters import Checked, parameter
from ..centre_line import CentreLine
from .floor_map import FloorMap

TEXTURES = ('tiles', 'concrete', 'wood', 'carpet')


@dataclasses.dataclass(frozen=True)
class FloorConfig(Checked):
    """What lies on the floor; a bright line on a dark floor is the two reflectances swapped."""

    floor_texture: str = parameter('tiles', 'kind of floor', choices=TEXTURES)
    floor_reflectance: float = parameter(
        0.5, 'share of the light that the floor sends back', low=0.02, high=1.0
    )
    line_reflectance: float = parameter(
        0.06, 'share of the light that the line sends back', low=0.02, high=1.0
    )
    line_width_m: float = parameter(0.04, 'width of the line', unit='m', low=0.01, high=0.2)
    texture_contrast: float = parameter(
        0.08, 'standard deviation of the texture, relative to the reflectance', low=0.0, high=0.5
    )
    shadow_depth: float = parameter(
        0.3, 'share of the light that the soft shadows take away', low=0.0, high=0.9
    )
    texel_m: float = parameter(
        0.003, "resolution of the floor's map", unit='m', low=0.001, high=0.02
    )


def make_floor(
    line: CentreLine,
    config: FloorConfig,
    margin_m: float,
    random: np.random.Generator,
    light: float = 1.0,
) -> FloorMap:
    """The floor around a track.

    Parameters
    ----------
    margin_m : how far the floor reaches beyond the line's bounding box
    light : sunlight through windows, as a factor on the light in the sunlit patches: 1 is none,
        below 1 the patches are shade. See `sunlight`
    """
    low, high = line.points.min(axis=0) - margin_m, line.points.max(axis=0) + margin_m
    columns, rows = (int(n) for n in np.ceil((high - low) / config.texel_m))
    x = (low[0] + (np.arange(columns) + 0.5) * config.texel_m).astype(np.float32)
    y = (low[1] + (np.arange(rows) + 0.5) * config.texel_m).astype(np.float32)
    luminance = _texture(config, x, y, random)
    luminance *= np.float32(config.floor_reflectance)
    corner = (float(low[0]), float(low[1]))
    _draw_line(
        luminance, line.points, corner[0], corner[1], config.texel_m, config.line_width_m,
        config.line_reflectance,
    )  # fmt: skip
    luminance *= _shadows(x, y, config.shadow_depth, random)
    # drawn in any case, so that the floor below is the same in any light
    sun = np.random.default_rng(random.integers(2**63))
    if light != 1.0:
        luminance *= sunlight(x, y, light, sun)
    return FloorMap.of(luminance, corner, config.texel_m)


def sunlight(x: np.ndarray, y: np.ndarray, light: float, random: np.random.Generator) -> np.ndarray:
    """The factor of the sun: bands through windows and a gradient across the room, (rows, columns).

    The light is 1 + (light - 1) (0.3 g + 0.7 b): the gradient g rises from 0 to 1 across the room;
    b is 1 in bands of 0.5 to 0.9 m, as far apart, with a penumbra of about 3 cm, else 0.
    """
    angle = random.uniform(0.0, math.pi)
    along = x[None, :] * np.float32(math.cos(angle)) + y[:, None] * np.float32(math.sin(angle))
    gradient = (along - along.min()) / np.float32(np.ptp(along))
    width = random.uniform(0.5, 0.9)
    wave = np.sin((along + np.float32(random.uniform(0.0, 2.0))) * np.float32(math.pi / width))
    edge = np.float32(0.015 * math.pi / width)
    bands = np.clip(np.float32(0.5) + wave / (np.float32(2.0) * edge), 0.0, 1.0)
    share = np.float32(0.3) * gradient + np.float32(0.7) * bands
    return np.float32(1.0) + np.float32(light - 1.0) * share


def _noise(
    shape: tuple[int, int], cell: float | tuple[float, float], random: np.random.Generator
) -> np.ndarray:
    """Smooth noise of mean 0 and deviation 1 with grains of `cell` texels (rows, columns)."""
    cells = (cell, cell) if isinstance(cell, float) else cell
    size = [max(2, math.ceil(n / c) + 1) for n, c in zip(shape, cells, strict=True)]
    lattice = random.standard_normal(size, dtype=np.float32)
    noise = cv2.resize(lattice, shape[::-1], interpolation=cv2.INTER_LINEAR)
    return noise / np.float32(max(float(noise[::7, ::7].std()), 1e-6))


def _seams(place: np.ndarray, spacing_m: float, width_m: float) -> np.ndarray:
    """1 away from seams that come every `spacing_m`, 0.45 in them; the shape of `place`."""
    away = np.abs((place / np.float32(spacing_m)) % 1.0 - np.float32(0.5)) * np.float32(spacing_m)
    deep = np.clip((np.float32(0.5 * width_m) - away) / np.float32(0.002) + 0.5, 0.0, 1.0)
    return np.float32(1.0) - np.float32(0.55) * deep


def _texture(
    config: FloorConfig, x: np.ndarray, y: np.ndarray, random: np.random.Generator
) -> np.ndarray:
    """Relative reflectance of the bare floor, about 1, (rows, columns) float32."""
    shape, per_m = (y.size, x.size), 1.0 / config.texel_m
    kind, contrast = config.floor_texture, np.float32(config.texture_contrast)
    if kind == 'wood':  # boards along x, with the grain along them
        grain = _noise(shape, (0.004 * per_m, 0.3 * per_m), random)
        texture = np.exp(contrast * (grain + _noise(shape, (0.02 * per_m, 0.6 * per_m), random)))
        board = np.floor(y / np.float32(0.14)).astype(np.int64)
        tint = 1.0 + 0.1 * random.standard_normal(int(np.ptp(board)) + 1, dtype=np.float32)
        texture *= tint[board - board.min()][:, None] * _seams(y, 0.14, 0.003)[:, None]
        return texture
    texture = _noise(shape, 0.25 * per_m, random) + _noise(shape, 0.03 * per_m, random)
    if kind == 'carpet':
        texture += 3.0 * _noise(shape, 0.006 * per_m, random)
    else:
        texture += random.standard_normal(shape, dtype=np.float32)
    texture = np.exp(np.float32(0.6) * contrast * texture)
    if kind == 'tiles':  # a little out of square with the axes of the map
        angle = np.float32(random.uniform(0.0, 0.5 * math.pi))
        for turn in (angle, angle + np.float32(0.5 * math.pi)):
            place = x[None, :] * np.cos(turn) + y[:, None] * np.sin(turn)
            texture *= _seams(place + np.float32(random.uniform(0.0, 0.6)), 0.6, 0.005)
    return texture


def _shadows(x: np.ndarray, y: np.ndarray, depth: float, random: np.random.Generator) -> np.ndarray:
    """The factor of soft shadows some decimetres wide, (rows, columns) float32."""
    noise = _noise((y.size, x.size), 0.5 / float(x[1] - x[0]), random)
    dark = np.clip(np.float32(3.0) * (noise - np.float32(0.8)) + np.float32(0.5), 0.0, 1.0)
    return np.float32(1.0) - np.float32(depth) * dark


@numba.njit(cache=True)
def _draw_line(
    luminance: np.ndarray, points: np.ndarray, x0: float, y0: float, texel: float, width: float,
    reflectance: float,
) -> None:  # fmt: skip
    """Paint the line over the floor; its edges cover texels in part."""
    rows, columns = luminance.shape
    nearest = np.full((rows, columns), np.float32(1e9))
    reach = 0.5 * width + 2.0 * texel
    count = points.shape[0]
    for i in range(count):
        ax, ay = points[i]
        ex, ey = points[(i + 1) % count] - points[i]
        square = ex * ex + ey * ey
        low_x, high_x = min(ax, ax + ex) - reach, max(ax, ax + ex) + reach
        low_y, high_y = min(ay, ay + ey) - reach, max(ay, ay + ey) + reach
        for row in range(
            max(0, int((low_y - y0) / texel)), min(rows, int((high_y - y0) / texel) + 1)
        ):
            off_y = y0 + (row + 0.5) * texel - ay
            for column in range(
                max(0, int((low_x - x0) / texel)), min(columns, int((high_x - x0) / texel) + 1)
            ):
                off_x = x0 + (column + 0.5) * texel - ax
                part = min(max((off_x * ex + off_y * ey) / square, 0.0), 1.0)
                away = (off_x - part * ex) ** 2 + (off_y - part * ey) ** 2
                nearest[row, column] = min(nearest[row, column], np.float32(away))
    for row in range(rows):
        for column in range(columns):
            if nearest[row, column] < 1e9:
                cover = 0.5 + (0.5 * width - math.sqrt(nearest[row, column])) / texel
                cover = min(max(cover, 0.0), 1.0)
                under = luminance[row, column]
                luminance[row, column] = np.float32(under + cover * (reflectance - under))
