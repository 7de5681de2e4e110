"""The age of a sensor's events: never younger for a stall, and no clock that steps changes it."""

import random

import pytest

from rtrrl_ros.perception.events.sensor_clock import (
    DRIFT_PPM,
    JUMP_NS,
    PATIENCE_NS,
    SETTLE_NS,
    SensorClock,
)

MS = 1_000_000
S = 1000 * MS
#: how far an age may be off: what the best batch took, and how seldom there is such a one
GOOD = 2 * MS
HOST_NS = 1_700_000_000 * S


class Rig:
    """A sensor whose batches of a millisecond come after a delay, and a clock that hears them.

    Attributes
    ----------
    now_ns : true time, which is that of the steady clock
    host_ns : ahead of it, of the clock that stamps are of
    zero_us, ppm : sensor time at the true time 0, and how much faster it is
    stamps : of all that were dated
    """

    def __init__(self, ppm: float = 0.0, zero_us: int = 1_000_000) -> None:
        self.clock = SensorClock()
        self.now_ns, self.host_ns = 0, HOST_NS
        self.zero_us, self.ppm = zero_us, ppm
        self.stamps: list[int] = []
        self.anew = 0
        self._random = random.Random(0)

    def sensor_us(self, true_ns: int) -> int:
        return self.zero_us + round(true_ns * (1.0 + 1e-6 * self.ppm)) // 1000

    def hear(self, true_ns: int, restart: bool = False) -> None:
        self.anew += self.clock.hear(self.sensor_us(true_ns), self.now_ns, restart)

    def date(self, true_ns: int) -> int | None:
        """The age of a batch that was heard, checked for what must always hold."""
        host_ns = self.now_ns + self.host_ns
        stamp = self.clock.stamp_ns(self.sensor_us(true_ns), host_ns, self.now_ns)
        if stamp is None:
            return None
        assert stamp <= host_ns  # never in the future
        self.stamps.append(stamp)
        return host_ns - stamp

    def run(self, ns: int, delay_ns: int = 0, step_ns: int = MS) -> list[tuple[int, int]]:
        """Batches that come one by one, some later than others: (age found, true age) of each."""
        begin_ns, found = self.now_ns, []
        for sensed_ns in range(begin_ns, begin_ns + ns, step_ns):
            jitter_ns = int(self._random.expovariate(1 / (0.3 * MS)))
            self.now_ns = max(self.now_ns, sensed_ns + delay_ns + jitter_ns)
            self.hear(sensed_ns)
            age_ns = self.date(sensed_ns)
            self.clock.catch_up()
            if age_ns is not None:
                found.append((age_ns, self.now_ns - sensed_ns))
        return found

    def stall(self, ns: int, at_once: int = 20) -> list[tuple[int, int]]:
        """Nothing is read for so long, then all of it, so many batches in one go."""
        begin_ns, found = self.now_ns, []
        self.now_ns += ns
        waiting = list(range(begin_ns, self.now_ns, MS))
        while waiting:
            taken, waiting = waiting[:at_once], waiting[at_once:]
            for sensed_ns in taken:
                self.now_ns += MS // 50
                self.hear(sensed_ns)
            for sensed_ns in taken:
                self.now_ns += MS // 20
                age_ns = self.date(sensed_ns)
                if age_ns is not None:
                    found.append((age_ns, self.now_ns - sensed_ns))
        self.clock.catch_up()
        return found

    def settle(self) -> None:
        self.run(SETTLE_NS + 100 * MS)
        assert self.clock.settled

    @property
    def monotone(self) -> bool:
        return self.stamps == sorted(self.stamps)


def assert_true(found: list[tuple[int, int]]) -> None:
    assert found
    assert max(abs(age_ns - true_ns) for age_ns, true_ns in found) <= GOOD


def test_the_least_delayed_batch_tells_the_age_of_all() -> None:
    rig = Rig()
    assert_true(rig.run(5 * S))
    assert rig.anew == 0 and rig.monotone


def test_nothing_has_an_age_before_it_can_be_told() -> None:
    rig = Rig()
    assert rig.run(SETTLE_NS - 10 * MS) == []
    assert rig.run(50 * MS) != []


@pytest.mark.parametrize('stall_ns', [50 * MS, 500 * MS, 5 * S])
def test_what_a_stall_kept_back_is_as_old_as_it_is(stall_ns: int) -> None:
    rig = Rig()
    rig.settle()
    found = rig.stall(stall_ns)
    assert_true(found)
    assert found[0][0] >= stall_ns - GOOD
    assert_true(rig.run(1 * S))
    assert rig.anew == 0 and rig.monotone and not rig.clock.late(rig.now_ns)


@pytest.mark.parametrize('before_ns', [0, 3 * MS, 150 * MS])
def test_a_stall_while_the_stream_is_opened_makes_nothing_fresh(before_ns: int) -> None:
    rig = Rig()
    rig.run(before_ns)
    for _ in range(2):
        assert_true([*rig.stall(700 * MS), (0, 0)])  # or none has an age
    assert_true(rig.run(1 * S))
    assert rig.monotone


def test_a_stall_in_the_middle_of_reading_what_has_piled_up() -> None:
    rig = Rig()
    rig.now_ns = 1 * S  # at which the first ones, sensed since 0, are read
    for sensed_ns in range(0, 20 * MS, MS):
        rig.hear(sensed_ns)
    rig.now_ns += 2 * SETTLE_NS
    for sensed_ns in range(20 * MS, 40 * MS, MS):
        rig.hear(sensed_ns)
        assert rig.date(sensed_ns) is None


