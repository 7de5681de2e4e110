"""Laps of a recording: from rewards or world states; else from where the odometry comes back to."""

import math
from typing import Any

from ...driving.laps import LapRecorder
from ...driving.reward_signal import RewardSignal
from ...worlds.contract import StepType
from ..tracks import RESTART_NS
from .accumulators import S_NS

#: The car has come back when it is this near to where it started, after it was as far away.
NEAR_M, FAR_M = 0.5, 1.5
#: and faces within this angle of how it started
_SAME_WAY_RAD = math.radians(60.0)
#: points of the path that are kept for the picture
_POINTS = 4000
#: A car does not go so far from one message to the next: it was put down elsewhere.
_JUMP_M = 1.0


class RewardLaps:
    """Laps as the messages rtrrl_msgs/Reward or rtrrl_msgs/WorldState count them.

    Several runs in one bag may each begin their time anew: the lap that was running ends there,
    unfinished.

    Attributes
    ----------
    recorder : the laps so far, of all runs, and the running one
    """

    def __init__(self) -> None:
        self.recorder = LapRecorder()
        self._newest_ns = -math.inf
        self._broken_off = 0  # steps of unfinished laps of the runs before

    def add(self, message: Any, time_ns: int) -> None:
        """Take the next message.

        One with the same time again, or a little earlier, is ignored; much earlier is a new run.
        """
        if self._newest_ns - time_ns > RESTART_NS:
            self._begin_anew()
        self._newest_ns = max(self._newest_ns, time_ns)
        step = int(message.step_type)
        self.recorder.on_reward(
            RewardSignal(
                time_ns, int(message.lap), StepType(step) if step <= 2 else StepType.MID,
                bool(message.terminated), bool(message.truncated),
                float(getattr(message, 'reward', message.task_reward)),
                float(message.task_reward), float(message.lateral_error_m),
            )
        )  # fmt: skip

    @property
    def unfinished_steps(self) -> int:
        """Steps of laps that the recording does not see the end of."""
        return self._broken_off + self._running_steps

    def _begin_anew(self) -> None:
        self._broken_off += self._running_steps
        laps, self.recorder = self.recorder.laps, LapRecorder()
        self.recorder.laps = laps
        self._newest_ns = -math.inf

    @property
    def _running_steps(self) -> int:
        running = self.recorder.running
        done = self.recorder.laps
        return 0 if done and done[-1] is running else running.steps

    def to_json(self) -> list[dict[str, Any]]:
        laps = [lap.to_json() for lap in self.recorder.laps]
        for lap in laps:
            del lap['rolled_back']  # the guard's to say, and it is not in these messages
        return laps


class Path:
    """The way the odometry tells, and how often it passes its beginning in the same direction.

    A car that is put down elsewhere, as a simulated one for its next lap, begins anew there.

    Attributes
    ----------
    driven_m : length of the way
    laps_s : how long each round took, in s
    """

    def __init__(self) -> None:
        self.driven_m = 0.0
        self.laps_s: list[float] = []
        self._x: list[float] = []
        self._y: list[float] = []
        self._every, self._count = 1, 0
        self._start: tuple[float, float, float] | None = None
        self._newest: tuple[float, float] | None = None
        self._was_far = False
        self._lap_ns = 0

    def add(self, message: Any, time_ns: int) -> None:
        """Take the next nav_msgs/Odometry."""
        position, q = message.pose.pose.position, message.pose.pose.orientation
        x, y = float(position.x), float(position.y)
        heading = math.atan2(2 * (q.w * q.z + q.x * q.y), 1 - 2 * (q.y * q.y + q.z * q.z))
        if not all(map(math.isfinite, (x, y, heading))):
            return
        step_m = math.dist(self._newest, (x, y)) if self._newest is not None else 0.0
        if step_m > _JUMP_M:
            self._start = None
        else:
            self.driven_m += step_m
        self._newest = x, y
        self._keep(x, y)
        if self._start is None:
            self._start, self._lap_ns, self._was_far = (x, y, heading), time_ns, False
            return
        away_m = math.dist(self._start[:2], (x, y))
        turn = abs(math.remainder(heading - self._start[2], 2 * math.pi))
        self._was_far = self._was_far or away_m > FAR_M
        if self._was_far and away_m < NEAR_M and turn < _SAME_WAY_RAD:
            self.laps_s.append((time_ns - self._lap_ns) / S_NS)
            self._was_far, self._lap_ns = False, time_ns

    def _keep(self, x: float, y: float) -> None:
        """Every so-manieth point; every second one of them once there are too many."""
        if self._count % self._every == 0:
            self._x.append(x)
            self._y.append(y)
            if len(self._x) > _POINTS:
                self._x, self._y, self._every = self._x[::2], self._y[::2], 2 * self._every
        self._count += 1

    @property
    def points(self) -> tuple[list[float], list[float]]:
        """The x and the y coordinates in m, thinned out."""
        return self._x, self._y
