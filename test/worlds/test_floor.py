from rtrrl_ros.worlds.car_racing import CarRacingConfig
from rtrrl_ros.worlds.floor import measure_bare_loop


def test_both_loops_are_timed_over_more_than_a_lap():
    times = measure_bare_loop('car-racing', decisions=12, config=CarRacingConfig(time_limit_s=0.2))
    assert set(times) == {'stock', 'world'}
    for measured in times.values():
        assert measured.decisions == 12
        assert 0.0 < measured.median_s <= measured.p99_s < 10.0


def test_the_line_has_no_stock_environment():
    times = measure_bare_loop('line', decisions=5)
    assert set(times) == {'world'}
    assert 0.0 < times['world'].median_s < 1.0
