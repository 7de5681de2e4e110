"""A quota of processor time is recognised by where stalls end, and chance is not taken for one."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

PATH = Path(__file__).parents[2] / 'benchmarks' / 'ros' / 'stalls.py'
MINUTE_S = 60.0


@pytest.fixture(scope='module')
def stalls():
    """The module; scripts are not part of the package."""
    spec = importlib.util.spec_from_file_location('stalls', PATH)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def by_chance(count: int, seed: int) -> list[tuple[float, float]]:
    rng = np.random.default_rng(seed)
    starts_s, lengths_s = rng.uniform(0, MINUTE_S, count), rng.uniform(0.004, 0.02, count)
    return sorted(zip(starts_s.tolist(), lengths_s.tolist(), strict=True))


def ending_at(
    point_s: float, count: int, step_s: float = 0.1, seed: int = 0
) -> list[tuple[float, float]]:
    """Stalls of several lengths that end half a millisecond at most from k steps and the point."""
    rng = np.random.default_rng(seed)
    steps = rng.choice(round(MINUTE_S / step_s), count, replace=False)
    ends_s = steps * step_s + point_s + rng.uniform(-0.0005, 0.0005, count)
    return [(float(end_s - long), float(long)) for end_s, long in zip(
        ends_s, rng.choice([0.0076, 0.0176], count), strict=True)]  # fmt: skip


@pytest.mark.parametrize('point_s', [0.0, 0.0304, 0.0999])
def test_stalls_that_end_with_the_period_are_told_apart(stalls, point_s):
    others, together = by_chance(60, seed=1), ending_at(point_s, 20)
    found = stalls.quota_stalls(sorted(others + together))
    assert set(together) <= set(found)
    assert len(found) <= len(together) + 4  # who happens to end there, too


@pytest.mark.parametrize('seed', range(20))
@pytest.mark.parametrize('count', [0, 1, 4, 30, 300])
def test_chance_is_no_quota(stalls, count, seed):
    assert stalls.quota_stalls(by_chance(count, seed)) == []


@pytest.mark.parametrize('seed', range(5))
def test_a_host_whose_clock_ticks_a_hundred_times_a_second_is_no_quota(stalls, seed):
    assert stalls.quota_stalls(ending_at(0.0044, 200, step_s=0.01, seed=seed)) == []


def test_a_few_together_are_not_enough(stalls):
    assert stalls.quota_stalls(ending_at(0.0304, 7)) == []


def wait_for_sleeps(process: subprocess.Popen, count: int) -> None:
    """Until it has gone to sleep so many times more; importing does so less often."""
    first, give_up_s = None, time.monotonic() + 60.0
    while True:
        assert process.poll() is None and time.monotonic() < give_up_s
        status = Path(f'/proc/{process.pid}/status').read_text().splitlines()
        sleeps = next(int(line.split()[1]) for line in status if line.startswith('voluntary'))
        first = sleeps if first is None else first
        if sleeps - first >= count:
            return
        time.sleep(0.01)


def test_a_core_that_stands_still_is_noticed():
    core = min(os.sched_getaffinity(0))
    with subprocess.Popen([sys.executable, PATH, str(core)], stdout=subprocess.PIPE) as watch:
        try:
            wait_for_sleeps(watch, 100)
            watch.send_signal(signal.SIGSTOP)
            stopped_s = time.monotonic()
            time.sleep(0.05)  # the fault: it stands still for so long
            resumed_s = time.monotonic()
            watch.send_signal(signal.SIGCONT)
            wait_for_sleeps(watch, 2)
        finally:
            watch.terminate()
        found = json.loads(watch.communicate(timeout=60)[0])
    assert any(
        start_s < stopped_s + 0.01 and start_s + length_s > resumed_s - 0.01
        for start_s, length_s in found
    )
