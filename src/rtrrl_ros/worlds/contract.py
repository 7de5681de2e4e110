"""What a world is: it shows an observation, waits for a command, and keeps the score."""

import abc
import dataclasses
import enum

import numpy as np

from ..perception.events.contract import EventBatch
from ..safety.command import Command


class StepType(enum.IntEnum):
    """Place of an observation in its lap, as in dm_env."""

    FIRST = 0
    MID = 1
    LAST = 2


@dataclasses.dataclass(frozen=True)
class WorldState:
    """What is known about the car at one observation, apart from the picture.

    All float fields are float32 values (the message carries float32).

    Attributes
    ----------
    stamp_ns : stamp of the observation, simulated time; strictly increasing over laps
    lap : index of the lap, from 0
    step_type : FIRST (right after a reset; rewards are 0), MID or LAST
    terminated : LAST only: an intervention (off the track, backwards, stalled): no
        future to bootstrap from
    truncated : LAST only: the lap was completed or the time is up: the road goes on
    task_reward : the task's own reward since the previous observation; its sum is the lap's return
    lateral_error_m : distance from the centre line, positive left of it
    heading_error_rad : heading minus the centre line's heading, positive to the left, in [-pi, pi)
    speed_m_s : forward speed
    progress_m : distance along the centre line since the previous observation
    """

    stamp_ns: int
    lap: int
    step_type: StepType
    terminated: bool
    truncated: bool
    task_reward: float
    lateral_error_m: float
    heading_error_rad: float
    speed_m_s: float
    progress_m: float


@dataclasses.dataclass(frozen=True)
class Observation:
    """What the car's camera sensed, and the state of the world behind it.

    A world always shows the same kind: a camera's image, (height, width, 3) uint8 RGB, or the
    events of an event camera since the observation before (none at a reset).
    """

    sensed: np.ndarray | EventBatch
    state: WorldState

    @property
    def image(self) -> np.ndarray:
        """The image; TypeError from a world that shows events."""
        if not isinstance(self.sensed, np.ndarray):
            raise TypeError('this world shows events, not images')
        return self.sensed

    @property
    def events(self) -> EventBatch:
        """The events, of sensor time [last stamp, this stamp); TypeError where it shows images."""
        if not isinstance(self.sensed, EventBatch):
            raise TypeError('this world shows images, not events')
        return self.sensed

    @property
    def stamp_ns(self) -> int:
        return self.state.stamp_ns


class World(abc.ABC):
    """A seeded world in lock-step: the same seed and commands give the same observations.

    A lap starts with `reset(lap)` and ends with an observation whose step type is LAST. The track
    of a lap depends on (seed, lap) alone, never on what was driven before.
    """

    #: simulated time between two observations
    decision_period_s: float

    @abc.abstractmethod
    def reset(self, lap: int) -> Observation:
        """Put the car at the start of the track of this lap; returns the FIRST observation."""

    @abc.abstractmethod
    def step(self, command: Command) -> Observation:
        """Drive one decision period. Raises RuntimeError after LAST until the next `reset`."""

    def close(self) -> None:
        """Release what the world holds; a second call does nothing."""
