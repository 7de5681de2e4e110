"""When somebody has to step in, and when driving may be judged again."""

import dataclasses
import math

from ..parameters import Checked, parameter

_S = 1e-9


@dataclasses.dataclass(frozen=True)
class InterventionConfig(Checked):
    """The limits beyond which a lap is lost, as those of the line world."""

    off_line_m: float = parameter(
        0.3, 'intervention when the car is further from the line', unit='m', low=0.02, high=5.0
    )
    backwards_angle_rad: float = parameter(
        0.5 * math.pi, 'intervention when the heading error is larger', unit='rad',
        low=0.2, high=math.pi,
    )  # fmt: skip
    stalled_time_s: float = parameter(
        2.0, 'intervention when the car is told to drive and stood still for longer', unit='s',
        low=0.1, high=3600.0,
    )  # fmt: skip
    stalled_speed_m_s: float = parameter(
        0.05, 'slower than this counts as standing still', unit='m/s', low=0.0, high=1.0
    )
    return_lateral_m: float = parameter(
        0.15, 'a lap begins no further from the line than this', unit='m', low=0.01, high=5.0
    )
    return_heading_rad: float = parameter(
        0.8, 'nor at a larger heading error', unit='rad', low=0.05, high=math.pi
    )


class Interventions:
    """Judges states one after the other.

    Attributes
    ----------
    reason : of the newest intervention, one line; '' while all is well
    """

    def __init__(self, config: InterventionConfig) -> None:
        self.config = config
        self.reason = ''
        self._handled = True
        self._standing_since_ns: int | None = None

    def needed(
        self, stamp_ns: int, lateral_m: float, heading_error_rad: float, speed_m_s: float,
        driven: bool | None,
    ) -> str:  # fmt: skip
        """Why this state ends the lap, '' if it does not.

        driven : whether the policy was let drive with a command to move. A car that was told to
            stand has not stalled; None: not known, then no car has
        """
        config = self.config
        if not (driven and abs(speed_m_s) < config.stalled_speed_m_s):
            self._standing_since_ns = None
        elif self._standing_since_ns is None:
            self._standing_since_ns = stamp_ns
        standing = stamp_ns - (self._standing_since_ns or stamp_ns)
        self.reason = ''
        if not abs(lateral_m) <= config.off_line_m:  # also where not a number
            self.reason = f'off the line: {lateral_m:+.2f} m'
        elif abs(heading_error_rad) > config.backwards_angle_rad:
            self.reason = 'facing the wrong way'
        elif standing * _S > config.stalled_time_s:
            self.reason = 'told to drive, but does not move'
        if self.reason:
            self._handled = False
        return self.reason

    def lose(self, reason: str) -> None:
        """Somebody else has seen that a person has to step in."""
        self.reason, self._handled = reason, False

    def may_begin(self, lateral_m: float, heading_error_rad: float, driven: bool | None) -> bool:
        """Whether a lap may begin: the car is on the line again, and a person has had it.

        Until the policy was overruled once (or where that is not known) nobody has stepped in.
        """
        self._handled = self._handled or not driven
        config = self.config
        on_line = abs(lateral_m) <= config.return_lateral_m
        begin = on_line and abs(heading_error_rad) <= config.return_heading_rad and self._handled
        if begin:
            self.reason, self._standing_since_ns = '', None
        return begin
