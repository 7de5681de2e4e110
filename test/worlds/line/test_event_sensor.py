"""The pixels against what the models predict: counts, times, rates and time constants."""

import dataclasses
import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from rtrrl_ros.worlds.line.camera import Camera, CameraConfig
from rtrrl_ros.worlds.line.event_sensor import EventSensor, SensorConfig
from rtrrl_ros.worlds.line.floor_map import FloorMap
from rtrrl_ros.worlds.line.pixels import DARK

#: no noise, no mismatch, no limits: the ideal pixel of ESIM
IDEAL = SensorConfig(
    on_threshold=0.25, off_threshold=0.25, threshold_mismatch=0.0, refractory_s=0.0,
    bandwidth_hz=0.0, leak_rate_hz=0.0, shot_noise_rate_hz=0.0,
)  # fmt: skip
CAMERA = CameraConfig(width=64, height=48, focal_length_px=40.0)
PIXELS = CAMERA.width * CAMERA.height
HERE = np.zeros(3)


def floor(luminance, texel=0.005):
    """A floor of 4 m x 4 m around the origin; luminance(x, y) of texel centres."""
    count = round(4.0 / texel)
    centres = -2.0 + texel * (np.arange(count) + 0.5)
    values = luminance(centres[None, :], centres[:, None]) + np.zeros((count, count))
    return FloorMap.of(values.astype(np.float32), (-2.0, -2.0), texel)


def sensor(
    config=IDEAL, luminance=lambda x, y: 1.0, subframes=10, factor=1.0, seed=0, threads=None
):
    """Pixels above a floor at the origin, at rest; a window is 10 ms."""
    camera = Camera(CAMERA, floor(luminance))
    made = EventSensor(
        config,
        camera,
        subframes,
        10_000 // subframes,
        factor,
        np.random.default_rng(seed),
        threads,
    )
    made.reset(HERE, np.random.default_rng(seed + 1))
    return made


def look(made, log_light, start_us=0, pose=HERE):
    """One window in which the log luminance everywhere is raised by this, (subframes,)."""
    return made.expose(np.tile(pose, (made.subframes, 1)), start_us, np.float32(log_light))


def test_threads_change_nothing():
    noisy = SensorConfig(shot_noise_rate_hz=50.0, leak_rate_hz=5.0)
    with ThreadPoolExecutor(2) as threads:
        alone, helped = (
            sensor(noisy, lambda x, y: -1.0 + np.sin(40.0 * x) * np.cos(30.0 * y), threads=given)
            for given in (None, threads)
        )
        for window in range(20):
            pose = np.array([0.02 * window, 0.005 * window, 0.03 * window])
            light = np.linspace(0.0, 0.3, 10)
            ours, theirs = (look(made, light, 10_000 * window, pose) for made in (alone, helped))
            assert len(ours) > 100
            for name in ('t_us', 'x', 'y', 'polarity'):
                assert np.array_equal(getattr(ours, name), getattr(theirs, name)), (window, name)
    assert np.array_equal(alone.filtered, helped.filtered)


@pytest.mark.parametrize('subframes', [5, 10])
def test_a_rise_of_light_gives_contrast_over_threshold_events_at_the_crossings(subframes):
    made = sensor(subframes=subframes)
    events = look(made, np.linspace(0.0, 1.1, subframes + 1)[1:], start_us=5_000)
    assert len(events) == 4 * PIXELS and events.polarity.all()
    times, counts = np.unique(events.t_us - 5_000, return_counts=True)
    # the ramp crosses 0.25, 0.5, 0.75, 1.0 of 1.1
    crossings = {
        int(1e4 * level / 1.1 + rounding)
        for level in (0.25, 0.5, 0.75, 1.0)
        for rounding in (-0.01, 0.01)
    }
    assert set(times.tolist()) <= crossings
    assert counts.sum() == 4 * PIXELS
    assert events.until_us == 15_000


def test_a_fall_gives_off_events_and_the_way_back_on_events():
    made = sensor()
    down, up = look(made, np.full(10, -0.6)), look(made, np.zeros(10), 10_000)
    assert len(down) == 2 * PIXELS and not down.polarity.any()
    # memorised is -0.5; from -0.6 up to 0 that is crossed at -0.25 and 0
    assert len(up) in (PIXELS, 2 * PIXELS) and up.polarity.all()


