"""A floor as a camera's pixels read it: log luminance, with a level for each size of pixel."""

import dataclasses

import numpy as np

#: luminance below this is as dark as it gets; keeps the logarithm finite
DARKEST = 0.005


@dataclasses.dataclass(frozen=True)
class FloorMap:
    """Log luminance of a rectangle of floor, ever coarser from level to level (a mipmap).

    A pixel that sees a large patch of floor reads a level whose texels are as large. It then sees
    the mean luminance there instead of a point that flickers as the car moves.

    Attributes
    ----------
    texel_m : side of a texel of level 0
    texels : float32, all levels one after the other, row by row from the least x and y on; the
        logarithm of the luminance, 0 for white in normal light
    levels : (count, 6) float64: first texel, columns, rows, x and y of the corner, texels per m
    """

    texel_m: float
    texels: np.ndarray
    levels: np.ndarray

    @classmethod
    def of(cls, luminance: np.ndarray, corner_m: tuple[float, float], texel_m: float) -> 'FloorMap':
        """Build the levels.

        Parameters
        ----------
        luminance : (rows, columns) float32 > 0, 1 for white in normal light; rows along y
        corner_m : x and y of the outer corner of the first texel
        """
        parts, levels, start, size = [], [], 0, texel_m
        while True:
            rows, columns = luminance.shape
            parts.append(np.log(np.maximum(luminance, np.float32(DARKEST))).ravel())
            levels.append((start, columns, rows, *corner_m, 1.0 / size))
            start, size = start + luminance.size, 2.0 * size
            if min(rows, columns) < 64 or len(levels) == 6:
                break
            even = luminance[: rows // 2 * 2, : columns // 2 * 2]
            luminance = np.float32(0.25) * (
                even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]
            )
        return cls(texel_m, np.concatenate(parts), np.array(levels))
