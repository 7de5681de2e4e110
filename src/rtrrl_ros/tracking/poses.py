"""Poses of the car over time, and the pose at the moment of an observation."""

import bisect
import dataclasses
import math

from ..worlds.centre_line import wrapped

_S = 1e-9
#: poses kept: two seconds of the fastest odometry
MEMORY = 400
#: a car that seems faster than this was put somewhere else by its localisation
IMPOSSIBLE_M_S = 20.0
#: distance that is no jump however short the time
JITTER_M = 0.05


@dataclasses.dataclass(frozen=True)
class Pose:
    """Where the rear axle was: x and y in m, heading in rad, forward speed, turning rate."""

    stamp_ns: int
    x_m: float
    y_m: float
    heading_rad: float
    speed_m_s: float = 0.0
    yaw_rate_rad_s: float = 0.0

    @property
    def finite(self) -> bool:
        return math.isfinite(
            self.x_m + self.y_m + self.heading_rad + self.speed_m_s + self.yaw_rate_rad_s
        )


class PoseBuffer:
    """The newest poses in the order of their stamps. One thread.

    Parameters
    ----------
    max_gap_s : two poses further apart in time are not interpolated between
    extrapolation_s : how far beyond the newest pose its motion is taken to go on; 0: wait for the
        next pose
    differentiate : speeds are not given: take them from how the pose changes

    Attributes
    ----------
    refused : poses that were not finite
    jumps : poses that no car can have reached from the one before
    """

    def __init__(
        self, max_gap_s: float, extrapolation_s: float = 0.0, *, differentiate: bool = False
    ) -> None:
        self._max_gap_ns = round(max_gap_s / _S)
        self._reach_ns = round(extrapolation_s / _S)
        self._differentiate = differentiate
        self._stamps: list[int] = []
        self._poses: list[Pose] = []
        self.refused = self.jumps = 0

    def add(self, pose: Pose) -> None:
        """Take a pose. One that is older than the newest means that the source began anew."""
        if not pose.finite:
            self.refused += 1
            return
        if self._stamps and pose.stamp_ns == self._stamps[-1]:
            return
        if self._stamps and pose.stamp_ns < self._stamps[-1]:
            self._clear()
        if self._stamps and self._jumped(self._poses[-1], pose):
            self.jumps += 1
            self._clear()
        if self._differentiate:
            pose = self._with_motion(pose)
        self._stamps.append(pose.stamp_ns)
        self._poses.append(pose)
        if len(self._stamps) > MEMORY:
            del self._stamps[0], self._poses[0]

    @property
    def newest(self) -> Pose | None:
        return self._poses[-1] if self._poses else None

    def reaches(self, stamp_ns: int) -> bool:
        """Whether waiting for more poses would not help to know the pose at this time."""
        return bool(self._stamps) and stamp_ns <= self._stamps[-1] + self._reach_ns

    def at(self, stamp_ns: int) -> Pose | None:
        """The pose at a time, None where it is not known."""
        index = bisect.bisect_left(self._stamps, stamp_ns)
        if index < len(self._stamps) and self._stamps[index] == stamp_ns:
            return self._poses[index]
        if index == 0:
            return None
        before = self._poses[index - 1]
        if index == len(self._stamps):
            close = stamp_ns - before.stamp_ns <= self._reach_ns
            return _extrapolated(before, stamp_ns) if close else None
        after = self._poses[index]
        if after.stamp_ns - before.stamp_ns > self._max_gap_ns:
            return None
        return _interpolated(before, after, stamp_ns)

    def _clear(self) -> None:
        self._stamps.clear()
        self._poses.clear()

    @staticmethod
    def _jumped(before: Pose, after: Pose) -> bool:
        away = math.hypot(after.x_m - before.x_m, after.y_m - before.y_m)
        return away > JITTER_M + IMPOSSIBLE_M_S * (after.stamp_ns - before.stamp_ns) * _S

    def _with_motion(self, pose: Pose) -> Pose:
        if not self._poses:
            return pose
        before = self._poses[-1]
        elapsed_s = (pose.stamp_ns - before.stamp_ns) * _S
        if elapsed_s * 1e9 > self._max_gap_ns:
            return pose
        heading = pose.heading_rad
        forward = (pose.x_m - before.x_m) * math.cos(heading)
        forward += (pose.y_m - before.y_m) * math.sin(heading)
        turn = wrapped(heading - before.heading_rad)
        return dataclasses.replace(
            pose, speed_m_s=forward / elapsed_s, yaw_rate_rad_s=turn / elapsed_s
        )


def _interpolated(before: Pose, after: Pose, stamp_ns: int) -> Pose:
    part = (stamp_ns - before.stamp_ns) / (after.stamp_ns - before.stamp_ns)

    def between(a: float, b: float) -> float:
        return a + part * (b - a)

    turn = wrapped(after.heading_rad - before.heading_rad)
    return Pose(
        stamp_ns,
        between(before.x_m, after.x_m),
        between(before.y_m, after.y_m),
        before.heading_rad + part * turn,
        between(before.speed_m_s, after.speed_m_s),
        between(before.yaw_rate_rad_s, after.yaw_rate_rad_s),
    )


def _extrapolated(pose: Pose, stamp_ns: int) -> Pose:
    """Along the arc of the pose's motion, by its chord."""
    elapsed_s = (stamp_ns - pose.stamp_ns) * _S
    turn = pose.yaw_rate_rad_s * elapsed_s
    way, course = pose.speed_m_s * elapsed_s, pose.heading_rad + 0.5 * turn
    return dataclasses.replace(
        pose,
        stamp_ns=stamp_ns,
        x_m=pose.x_m + way * math.cos(course),
        y_m=pose.y_m + way * math.sin(course),
        heading_rad=pose.heading_rad + turn,
    )
