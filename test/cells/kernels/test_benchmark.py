"""The speed measurement measures what it says."""

import pytest

from rtrrl_ros.cells.kernels.benchmark import measure


@pytest.mark.slow
def test_an_update_takes_longer_than_moving_its_bytes() -> None:
    result = measure('lrcssm', input_size=32, hidden_size=32, steps=2000)
    assert result.steps == 2000
    assert 0 < result.floor.p50_us < result.update.p50_us <= result.update.p99_us
    assert result.update.p99_us <= result.update.p999_us <= result.update.max_us
    parameters = 8 * 32 + 2 * 32 * 32 + 2 * 32 + 33
    trace = 32 * (4 * 32 + 8)
    assert result.bytes == 4 * (2 * (4 * parameters + trace) + parameters)