def test_what_is_below_the_threshold_is_kept_for_later():
    made = sensor()
    assert len(look(made, np.full(10, 0.2))) == 0
    assert len(look(made, np.full(10, 0.4), 10_000)) == PIXELS


def test_on_and_off_thresholds_and_their_factor():
    config = dataclasses.replace(IDEAL, on_threshold=0.2, off_threshold=0.4)
    rise, fall = np.full(10, 0.9), np.full(10, -0.9)
    assert len(look(sensor(config), rise)) == 4 * PIXELS
    assert len(look(sensor(config), fall)) == 2 * PIXELS
    assert len(look(sensor(config, factor=2.0), rise)) == 2 * PIXELS


def test_a_moving_edge_gives_the_events_of_its_contrast():
    """Black to white, log contrast 2.3, passes each pixel once: nine events a pixel at 0.25."""
    made = sensor(luminance=lambda x, y: np.where(x < 0.5, 0.1, 1.0))
    start = np.array([-1.0, 0.0, 0.0])
    made.reset(start, np.random.default_rng(0))
    before = made.camera.picture(start)
    assert before.max() < math.log(0.1) + 1e-4, 'at first the edge is out of sight'
    y, x = [], []
    for window in range(60):  # 1.3 m at 2.2 m/s
        poses = np.zeros((10, 3))
        poses[:, 0] = -1.0 + 1.3 * (window + np.arange(1, 11) / 10.0) / 60.0
        events = made.expose(poses, window * 10_000, np.zeros(10, np.float32))
        assert events.polarity.all()
        x.append(events.x)
        y.append(events.y)
    after = made.camera.picture(np.array([0.3, 0.0, 0.0]))
    assert np.allclose(after, 0.0, atol=1e-4)
    counts = np.zeros((CAMERA.height, CAMERA.width), dtype=int)
    np.add.at(counts, (np.concatenate(y), np.concatenate(x)), 1)
    assert np.all(counts == int(math.log(10.0) / 0.25))


def test_nothing_moves_nothing_is_sent():
    made = sensor(luminance=lambda x, y: 0.5 + 0.4 * np.sin(40.0 * x) * np.cos(30.0 * y))
    assert sum(len(look(made, np.zeros(10), k * 10_000)) for k in range(20)) == 0


def test_mismatch_spreads_the_thresholds():
    config = dataclasses.replace(IDEAL, threshold_mismatch=0.03)
    made = sensor(config)
    events = look(made, np.linspace(0.0, 0.5, 11)[1:])
    first = np.full((CAMERA.height, CAMERA.width), np.inf)
    np.minimum.at(first, (events.y, events.x), events.t_us * 0.5e-4)
    assert first.mean() == pytest.approx(0.25, abs=0.003)
    assert first.std() == pytest.approx(0.03, rel=0.1)
    other = look(sensor(config, seed=5), np.linspace(0.0, 0.5, 11)[1:])
    assert not np.array_equal(events.t_us, other.t_us)


def test_the_refractory_period_keeps_events_of_a_pixel_apart():
    config = dataclasses.replace(IDEAL, refractory_s=0.0017)
    made, times = sensor(config), []
    for window in range(4):
        ramp = 3.0 * (window + np.arange(1, 11) / 10.0)  # 300 / s: a threshold every 0.83 ms
        events = look(made, ramp, window * 10_000)
        times.append(events.t_us[(events.x == 7) & (events.y == 9)])
    gaps = np.diff(np.concatenate(times))
    # after the reset the pixel starts from what it sees then
    assert np.all(np.abs(gaps - (1700 + 833)) <= 2)


def test_a_change_that_comes_back_within_the_refractory_period_is_missed():
    config = dataclasses.replace(IDEAL, refractory_s=0.003)
    pulse = np.array([0.3, 0.9, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3])
    assert len(look(sensor(config), pulse)) == PIXELS
    assert len(look(sensor(), pulse)) > 3 * PIXELS


