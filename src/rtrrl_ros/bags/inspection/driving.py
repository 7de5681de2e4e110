"""What was commanded on a topic: steering, speed, who drove, and whether events were there."""

from typing import Any

import numpy as np

from .accumulators import IntervalHistogram

#: radians; what lies beyond is counted in the outermost bins
STEERING_EDGES = np.linspace(-0.8, 0.8, 161)
#: slower than this is standing still, m/s
STANDING_M_S = 0.05
#: A command and an observation further apart in stamp than this do not belong together, in s.
PAIRING_S = 0.05
#: of rtrrl_msgs/Executed
MODES = ('PASSED', 'LIMITED', 'TAKEOVER', 'STOPPED')


class CommandSummary:
    """Commands of one topic, ackermann_msgs/AckermannDriveStamped or rtrrl_msgs/Executed.

    Attributes
    ----------
    count : finite commands
    not_finite : the others
    histogram : (160,) commands by steering angle, edges `STEERING_EDGES`
    standing : commands to stand still
    paired : commands that have a stamp within `PAIRING_S` of the newest observation's
    compared : commands for which there was an observation to compare with
    modes : count for each of `MODES`; empty unless the messages say it
    """

    def __init__(self, topic: str) -> None:
        self.topic = topic
        self.count = self.not_finite = self.standing = self.paired = self.compared = 0
        self.histogram = np.zeros(len(STEERING_EDGES) - 1, dtype=np.int64)
        self.modes: dict[str, int] = {}
        self._sum = self._squares = self._speeds = 0.0
        self._least, self._most = np.inf, -np.inf
        self._distances = IntervalHistogram()

    def add(self, message: Any, stamp_ns: int | None, sensed_ns: int | None) -> None:
        """Take the next command; `sensed_ns`: stamp of the newest observation, if there is one."""
        mode = getattr(message, 'mode', None)
        if mode is not None:
            name = MODES[mode] if mode < len(MODES) else f'mode {mode}'
            self.modes[name] = self.modes.get(name, 0) + 1
        angle, speed = float(message.drive.steering_angle), float(message.drive.speed)
        if not (np.isfinite(angle) and np.isfinite(speed)):
            self.not_finite += 1
            return
        self.count += 1
        index = int(np.searchsorted(STEERING_EDGES, angle, side='right')) - 1
        self.histogram[min(max(index, 0), len(self.histogram) - 1)] += 1
        self._sum += angle
        self._squares += angle * angle
        self._speeds += speed
        self._least, self._most = min(self._least, angle), max(self._most, angle)
        self.standing += abs(speed) < STANDING_M_S
        if stamp_ns is not None and sensed_ns is not None:
            distance_s = abs(stamp_ns - sensed_ns) * 1e-9
            self.compared += 1
            self.paired += distance_s <= PAIRING_S
            self._distances.add(distance_s)

    @property
    def mean_rad(self) -> float:
        return self._sum / self.count if self.count else 0.0

    @property
    def std_rad(self) -> float:
        if not self.count:
            return 0.0
        return float(np.sqrt(max(0.0, self._squares / self.count - self.mean_rad**2)))

    @property
    def mean_speed_m_s(self) -> float:
        return self._speeds / self.count if self.count else 0.0

    @property
    def distance_s(self) -> float:
        """Median distance of a command's stamp from that of the newest observation."""
        return self._distances.quantile(0.5)

    def to_json(self) -> dict[str, Any]:
        document: dict[str, Any] = {
            'count': self.count, 'not_finite': self.not_finite, 'standing': self.standing,
            'mean_speed_m_s': self.mean_speed_m_s,
        }  # fmt: skip
        if self.count:
            document |= {
                'min_rad': self._least, 'max_rad': self._most,
                'mean_rad': self.mean_rad, 'std_rad': self.std_rad,
                'histogram': {
                    'edges_rad': [round(float(edge), 6) for edge in STEERING_EDGES],
                    'counts': self.histogram.tolist(),
                },
            }  # fmt: skip
        if self.compared:
            document['paired_with_sensor'] = self.paired / self.compared
            document['distance_to_sensor_s'] = self.distance_s
        if self.modes:
            document['modes'] = self.modes
        return document
