"""From poses to the state that a simulated world would tell: errors, progress, laps, crashes."""

import math

import numpy as np

from ..worlds.centre_line import Projection
from ..worlds.contract import StepType, WorldState
from .interventions import InterventionConfig, Interventions
from .laps import LapCounter
from .poses import Pose
from .reference_line import SPACING_M, ReferenceLine

#: further than this from the last pose the car is sought on the whole line
NEAR_M = 8 * SPACING_M


class LineTracker:
    """Follows one car along a reference line.

    A lap begins (FIRST) where the car is put on the line, and ends (LAST) truncated where it
    crosses that place again, or terminated where a person has to step in. After an intervention
    there is no state until the car is back on the line and a person has had it.

    Parameters
    ----------
    reference : the line
    config : when a lap is lost
    closeness_m : lateral error at which the task reward is 0

    The task reward is that of the line world: 100 (1 - |lateral error| / closeness_m) times the
    share of the lap driven since the state before.

    Attributes
    ----------
    counter : laps and how far in the lap
    interventions : `reason` says why there is no lap at the moment
    """

    def __init__(
        self, reference: ReferenceLine, config: InterventionConfig, closeness_m: float = 0.15
    ) -> None:
        self.reference, self._closeness_m = reference, closeness_m
        self.counter = LapCounter(reference.length_m)
        self.interventions = Interventions(config)
        self.lap = 0
        self._running = self._continues = False
        self._place: Projection | None = None
        self._pose: Pose | None = None

    def observe(self, pose: Pose, driven: bool | None = None) -> WorldState | None:
        """The state at the stamp of a pose, later than the one before; None: there is no lap.

        driven : see `Interventions.needed`
        """
        place, before = self._locate(pose), self._place
        self._place, self._pose = place, pose
        heading_error = self.reference.heading_error(place, pose.heading_rad)
        if not self._running:
            continues, self._continues = self._continues, False
            if before is not None and continues:
                self.counter.advance(self._progress(before, place))
            elif self.interventions.may_begin(place.lateral_m, heading_error, driven):
                self.counter.begin()
            else:
                return None
            self._running = True
            return self._state(pose, place, heading_error, StepType.FIRST, False, False, 0.0)
        assert before is not None
        progress = self._progress(before, place)
        terminated = bool(
            self.interventions.needed(
                pose.stamp_ns, place.lateral_m, heading_error, pose.speed_m_s, driven
            )
        )
        complete = self.counter.advance(progress) and not terminated
        last = complete or terminated
        kind = StepType.LAST if last else StepType.MID
        state = self._state(pose, place, heading_error, kind, terminated, complete, progress)
        if last:
            self.lap += 1
            self._running, self._continues = False, complete
        return state

    def _progress(self, before: Projection, after: Projection) -> float:
        return self.reference.line.progress(before.arc_m, after.arc_m)

    def _locate(self, pose: Pose) -> Projection:
        """Near the last place, where that is known; a neighbouring stretch is then not taken."""
        last = self._pose
        if self._place is None or last is None or not (self._running or self._continues):
            return self.reference.find(pose.x_m, pose.y_m, pose.heading_rad)
        if math.hypot(pose.x_m - last.x_m, pose.y_m - last.y_m) > NEAR_M:
            return self.reference.find(pose.x_m, pose.y_m, pose.heading_rad)
        return self.reference.line.project(pose.x_m, pose.y_m, near=self._place.segment)

    def _state(
        self, pose: Pose, place: Projection, heading_error: float, step_type: StepType,
        terminated: bool, truncated: bool, progress_m: float,
    ) -> WorldState:  # fmt: skip
        closeness = 1.0 - abs(place.lateral_m) / self._closeness_m
        return WorldState(
            stamp_ns=pose.stamp_ns,
            lap=self.lap,
            step_type=step_type,
            terminated=terminated,
            truncated=truncated,
            task_reward=_float32(100.0 * closeness * progress_m / self.reference.length_m),
            lateral_error_m=_float32(place.lateral_m),
            heading_error_rad=_float32(heading_error),
            speed_m_s=_float32(pose.speed_m_s),
            progress_m=_float32(progress_m),
        )


def _float32(value: float) -> float:
    return float(np.float32(value))
