"""The camera against a ray for every pixel, on floors whose luminance is known."""

import math

import numpy as np
import pytest

from rtrrl_ros.worlds.line.camera import Camera, CameraConfig, floor_rows
from rtrrl_ros.worlds.line.floor_map import FloorMap

CONFIG = CameraConfig()
TEXEL = 0.01


def floor(luminance):
    """A floor of 8 m x 8 m around the origin; luminance(x, y) of texel centres."""
    centres = -4.0 + TEXEL * (np.arange(800) + 0.5)
    values = luminance(centres[None, :], centres[:, None]) + np.zeros((800, 800))
    return FloorMap.of(values.astype(np.float32), (-4.0, -4.0), TEXEL)


def floor_points(config, pose):
    """Where the pixels' rays meet the floor: x and y, (height, width); not a number: nowhere."""
    u, v = np.meshgrid(np.arange(config.width), np.arange(config.height))
    right = (u - 0.5 * (config.width - 1)) / config.focal_length_px
    down = (v - 0.5 * (config.height - 1)) / config.focal_length_px
    sine, cosine = math.sin(config.camera_pitch_rad), math.cos(config.camera_pitch_rad)
    # camera axes in the car's frame (forward, left, up)
    ray = np.stack([cosine - down * sine, -right, -sine - down * cosine])
    reach = np.where(ray[2] < 0.0, config.camera_height_m / np.maximum(-ray[2], 1e-12), np.nan)
    forward, left = config.camera_forward_m + reach * ray[0], reach * ray[1]
    x, y, heading = pose
    return (
        x + forward * math.cos(heading) - left * math.sin(heading),
        y + forward * math.sin(heading) + left * math.cos(heading),
    )


@pytest.mark.parametrize('pitch', [0.5, 0.7, 1.2])
@pytest.mark.parametrize('pose', [(0.0, 0.0, 0.0), (0.3, -0.7, 2.5), (-1.0, 0.4, -1.2)])
def test_every_pixel_sees_where_its_ray_meets_the_floor(pose, pitch):
    """On a floor whose log luminance is linear in x and y, interpolation is exact."""
    config = CameraConfig(camera_pitch_rad=pitch, view_distance_m=2.0)
    ramp = floor(lambda x, y: np.exp(-1.0 + 0.3 * x - 0.2 * y))
    camera = Camera(config, ramp)
    image = camera.picture(np.array(pose))
    x, y = floor_points(config, pose)
    seen = slice(camera.rows.first, None)
    assert np.allclose(image[seen], (-1.0 + 0.3 * x - 0.2 * y)[seen], atol=2e-3)
    assert not image[: camera.rows.first].any()


def test_what_is_left_of_the_car_is_left_in_the_image():
    image = Camera(CONFIG, floor(lambda x, y: np.where(y > 0.0, 0.8, 0.1))).picture(np.zeros(3))
    assert np.exp(image[130, 20]) == pytest.approx(0.8) and np.exp(
        image[130, -20]
    ) == pytest.approx(0.1)


def test_rows_above_the_horizon_see_nothing():
    rows = floor_rows(CameraConfig(camera_pitch_rad=0.2, view_distance_m=3.0))
    horizon = 129.5 - 216.0 * math.tan(0.2)
    assert rows.first > horizon
    assert np.all(np.diff(rows.ahead_m[rows.first :]) < 0.0), 'further down is nearer'
    assert rows.ahead_m[rows.first] - 0.3 < 3.0


def test_the_default_camera_sees_the_line_from_the_bumper_to_a_metre_ahead():
    rows = floor_rows(CONFIG)
    assert rows.first == 0
    assert rows.ahead_m[0] - CONFIG.camera_forward_m > 1.0
    assert rows.ahead_m[-1] - CONFIG.camera_forward_m < 0.1


def test_a_footprint_is_the_area_between_neighbouring_rays():
    x, y = floor_points(CONFIG, (0.0, 0.0, 0.0))
    rows = floor_rows(CONFIG)
    for row in (5, 130, 250):
        area = (x[row - 1, 0] - x[row + 1, 0]) / 2.0 * (y[row, 0] - y[row, 1])
        assert rows.footprint_m[row] ** 2 == pytest.approx(area, rel=0.01)


def test_far_pixels_see_the_mean_of_what_they_cover():
    """Stripes finer than a pixel of the far rows are grey there, and stripes near by."""
    stripes = floor(lambda x, y: np.where(np.floor(x / TEXEL) % 2 == 0, 0.9, 0.1))
    config = CameraConfig(camera_pitch_rad=0.3, view_distance_m=3.0)
    camera = Camera(config, stripes)
    image = np.exp(camera.picture(np.zeros(3)))
    assert camera.level[camera.rows.first] >= 1 and camera.level[-1] == 0
    assert np.allclose(image[camera.rows.first], 0.5, atol=0.02)
    assert np.ptp(image[200:]) > 0.5


def test_a_view_beyond_the_floor_goes_on_as_at_its_edge():
    image = Camera(CONFIG, floor(lambda x, y: 0.5)).picture(np.array([3.9, 3.9, 0.7]))
    assert np.allclose(np.exp(image), 0.5)


def test_levels_are_means_of_four():
    values = np.random.default_rng(0).uniform(0.1, 1.0, (128, 256)).astype(np.float32)
    levels = FloorMap.of(values, (1.0, 2.0), 0.01)
    start, columns, rows = (int(n) for n in levels.levels[1, :3])
    coarse = np.exp(levels.texels[start : start + columns * rows].reshape(rows, columns))
    assert (rows, columns) == (64, 128)
    assert np.allclose(coarse, values.reshape(64, 2, 128, 2).mean(axis=(1, 3)), rtol=1e-5)
    assert levels.levels[1, 3:].tolist() == [1.0, 2.0, 50.0]
