"""Where the line is, from one event frame alone.

A line on the floor gives two rows of events, its edges, of opposite polarity and as far apart as
the line is wide; nothing happens between them. The frame is laid on the floor through the camera's
geometry: strips across the car's way, a few centimetres deep, in bins of 5 mm. A bin gets the vote
of its strip for having such a pair of edges to its left and right. The path of the line,

    y(x) = a + b x + c x^2 / 2     (x forward of the rear axle, y left of it, in m),

is the one with most votes among all on a grid (a Hough transform); then it is fitted to the best
bin that each strip has near it. The line's side of the rear axle, which the camera does not see,
is where the path goes on to.
"""

import dataclasses
import math

import numpy as np

from ..machine_code import numba
from ..parameters import Checked, parameter
from .floor_view import CameraConfig, floor_rows

BIN_M = 0.005
#: half the width of the floor that is looked at
REACH_M = 0.45
#: events on the weaker edge that give half a vote
HALF_VOTE = 3.0
#: how far from the path a strip's best bin may be to take part in the fit
NEAR_BINS = 4
#: a strip takes part with at least this vote
LEAST_VOTE = 0.25


@dataclasses.dataclass(frozen=True)
class LineSightConfig(Checked):
    """What the line looks like, and when it counts as seen."""

    line_width_m: float = parameter(0.04, 'width of the line', unit='m', low=0.01, high=0.2)
    strip_m: float = parameter(
        0.04, 'depth of the strips across the way', unit='m', low=0.01, high=0.2
    )
    sight_m: float = parameter(
        0.8,
        'furthest strip, from the rear axle: a parabola follows no line for longer',
        unit='m',
        low=0.2,
        high=5.0,
    )
    max_lateral_m: float = parameter(
        0.35, 'a line further from the rear axle is not looked for', unit='m', low=0.05, high=0.4
    )
    max_heading_rad: float = parameter(
        0.6, 'nor one at a larger angle', unit='rad', low=0.1, high=1.2
    )
    max_curvature_1_m: float = parameter(1.4, 'nor a tighter bend', unit='1/m', low=0.0, high=5.0)
    least_confidence: float = parameter(
        0.3, 'the line is not seen unless this share of the strips shows it', low=0.05, high=1.0
    )


@dataclasses.dataclass(frozen=True)
class LineSighting:
    """The line as one frame shows it.

    Attributes
    ----------
    lateral_m : distance of the rear axle from the line, positive left of it
    heading_rad : heading of the car minus that of the line, positive to the left
    curvature_1_m : of the line, positive turning left
    confidence : share of the strips that show the line where the path has it, in [0, 1]
    """

    lateral_m: float
    heading_rad: float
    curvature_1_m: float
    confidence: float


