"""From what single event frames show to the state of the car on its line."""

import dataclasses

import numpy as np

from ..parameters import Checked, parameter
from ..worlds.contract import StepType, WorldState
from .interventions import InterventionConfig, Interventions
from .line_sight import LineSighting

_S = 1e-9


@dataclasses.dataclass(frozen=True)
class FrameTrackerConfig(Checked):
    """When the line counts as lost, and what a lap is where nobody knows the way."""

    lost_s: float = parameter(
        0.3, 'intervention when the moving car has not seen the line for longer', unit='s',
        low=0.02, high=10.0,
    )  # fmt: skip
    least_events: int = parameter(
        500, 'a frame with fewer shows a car that stands, and tells nothing', low=0, high=1_000_000
    )
    lap_s: float = parameter(
        20.0, 'a frame alone tells no place: a lap is over after this time', unit='s',
        low=0.1, high=3600.0,
    )  # fmt: skip


class FrameTracker:
    """Judges sightings in the order of their stamps.

    There is no state for a frame that shows no line, except that one which ends the lap because the
    line is lost: its lateral error is that of the last sighting. Progress and speed are unknown
    and 0. The task reward is 100 (1 - |lateral error| / closeness_m) times the share of `lap_s`.

    Attributes
    ----------
    seen, unseen : frames with and without a line, of those that show anything
    """

    def __init__(
        self, config: FrameTrackerConfig, limits: InterventionConfig, closeness_m: float = 0.15
    ) -> None:
        self.config, self._closeness_m = config, closeness_m
        self.interventions = Interventions(limits)
        self.lap = self.seen = self.unseen = 0
        self._running = self._continues = False
        self._begun_ns = self._before_ns = self._seen_ns = 0
        self._lateral_m = self._heading_rad = 0.0

    def observe(
        self, stamp_ns: int, sighting: LineSighting | None, events: int, driven: bool | None = None
    ) -> WorldState | None:
        """The state at the end of a frame with so many events; None: nothing can be told.

        driven : whether the policy was let drive; None: not known
        """
        if events < self.config.least_events:
            self._seen_ns = stamp_ns  # nothing moves: the line is not lost for that
            return None
        if sighting is None:
            self.unseen += 1
            lost = (stamp_ns - self._seen_ns) * _S > self.config.lost_s
            if not (self._running and lost):
                return None
            self.interventions.lose('the line is lost')
            return self._end(stamp_ns, terminated=True)
        self.seen += 1
        self._seen_ns = stamp_ns
        self._lateral_m, self._heading_rad = sighting.lateral_m, sighting.heading_rad
        if not self._running:
            ready = self.interventions.may_begin(self._lateral_m, self._heading_rad, driven)
            if not (self._continues or ready):
                return None
            self._running, self._continues = True, False
            self._begun_ns = self._before_ns = stamp_ns
            return self._state(stamp_ns, StepType.FIRST, False)
        # without a speed nobody can tell a standstill; few events do
        if self.interventions.needed(stamp_ns, self._lateral_m, self._heading_rad, 0.0, None):
            return self._end(stamp_ns, terminated=True)
        if (stamp_ns - self._begun_ns) * _S >= self.config.lap_s:
            return self._end(stamp_ns, terminated=False)
        return self._state(stamp_ns, StepType.MID, False)

    def _end(self, stamp_ns: int, terminated: bool) -> WorldState:
        state = self._state(stamp_ns, StepType.LAST, terminated)
        self.lap += 1
        self._running, self._continues = False, not terminated
        return state

    def _state(self, stamp_ns: int, step_type: StepType, terminated: bool) -> WorldState:
        share = (stamp_ns - self._before_ns) * _S / self.config.lap_s
        self._before_ns = stamp_ns
        closeness = 1.0 - abs(self._lateral_m) / self._closeness_m
        return WorldState(
            stamp_ns=stamp_ns,
            lap=self.lap,
            step_type=step_type,
            terminated=terminated,
            truncated=step_type is StepType.LAST and not terminated,
            task_reward=float(np.float32(100.0 * closeness * share)),
            lateral_error_m=float(np.float32(self._lateral_m)),
            heading_error_rad=float(np.float32(self._heading_rad)),
            speed_m_s=0.0,
            progress_m=0.0,
        )
