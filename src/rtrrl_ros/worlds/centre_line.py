"""A closed centre line, and where a car is relative to it."""

import dataclasses
import math

import numpy as np


def wrapped(angle: float) -> float:
    """The angle in [-pi, pi)."""
    return (angle + math.pi) % (2.0 * math.pi) - math.pi


@dataclasses.dataclass(frozen=True)
class Projection:
    """A point seen from the centre line.

    Attributes
    ----------
    segment : index of the nearest segment
    arc_m : place along the line, in [0, length)
    lateral_m : signed distance, positive left of the line
    heading_rad : direction of the line there, interpolated between its vertices
    """

    segment: int
    arc_m: float
    lateral_m: float
    heading_rad: float


class CentreLine:
    """A closed polyline in driving direction.

    Parameters
    ----------
    points : vertices in m, (count, 2), consecutive ones distinct; the last joins the first

    Attributes
    ----------
    length_m : once around
    arc_m : place of each vertex along the line, (count,)
    heading_rad : direction at each vertex, the mean of its two segments, unwrapped, (count,)
    curvature_1_m : at each vertex, positive turning left, (count,)
    """

    #: segments searched on each side of the last one
    WINDOW = 12

    def __init__(self, points: np.ndarray) -> None:
        self.points = np.asarray(points, dtype=np.float64)
        self._edges = np.roll(self.points, -1, axis=0) - self.points
        self._edge_length = np.hypot(self._edges[:, 0], self._edges[:, 1])
        ends = np.cumsum(self._edge_length)
        self.length_m = float(ends[-1])
        self.arc_m = ends - self._edge_length
        direction = np.unwrap(np.arctan2(self._edges[:, 1], self._edges[:, 0]))
        turn = np.diff(direction, append=direction[0])
        turn[-1] = wrapped(float(turn[-1]))
        incoming = np.roll(turn, 1)  # the turn at each vertex, from its segment before
        self.heading_rad = direction - 0.5 * incoming
        self.curvature_1_m = incoming / (0.5 * (self._edge_length + np.roll(self._edge_length, 1)))
        self._heading_change = 0.5 * (incoming + turn)

    def project(self, x_m: float, y_m: float, near: int | None = None) -> Projection:
        """Project a point onto the line.

        Parameters
        ----------
        near : search only around this segment, so that a neighbouring stretch of the track is not
            taken for the car's own; None: search everywhere
        """
        count = len(self.points)
        if near is None or 2 * self.WINDOW + 1 >= count:
            window = np.arange(count)
        else:
            window = np.arange(near - self.WINDOW, near + self.WINDOW + 1) % count
        edge, length = self._edges[window], self._edge_length[window]
        off_x, off_y = x_m - self.points[window, 0], y_m - self.points[window, 1]
        along = (off_x * edge[:, 0] + off_y * edge[:, 1]) / np.square(length)
        along = np.clip(along, 0.0, 1.0)
        distance = np.hypot(off_x - along * edge[:, 0], off_y - along * edge[:, 1])
        best = int(np.argmin(distance))
        segment, part = int(window[best]), float(along[best])
        left = edge[best, 0] * off_y[best] - edge[best, 1] * off_x[best]
        return Projection(
            segment=segment,
            arc_m=float(self.arc_m[segment] + part * length[best]) % self.length_m,
            lateral_m=math.copysign(float(distance[best]), float(left)),
            heading_rad=float(self.heading_rad[segment] + part * self._heading_change[segment]),
        )

    def progress(self, before_m: float, after_m: float) -> float:
        """Distance along the line from one place to another, the short way round, in m."""
        half = 0.5 * self.length_m
        return (after_m - before_m + half) % self.length_m - half

    def at(self, arc_m: float) -> tuple[float, float]:
        """The point at a place along the line (any real number: the line is closed)."""
        place = arc_m % self.length_m
        segment = int(np.searchsorted(self.arc_m, place, side='right')) - 1
        part = (place - self.arc_m[segment]) / self._edge_length[segment]
        point = self.points[segment] + part * self._edges[segment]
        return float(point[0]), float(point[1])