class LineSight:
    """Finds the line in event frames of one camera. One thread.

    Parameters
    ----------
    camera : how it is mounted; frames have its size, in pixels
    config : see `LineSightConfig`
    """

    def __init__(self, camera: CameraConfig, config: LineSightConfig | None = None) -> None:
        self.config = config = config or LineSightConfig()
        self.shape = 2, camera.height, camera.width
        rows = floor_rows(camera)
        seen = np.flatnonzero(rows.step_m > 0.0)
        nearest = float(rows.ahead_m[seen].min()) if seen.size else config.sight_m
        count = max(0, int((config.sight_m - nearest) / config.strip_m))
        self._ahead_m = nearest + (np.arange(count) + 0.5) * config.strip_m
        self._columns = 2 * round(REACH_M / BIN_M) + 1
        self._bins = self._bin_of_pixels(camera, nearest, count)
        self._half_width = max(1, round(0.5 * config.line_width_m / BIN_M))
        reachable = np.bincount(self._bins, minlength=count * self._columns + 1)[:-1]
        self._visible = reachable.reshape(count, self._columns) > 0
        self._offsets = _grid(config.max_lateral_m, 0.01)
        self._slopes = _grid(math.tan(config.max_heading_rad), 0.04)
        self._curvatures = _grid(config.max_curvature_1_m, 0.2)
        self.look(np.zeros(self.shape, np.float32))  # compiles

    def _bin_of_pixels(self, camera: CameraConfig, nearest_m: float, count: int) -> np.ndarray:
        """The bin of each pixel, (height * width,) int64; the last one is for what is outside."""
        rows = floor_rows(camera)
        column = np.arange(camera.width) - 0.5 * (camera.width - 1)
        y = -rows.step_m[:, None] * column
        x = np.broadcast_to(rows.ahead_m[:, None], y.shape)
        strip = np.floor((x - nearest_m) / self.config.strip_m).astype(np.int64)
        place = np.rint(y / BIN_M).astype(np.int64) + self._columns // 2
        inside = (strip >= 0) & (strip < count) & (place >= 0) & (place < self._columns)
        inside &= rows.step_m[:, None] > 0.0
        return np.where(inside, strip * self._columns + place, count * self._columns).ravel()

    def votes(self, frame: np.ndarray) -> np.ndarray:
        """How much each bin looks like the middle of the line, (strips, bins) in [0, 1).

        `frame`: (2, height, width), events of each pixel, OFF and ON.
        """
        if frame.shape != self.shape:
            raise ValueError(f'a frame of {frame.shape}, not {self.shape}')
        size = self._ahead_m.size, self._columns
        off, on = (
            np.bincount(self._bins, frame[k].ravel(), size[0] * size[1] + 1)[:-1].reshape(size)
            for k in range(2)
        )
        return _votes(on - off, on + off, self._half_width)

    def look(self, frame: np.ndarray) -> LineSighting | None:
        """The line in a frame, or None: no line is seen."""
        votes = self.votes(frame)
        path = _best_path(votes, self._ahead_m, self._offsets, self._slopes, self._curvatures)
        strips, places = self._near(votes, path)
        if strips.size < 3:
            return None
        fitted = self._fit(strips, places)
        strips, _ = self._near(votes, fitted)
        expected = self._on_path(fitted)
        within = (expected >= 0) & (expected < self._columns)
        lines = np.flatnonzero(within)
        visible = int(np.count_nonzero(self._visible[lines, expected[lines]]))
        confidence = strips.size / max(visible, 1)
        offset, slope, curvature = (float(value) for value in fitted)
        lateral = -offset / math.hypot(1.0, slope)
        config = self.config
        if (
            confidence < config.least_confidence
            or strips.size < 4
            or abs(lateral) > config.max_lateral_m
            or abs(slope) > 1.5 * math.tan(config.max_heading_rad)
        ):
            return None
        return LineSighting(lateral, -math.atan(slope), curvature, min(confidence, 1.0))

    def _on_path(self, path: np.ndarray) -> np.ndarray:
        """The bin of the path in each strip."""
        x = self._ahead_m
        y = path[0] + path[1] * x + 0.5 * path[2] * x * x
        return np.rint(y / BIN_M).astype(np.int64) + self._columns // 2

    def _near(self, votes: np.ndarray, path: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The strips that show a line near the path, and where: a bin and a fraction."""
        expected = self._on_path(path)
        window = expected[:, None] + np.arange(-NEAR_BINS, NEAR_BINS + 1)
        inside = (window >= 0) & (window < self._columns)
        found = np.take_along_axis(votes, np.clip(window, 0, self._columns - 1), axis=1) * inside
        strips = np.flatnonzero(found.max(axis=1) >= LEAST_VOTE)
        weight = np.square(found[strips])
        return strips, (weight * window[strips]).sum(axis=1) / weight.sum(axis=1)

    def _fit(self, strips: np.ndarray, places: np.ndarray) -> np.ndarray:
        """The path through these bins by least squares; bends are held back a little."""
        x, y = self._ahead_m[strips], (places - self._columns // 2) * BIN_M
        design = np.stack([np.ones_like(x), x, 0.5 * x * x], axis=1)
        normal = design.T @ design + np.diag([1e-9, 1e-4, 1e-4])
        return np.linalg.solve(normal, design.T @ y)


def _grid(most: float, step: float) -> np.ndarray:
    count = round(most / step)
    return np.arange(-count, count + 1) * step


@numba.njit(cache=True)
def _votes(signed: np.ndarray, total: np.ndarray, half: int) -> np.ndarray:
    """An edge is what three neighbouring bins hold; the weaker edge counts, less what is between.

    Edges of a line that is crossed at an angle are further apart, by up to a half here.
    """
    strips, columns = signed.shape
    votes = np.zeros((strips, columns), dtype=np.float32)
    edge = np.zeros(columns)
    for s in range(strips):
        for j in range(1, columns - 1):
            edge[j] = signed[s, j - 1] + signed[s, j] + signed[s, j + 1]
        for wider in range(half, half + half // 2 + 1, max(half // 4, 1)):
            for j in range(wider + 1, columns - wider - 1):
                left, right = edge[j - wider], edge[j + wider]
                if left * right >= 0.0:
                    continue
                strength = min(abs(left), abs(right))
                between = 0.0
                for k in range(j - wider + 3, j + wider - 2):
                    between += total[s, k]
                strength -= between
                if strength > 0.0:
                    vote = strength / (strength + HALF_VOTE)
                    votes[s, j] = max(votes[s, j], np.float32(vote))
    return votes


@numba.njit(cache=True)
def _best_path(
    votes: np.ndarray, x: np.ndarray, offsets: np.ndarray, slopes: np.ndarray,
    curvatures: np.ndarray,
) -> np.ndarray:  # fmt: skip
    """The (a, b, c) of the grid with most votes; of several the straighter and nearer one."""
    strips, columns = votes.shape
    wide = np.zeros_like(votes)  # a bin and its neighbours: a step of the grid
    for s in range(strips):
        for j in range(1, columns - 1):
            wide[s, j] = max(votes[s, j - 1], votes[s, j], votes[s, j + 1])
    best, found = -1.0, np.zeros(3)
    for c in curvatures:
        for b in slopes:
            for a in offsets:
                score = -1e-3 * (abs(a) + abs(b) + abs(c))
                for s in range(strips):
                    y = a + (b + 0.5 * c * x[s]) * x[s]
                    j = round(y / BIN_M) + columns // 2
                    if 0 <= j < columns:
                        score += wide[s, j]
                if score > best:
                    best = score
                    found[0], found[1], found[2] = a, b, c
    return found
