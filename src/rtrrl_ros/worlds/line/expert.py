"""A privileged driver for the line: pure pursuit with a human's reaction time and unsteady hand.

Pure pursuit (Coulter, CMU-RI-TR-92-01) steers along the arc through a point of the line some way
ahead. A person is slower and less steady: the aim is what was seen `reaction_s` ago, and the hand
adds an autocorrelated error (an Ornstein-Uhlenbeck process). With both at 0 the command is a
function of the present state alone, which makes it a good label for cloning.
"""

import collections
import dataclasses
import math

import numpy as np

from ...parameters import Checked, parameter
from ...safety.command import Command
from ..centre_line import wrapped
from .world import LineWorld


@dataclasses.dataclass(frozen=True)
class LineExpertConfig(Checked):
    """How fast, how far-sighted and how steady; the defaults are a steady driver."""

    speed_m_s: float = parameter(1.6, 'speed', unit='m/s', low=0.1, high=5.0)
    lookahead_m: float = parameter(
        0.5, 'distance of the aim from the rear axle', unit='m', low=0.1, high=3.0
    )
    reaction_s: float = parameter(
        0.0, 'from seeing to steering, rounded to decisions', unit='s', low=0.0, high=1.0
    )
    tremor_rad: float = parameter(
        0.0, "standard deviation of the hand's error", unit='rad', low=0.0, high=0.3
    )
    tremor_time_s: float = parameter(
        0.3, "time in which the hand's error is forgotten", unit='s', low=0.01, high=10.0
    )

    @classmethod
    def human(cls, **values: float) -> 'LineExpertConfig':
        """A person with a joystick: some of the error corrected, some of it made."""
        return cls(**{'reaction_s': 0.05, 'tremor_rad': 0.03, **values})


class LineExpert:
    """Drives a `LineWorld`; call `act` once per observation.

    Parameters
    ----------
    world : the world to drive
    config : see `LineExpertConfig`
    seed : of the unsteady hand
    """

    def __init__(
        self, world: LineWorld, config: LineExpertConfig | None = None, seed: int = 0
    ) -> None:
        self.world = world
        self.config = config or LineExpertConfig()
        self._random = np.random.default_rng(seed)
        delay = round(self.config.reaction_s / world.decision_period_s)
        self._seen: collections.deque[float] = collections.deque(maxlen=delay + 1)
        self._tremor = 0.0

    def act(self, stamp_ns: int) -> Command:
        """The command for the newest observation, whose stamp is given."""
        self._seen.append(self.intended_angle())
        steering = self._seen[0] + self._hand()
        most = self.world.config.max_steering_angle_rad
        steering = min(max(steering, -most), most)
        return Command(stamp_ns, steering, self.config.speed_m_s, 0.0)

    def intended_angle(self) -> float:
        """The steering angle in rad that pure pursuit gives right now."""
        world, distance = self.world, self.config.lookahead_m
        x, y, heading = world.car.pose
        aim_x, aim_y = world.centre_line.at(world.projection.arc_m + distance)
        bearing = wrapped(math.atan2(aim_y - y, aim_x - x) - heading)
        # Beyond a right angle the arc through the aim is no use: turn as hard as at a right angle.
        bearing = min(max(bearing, -0.5 * math.pi), 0.5 * math.pi)
        curvature = 2.0 * math.sin(bearing) / math.hypot(aim_x - x, aim_y - y)
        return math.atan(world.config.wheelbase_m * curvature)

    def _hand(self) -> float:
        config = self.config
        kept = math.exp(-self.world.decision_period_s / config.tremor_time_s)
        spread = config.tremor_rad * math.sqrt(1.0 - kept * kept)
        self._tremor = kept * self._tremor + spread * self._random.standard_normal()
        return self._tremor