def test_a_backlog_that_is_read_slowly_is_not_taken_for_settled() -> None:
    rig = Rig()
    for k in range(1000):  # half a second too late, 5 % faster than it comes
        sensed_ns = k * MS
        rig.now_ns = 500 * MS + k * 950_000
        rig.hear(sensed_ns)
        rig.clock.catch_up()
        assert rig.date(sensed_ns) is None


@pytest.mark.parametrize('ppm', [-DRIFT_PPM, -30, 30, DRIFT_PPM])
def test_drift_is_followed_either_way(ppm: int) -> None:
    rig = Rig(ppm)
    rig.settle()
    assert_true(rig.run(2000 * S, step_ns=20 * MS))  # 200 ms of drift
    assert_true(rig.stall(500 * MS))
    assert rig.anew == 0 and rig.monotone


def test_a_delay_that_stays_is_not_forgotten_soon() -> None:
    rig = Rig()
    rig.settle()
    for age_ns, true_ns in rig.run(60 * S, delay_ns=100 * MS):
        assert true_ns - 60 * S * DRIFT_PPM // 1_000_000 - GOOD <= age_ns <= true_ns
    assert rig.monotone


@pytest.mark.parametrize('step_ns', [-3600 * S, -200 * MS, 200 * MS, 3600 * S])
def test_a_step_of_the_host_clock_changes_no_age(step_ns: int) -> None:
    rig = Rig()
    rig.settle()
    rig.host_ns += step_ns
    assert_true(rig.run(50 * MS))
    rig.host_ns -= step_ns // 3
    found = rig.stall(500 * MS)  # and one during a stall
    assert_true(found)
    assert found[0][0] >= 490 * MS
    assert rig.anew == 0


def test_a_host_clock_that_was_set_to_zero_gives_the_least_stamp() -> None:
    rig = Rig()
    rig.settle()
    sensed_ns = rig.now_ns
    rig.now_ns += 500 * MS
    rig.hear(sensed_ns)
    assert rig.clock.stamp_ns(rig.sensor_us(sensed_ns), 100 * MS, rig.now_ns) == 0


@pytest.mark.parametrize('by_s', [-20, 0, 10**9])
def test_a_sensor_whose_time_jumps_begins_anew(by_s: int) -> None:
    rig = Rig(zero_us=1_000_000_000)
    rig.settle()
    rig.run(20 * S, step_ns=5 * MS)
    rig.zero_us += by_s * 1_000_000
    if by_s == 0:
        rig.hear(rig.now_ns, restart=True)
    assert rig.run(100 * MS) == []
    assert rig.anew == 1
    assert_true(rig.run(1 * S))
    assert rig.anew == 1 and rig.monotone


@pytest.mark.parametrize('jump_us', [-3_000_000, 3_000_000])
def test_a_jump_within_a_backlog_makes_nothing_fresh(jump_us: int) -> None:
    rig = Rig(zero_us=10_000_000)
    rig.settle()
    rig.now_ns += 1 * S
    rig.hear(rig.now_ns - 1 * S)  # the first one of the old time
    rig.zero_us += jump_us
    assert [age for age, _ in rig.stall(500 * MS)] == []
    assert_true(rig.run(1 * S))


def test_one_wrong_time_costs_no_more_than_settling() -> None:
    rig = Rig()
    rig.settle()
    rig.hear(rig.now_ns + 3600 * S)
    assert not rig.clock.settled
    rig.run(SETTLE_NS + 100 * MS)
    assert_true(rig.run(100 * MS))
    assert rig.anew == 2


def test_small_slips_of_sensor_time_keep_the_stamps_in_order() -> None:
    rig = Rig()
    rig.settle()
    for k in range(200):
        rig.now_ns += MS
        sensed_ns = rig.now_ns - (JUMP_NS // 2 if k % 3 == 0 else 0)
        rig.hear(sensed_ns)
        assert rig.date(sensed_ns) is not None
    assert rig.anew == 0 and rig.monotone


def test_an_estimate_that_was_far_off_is_not_corrected_in_silence() -> None:
    rig = Rig()
    rig.run(1 * S, delay_ns=300 * MS)  # a network that was slow all the time
    assert rig.clock.settled
    rig.run(100 * MS)
    assert_true(rig.run(1 * S))
    assert rig.anew == 1


def test_what_is_late_for_long_is_told_from_a_stall() -> None:
    rig = Rig()
    rig.settle()
    rig.stall(10 * S)
    rig.run(1 * S)
    rig.now_ns += 10 * S  # nothing moves: there is no event
    rig.run(10 * MS)
    assert not rig.clock.late(rig.now_ns)
    for _ in range(12):  # sensor time is lost, in steps too small to be seen
        rig.zero_us -= 5000
        rig.run(10 * MS)
    assert rig.anew == 0
    rig.run(PATIENCE_NS - 100 * MS)
    assert not rig.clock.late(rig.now_ns)
    found = rig.run(200 * MS)
    assert rig.clock.late(rig.now_ns)
    assert min(age_ns for age_ns, _ in found) >= 55 * MS  # and never fresh by itself
