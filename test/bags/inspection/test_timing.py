"""Rates, gaps and clocks of a topic."""

import numpy as np
import pytest

from rtrrl_ros.bags.inspection.accumulators import TimeBins
from rtrrl_ros.bags.inspection.timing import TopicTiming

MS = 1_000_000
START = 10**18


def timing_of(logs: list[int], stamps: list[int | None]) -> TopicTiming:
    timing = TopicTiming('/x', 'a/msg/B', TimeBins(logs[0], logs[-1]))
    for log, stamp in zip(logs, stamps, strict=True):
        timing.add(log, stamp)
    return timing


def regular(count: int, period: int = 10 * MS) -> list[int]:
    return [START + k * period for k in range(count)]


def test_a_regular_topic_has_its_rate_and_no_gap() -> None:
    logs = regular(501)
    timing = timing_of(logs, [None] * 501)
    assert timing.rate_hz == pytest.approx(100.0)
    assert timing.gaps == 0 and timing.longest_gap_s == 0.0
    assert timing.drift_ppm is None and not timing.stamped


@pytest.mark.parametrize('jitter_ms', [0.0, 0.3])
def test_each_missing_message_of_a_regular_topic_is_a_gap(jitter_ms: float) -> None:
    random = np.random.default_rng(0)
    stamps = [s + int(jitter_ms * MS * random.normal()) for s in regular(500)]
    for missing in (400, 250, 100):
        del stamps[missing]
    del stamps[150:160]
    timing = timing_of(stamps, stamps)  # type: ignore[arg-type]
    assert timing.gaps == 4
    assert timing.longest_gap_s == pytest.approx(0.11, abs=0.003)


def test_irregular_arrival_of_regular_stamps_is_no_gap() -> None:
    random = np.random.default_rng(1)
    stamps = regular(500)
    logs = np.sort(np.array(stamps) + random.exponential(15.0 * MS, 500).astype(int)).tolist()
    timing = timing_of(logs, stamps)  # type: ignore[arg-type]
    assert timing.gaps == 0
    assert timing.to_json()['gaps_by'] == 'stamp'


def test_stamps_that_stand_still_do_not_hide_a_gap_in_log_time() -> None:
    logs = [log for log in regular(300) if not START + 500 * MS <= log < START + 900 * MS]
    for stamps in ([None] * len(logs), [START] * len(logs)):
        timing = timing_of(logs, stamps)  # type: ignore[arg-type]
        assert timing.gaps == 1
        assert timing.longest_gap_s == pytest.approx(0.41, abs=0.001)
        assert timing.to_json()['gaps_by'] == 'log'


def test_stamps_that_go_back_or_repeat_are_counted() -> None:
    stamps = regular(100)
    stamps[50], stamps[70] = stamps[10], stamps[69]
    timing = timing_of(regular(100), stamps)  # type: ignore[arg-type]
    assert timing.backwards == 1 and timing.repeated == 1


@pytest.mark.parametrize('ppm', [-80.0, 0.0, 50.0])
def test_the_drift_of_a_clock_is_found_under_jitter(ppm: float) -> None:
    random = np.random.default_rng(2)
    stamps = regular(6000)
    logs = [s + round((s - START) * ppm * 1e-6) + int(random.exponential(0.5 * MS)) for s in stamps]
    timing = timing_of(sorted(logs), stamps)  # type: ignore[arg-type]
    assert timing.drift_ppm == pytest.approx(ppm, abs=2.0)
    assert not timing.simulated


def test_simulated_time_is_told_from_drift() -> None:
    stamps = [k * 10 * MS + 1 for k in range(600)]
    logs = [START + 3 * stamp for stamp in stamps]
    timing = timing_of(logs, stamps)  # type: ignore[arg-type]
    assert timing.simulated
    assert timing.drift_ppm == pytest.approx(1e6 * 2 / 3, rel=1e-6)


def test_one_message_has_no_rate() -> None:
    timing = timing_of([START], [START])
    assert timing.rate_hz == 0.0 and timing.gaps == 0 and timing.drift_ppm is None
