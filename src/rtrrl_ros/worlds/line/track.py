"""Random closed tracks, as tight as a car can follow, and how tight that is."""

import dataclasses
import math

import numpy as np

from ...errors import UserError
from ...parameters import Checked, parameter
from ..centre_line import CentreLine

#: distance between two vertices of a track's centre line
SPACING_M = 0.01
#: shapes drawn before it counts as impossible; with the defaults nearly every one is good
_MOST_SHAPES = 100
#: points at which a shape is examined before it is resampled
_FINE, _COARSE = 8192, 512


@dataclasses.dataclass(frozen=True)
class TrackConfig(Checked):
    """What the tracks have in common."""

    min_length_m: float = parameter(16.0, 'shortest lap', unit='m', low=12.0, high=100.0)
    max_length_m: float = parameter(24.0, 'longest lap', unit='m', low=12.0, high=100.0)
    curvature_share: float = parameter(
        0.7, "curvature of a track's tightest bend, as a share of the car's limit; a car whose "
        'steering is off by 0.1 rad can still follow 0.7', low=0.5, high=1.0,
    )  # fmt: skip
    clearance_m: float = parameter(
        0.9, 'least distance of two stretches of a track from one another', unit='m',
        low=0.0, high=1.2,
    )  # fmt: skip


def tightest_curvature(wheelbase_m: float, max_steering_angle_rad: float) -> float:
    """The curvature in 1/m that a car reaches at its largest steering angle, without slip.

    A rear axle on an arc of radius R needs tan(steering) = wheelbase / R (kinematic single-track
    model): 0.33 m and 0.419 rad give 1.35 / m, R = 0.74 m.
    """
    return math.tan(max_steering_angle_rad) / wheelbase_m


def random_track(random: np.random.Generator, config: TrackConfig, limit_1_m: float) -> CentreLine:
    """A smooth closed curve without self-intersection, with vertices every `SPACING_M`.

    In polar coordinates r = 1 + a sum_k c_k cos(k phi + psi_k), k = 2 ... 6, with random c and psi,
    which cannot cross itself while r > 0. It is scaled to a length drawn between the two limits;
    then the one amplitude a is sought at which the tightest bend is as tight as wanted. Half of
    the tracks are driven clockwise. The start is in the middle of the straightest metre.

    Parameters
    ----------
    limit_1_m : the car's limit, see `tightest_curvature`

    Raises `UserError` where a hundred shapes had no such track.
    """
    target = config.curvature_share * limit_1_m
    low = min(config.min_length_m, config.max_length_m)
    for _ in range(_MOST_SHAPES):
        length = random.uniform(low, config.max_length_m)
        orders = np.arange(2, 7)
        weights = random.normal(size=5) / orders**0.7
        phases = random.uniform(0.0, 2.0 * math.pi, 5)
        clockwise = bool(random.integers(2))
        waves = _Waves(orders, weights / np.abs(weights).sum(), phases)
        amplitude = _amplitude(waves, length, target)
        if amplitude is None:
            continue
        points, _ = waves.points(amplitude, length, _FINE)
        points = _resampled(points[::-1] if clockwise else points, length)
        line = CentreLine(points)
        if clearance(line) >= config.clearance_m:
            return CentreLine(np.roll(points, -_straightest(line), axis=0))
    raise UserError(
        f'no track found with curvature_share = {config.curvature_share:g} and clearance_m = '
        f'{config.clearance_m:g}: choose smaller values or longer tracks'
    )


def clearance(line: CentreLine) -> float:
    """The least distance of two places whose way to one another along the line is over 1.5 m.

    In the tightest bend of a 1:10 car the ends of 1.5 m are 1.25 m apart: what is nearer than that
    is another stretch.
    """
    stride = max(1, round(0.1 / (line.length_m / len(line.points))))
    points, arc = line.points[::stride], line.arc_m[::stride]
    apart = np.abs(arc[:, None] - arc[None, :])
    apart = np.minimum(apart, line.length_m - apart)
    distance = np.hypot(*(points[:, None] - points[None, :]).transpose(2, 0, 1))
    return float(np.min(distance, where=apart > 1.5, initial=np.inf))


@dataclasses.dataclass(frozen=True)
class _Waves:
    orders: np.ndarray
    weights: np.ndarray
    phases: np.ndarray

    def points(self, amplitude: float, length_m: float, count: int) -> tuple[np.ndarray, float]:
        """Points of the shape, (count, 2) in m, and its largest curvature in 1/m."""
        phi = np.arange(count) * (2.0 * math.pi / count)
        angle = np.outer(self.orders, phi) + self.phases[:, None]
        weights = amplitude * self.weights
        r = 1.0 + weights @ np.cos(angle)
        dr = -(weights * self.orders) @ np.sin(angle)
        ddr = -(weights * self.orders**2) @ np.cos(angle)
        speed = np.hypot(r, dr)
        scale = length_m / (speed.mean() * 2.0 * math.pi)
        curvature = (r * r + 2.0 * dr * dr - r * ddr) / (speed**3 * scale)
        points = scale * np.stack([r * np.cos(phi), r * np.sin(phi)], axis=1)
        return points, float(np.abs(curvature).max())


def _amplitude(waves: _Waves, length_m: float, curvature_1_m: float) -> float | None:
    """The smallest amplitude with this largest curvature, by bisection; None: there is none."""
    low, high = 0.0, 0.75
    if waves.points(low, length_m, _COARSE)[1] > curvature_1_m:
        return None
    if waves.points(high, length_m, _COARSE)[1] < curvature_1_m:
        return None
    for _ in range(30):
        middle = 0.5 * (low + high)
        if waves.points(middle, length_m, _COARSE)[1] < curvature_1_m:
            low = middle
        else:
            high = middle
    return low


def _resampled(points: np.ndarray, length_m: float) -> np.ndarray:
    """Points at equal distances along the closed line through `points`."""
    closed = np.vstack([points, points[:1]])
    arc = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(closed, axis=0).T))])
    count = round(length_m / SPACING_M)
    places = np.arange(count) * (arc[-1] / count)
    return np.stack([np.interp(places, arc, closed[:, axis]) for axis in range(2)], axis=1)


def _straightest(line: CentreLine) -> int:
    """Index of the vertex around which a metre turns least."""
    half = round(0.5 / SPACING_M)
    turn = np.abs(line.curvature_1_m)
    around = np.concatenate([turn[-half:], turn, turn[:half]])
    total = np.convolve(around, np.ones(2 * half + 1), 'valid')
    return int(np.argmin(total))
