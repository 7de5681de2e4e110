"""From a drive to a reference line: where the loop closes, even spacing, smoothing."""

import numpy as np

from ..errors import UserError
from .poses import Pose
from .reference_line import SHORTEST_M, SPACING_M, ReferenceLine, resampled

#: a pose nearer to the last one that was kept than this is not kept
LEAST_STEP_M = 0.01
#: how near the start the loop may close; more is another place, or odometry that has drifted off
CLOSING_M = 0.5
#: the loop is closed once the car has moved away by this again: jitter of the poses is less
LEAVING_M = 0.3
#: standard deviation of the smoothing along the line; it cuts a bend of 0.74 m by 7 mm
SMOOTHING_M = 0.1


class LineRecorder:
    """Collects the poses of a drive until it is back at its start.

    Attributes
    ----------
    driven_m : way so far
    closed : the drive came back to its start, and has begun to move away from it again
    """

    def __init__(self) -> None:
        self._points: list[tuple[float, float]] = []
        self._speeds: list[float] = []
        self.driven_m = 0.0
        self.closed = False
        self._best_m, self._best = np.inf, 0  # the pose nearest to the start, on the way back

    def add(self, pose: Pose) -> bool:
        """Take a pose; returns whether the loop is closed."""
        if self.closed:
            return True
        point = pose.x_m, pose.y_m
        if self._points:
            step = float(np.hypot(point[0] - self._points[-1][0], point[1] - self._points[-1][1]))
            if step < LEAST_STEP_M:
                return False
            self.driven_m += step
        self._points.append(point)
        self._speeds.append(pose.speed_m_s)
        if self.driven_m < SHORTEST_M:
            return False
        start = self._points[0]
        away = float(np.hypot(point[0] - start[0], point[1] - start[1]))
        if away < self._best_m and self._along_the_start():
            self._best_m, self._best = away, len(self._points) - 1
        self.closed = self._best_m <= CLOSING_M and away > self._best_m + LEAVING_M
        return self.closed

    def _along_the_start(self) -> bool:
        """Whether the car moves as it did in the beginning: a crossing of the way is no loop."""
        points = np.array([self._points[0], self._points[5], self._points[-6], self._points[-1]])
        return float(np.dot(points[1] - points[0], points[3] - points[2])) > 0.0

    def reference_line(self) -> ReferenceLine:
        """The line of the lap; `UserError` where the drive has not come back to its start."""
        if not self.closed and self._best_m > CLOSING_M:
            nearest = f', no nearer than {self._best_m:.2f} m' if np.isfinite(self._best_m) else ''
            raise UserError(
                f'the drive of {self.driven_m:.1f} m did not come back to its start{nearest}: '
                'record a whole lap and a little more'
            )
        last = self._best + 1
        return closed_line(np.array(self._points[:last]), np.array(self._speeds[:last]))


def closed_line(points: np.ndarray, speed_m_s: np.ndarray) -> ReferenceLine:
    """A smooth closed line from a lap.

    Parameters
    ----------
    points : (count, 2) in m; the last one where the loop closes. How far it lies to the side of
        the first one, by unsteady driving or odometry that drifts, is spread over the whole lap
    speed_m_s : (count,)
    """
    arc = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    ahead = points[min(5, len(points) - 1)] - points[0]
    left = np.array([-ahead[1], ahead[0]]) / np.hypot(*ahead)
    aside = float(np.dot(points[0] - points[-1], left))
    points = points + (arc / arc[-1])[:, None] * aside * left
    even, speed = resampled(points, speed_m_s, SPACING_M)
    assert speed is not None
    smooth = _smoothed(np.column_stack([even, speed]))
    return ReferenceLine.of(smooth[:, :2], smooth[:, 2])


def _smoothed(columns: np.ndarray) -> np.ndarray:
    """Each column convolved with a Gaussian, all the way round."""
    count = len(columns)
    offset = np.minimum(np.arange(count), count - np.arange(count)) * SPACING_M
    kernel = np.exp(-0.5 * np.square(offset / SMOOTHING_M))
    spectrum = np.fft.rfft(kernel / kernel.sum())[:, None] * np.fft.rfft(columns, axis=0)
    return np.fft.irfft(spectrum, n=count, axis=0)