@pytest.mark.parametrize('subframes', [5, 10])
def test_the_bandwidth_at_white_is_what_was_asked_for(subframes):
    """A step decays with the time constant 1 / (2 pi f); the implicit step makes it longer."""
    config = dataclasses.replace(IDEAL, bandwidth_hz=20.0)
    made = sensor(config, subframes=subframes)
    made.filtered[:] = -0.01  # a small step up to white
    course = []
    for window in range(2):
        look(made, np.zeros(subframes), window * 10_000)
        course.append(-made.filtered[24, 30] / 0.01)
    decay = math.exp(-2.0 * math.pi * 20.0 * 0.01)
    assert course[0] == pytest.approx(decay, rel=0.2)
    assert course[1] == pytest.approx(course[0] ** 2, rel=0.01)


def test_dark_pixels_are_slow():
    rates = {}
    for luminance in (1.0, 0.1):
        made = sensor(dataclasses.replace(IDEAL, bandwidth_hz=5.0), lambda x, y: luminance)  # noqa: B023
        target = made.filtered[24, 30]
        made.filtered[:] -= 0.01
        look(made, np.zeros(10))
        rates[luminance] = -math.log((target - made.filtered[24, 30]) / 0.01)
    assert rates[0.1] / rates[1.0] == pytest.approx((0.1 + DARK) / (1.0 + DARK), rel=0.05)


def test_a_slow_pixel_sends_the_same_events_later():
    quick, slow = sensor(), sensor(dataclasses.replace(IDEAL, bandwidth_hz=50.0))
    step = [np.full(10, 1.1)] * 10
    prompt = [look(quick, light, k * 10_000) for k, light in enumerate(step)]
    late = [look(slow, light, k * 10_000) for k, light in enumerate(step)]
    assert sum(map(len, prompt)) == sum(map(len, late)) == 4 * PIXELS
    assert np.mean(np.concatenate([e.t_us for e in late])) > 1000 + np.mean(prompt[0].t_us)


@pytest.mark.parametrize(('luminance', 'share'), [(0.005, 1.0), (1.0, 0.25)])
def test_shot_noise_comes_at_its_rate_and_less_in_the_light(luminance, share):
    made = sensor(dataclasses.replace(IDEAL, shot_noise_rate_hz=10.0), lambda x, y: luminance)
    batches = [look(made, np.zeros(10), k * 10_000) for k in range(100)]
    expected = 10.0 * share * PIXELS * 1.0
    count = sum(map(len, batches))
    assert count == pytest.approx(expected, abs=5.0 * math.sqrt(expected) + 0.01 * expected)
    on = np.concatenate([events.polarity for events in batches]).mean()
    assert on == pytest.approx(0.5, abs=0.02)
    rows = np.bincount(np.concatenate([events.y for events in batches]), minlength=CAMERA.height)
    assert rows.min() > 0.5 * rows.mean()


def test_leak_gives_on_events_at_its_rate():
    made = sensor(dataclasses.replace(IDEAL, leak_rate_hz=10.0))
    batches = [look(made, np.zeros(10), k * 10_000) for k in range(100)]
    assert sum(map(len, batches)) == pytest.approx(10 * PIXELS, abs=PIXELS)
    assert all(events.polarity.all() for events in batches)


def test_the_same_seed_gives_the_same_bits_and_order():
    def run():
        made = sensor(SensorConfig(), lambda x, y: 0.5 + 0.4 * np.sin(40.0 * x))
        poses = np.zeros((10, 3))
        batches = []
        for window in range(10):
            poses[:, 0] = 0.02 * (window + np.arange(1, 11) / 10.0)
            batches.append(made.expose(poses, window * 10_000, np.zeros(10, np.float32)))
        return batches

    for one, other in zip(run(), run(), strict=True):
        assert len(one) > 0 and np.all(np.diff(one.t_us) >= 0)
        for name in ('t_us', 'x', 'y', 'polarity'):
            assert np.array_equal(getattr(one, name), getattr(other, name))


def test_a_flood_of_events_is_bounded():
    made = sensor(dataclasses.replace(IDEAL, on_threshold=0.02, off_threshold=0.02))
    events = look(made, np.where(np.arange(10) % 2, 3.0, -3.0))
    assert len(events) <= PIXELS * 10 * 8
    assert events.t_us.max() < 10_000
