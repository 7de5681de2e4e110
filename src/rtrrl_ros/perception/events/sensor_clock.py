"""When the events of a live sensor were sensed, by the clock of the host. No ROS.

Sensor time has no known relation to the host's, but no batch can arrive before it was sensed: the
smallest difference between the two that was ever seen is the best estimate of their offset, and
whatever arrives later than that is so much older.
"""

import time

#: The offset may rise this fast: two quartzes, of sensor and host, of 50 parts in a million each.
#: It falls at once. A delay that stays is taken for drift as slowly: 50 ms of it in 500 s.
DRIFT_PPM = 100
#: So long after the last better estimate the offset is believed. It is many batches, of which one
#: is bound to be in time, and what a stall while the stream was opened has piled up has been read.
SETTLE_NS = 200_000_000
#: and so often the source must have had nothing more: a stall within that time does not count
SETTLE_LULLS = 5
#: a better estimate while settling; by less it falls with every quieter moment of the host
BETTER_NS = 1_000_000
#: Sensor time that falls back by more has begun anew, and an offset that falls by more was wrong
#: or sensor time has jumped: nothing is known then. A fifth of the age that the gate puts up with.
JUMP_NS = 10_000_000
#: what is older is late: the gate refuses it, unless told otherwise (max_age_s in config/car.yaml)
LATE_NS = 50_000_000
#: So long may every batch be late. What a stall has piled up is read in less; what is late for
#: longer has slipped in sensor time or is stuck on the way, and cannot be told apart from here.
PATIENCE_NS = 2_000_000_000

_NS_PER_US = 1000


def steady_ns() -> int:
    """The steady clock for `SensorClock`: no NTP sets it or, unlike `time.monotonic`, slews it."""
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC_RAW)


class SensorClock:
    """Tells how old batches are, but for what even the least delayed of them took to arrive.

    What it learns it learns on a steady clock, so that a step of the clock that stamps are of
    changes no age. Until the offset is known, which takes `SETTLE_NS`, there is no age at all,
    rather than one that a stall at the wrong moment has made too small.

    Threading: none. Arguments `now_ns` are readings of `steady_ns`, `until_us` sensor times.

    Attributes
    ----------
    settled : the offset is known
    """

    def __init__(self) -> None:
        self.settled = False
        self._lulls = 0  # times that the source had nothing more
        self._offset_ns: int | None = None  # steady minus sensor time
        self._late_ns: int | None = None  # since when every batch is
        self._heard_ns = 0

    def hear(self, until_us: int, now_ns: int, restart: bool = False) -> bool:
        """Take note of a batch as soon as it has come.

        True: sensor time began anew with it, and the batches heard before have no age any more.
        """
        sample_ns = now_ns - until_us * _NS_PER_US
        anew = self._offset_ns is not None and (restart or self._jumped(until_us, sample_ns))
        if self._offset_ns is None or anew:
            self.settled, self._late_ns = False, None
            self._newest_us, self._offset_ns = until_us, sample_ns
            self._settle(now_ns)
        else:
            risen_ns = self._offset_ns + (now_ns - self._heard_ns) * DRIFT_PPM // 1_000_000
            self._newest_us = max(self._newest_us, until_us)
            self._offset_ns = min(risen_ns, sample_ns)
            if not self.settled and self._offset_ns < self._settling_ns - BETTER_NS:
                self._settle(now_ns)
        self._heard_ns = now_ns
        if not self.settled and self._has_settled(now_ns):
            self.settled = True
            self._dated_offset_ns, self._dated_ns = self._offset_ns, -(1 << 63)
        if sample_ns - self._offset_ns <= LATE_NS:
            self._late_ns = None
        elif self._late_ns is None:
            self._late_ns = now_ns
        return anew

    def catch_up(self) -> None:
        """The source has nothing more at the moment: what comes next has not waited there."""
        self._lulls += 1

    def age_ns(self, until_us: int, now_ns: int) -> int | None:
        """How long ago a batch that was heard was sensed; None: not known.

        Asked in the order in which they were heard. None was sensed before the one before it.
        """
        if not self.settled:
            return None
        assert self._offset_ns is not None
        self._dated_offset_ns = self._offset_ns
        self._dated_ns = max(self._dated_ns, until_us * _NS_PER_US + self._offset_ns)
        return max(0, now_ns - self._dated_ns)

    def stamp_ns(self, until_us: int, host_ns: int, now_ns: int) -> int | None:
        """When that was by the clock that has just read `host_ns`; at least 0, the least stamp."""
        age_ns = self.age_ns(until_us, now_ns)
        return None if age_ns is None else max(0, host_ns - age_ns)

    def late(self, now_ns: int) -> bool:
        """Every batch has been for so long that it is no stall: the stream is to be reopened."""
        return self._late_ns is not None and now_ns - self._late_ns > PATIENCE_NS

    def _settle(self, now_ns: int) -> None:
        """Wait for a better estimate than this one."""
        assert self._offset_ns is not None
        self._settling_ns, self._since_ns, self._lulls = self._offset_ns, now_ns, 0

    def _has_settled(self, now_ns: int) -> bool:
        return self._lulls >= SETTLE_LULLS and now_ns - self._since_ns >= SETTLE_NS

    def _jumped(self, until_us: int, sample_ns: int) -> bool:
        if (self._newest_us - until_us) * _NS_PER_US > JUMP_NS:
            return True
        return self.settled and sample_ns < self._dated_offset_ns - JUMP_NS
