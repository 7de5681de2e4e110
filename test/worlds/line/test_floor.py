"""The floor: the line is where it should be, as wide and as dark; textures and light differ."""

import dataclasses
import math

import numpy as np
import pytest

from rtrrl_ros.worlds.centre_line import CentreLine
from rtrrl_ros.worlds.line.floor import TEXTURES, FloorConfig, make_floor, sunlight

CONFIG = FloorConfig(texel_m=0.005)
BARE = dataclasses.replace(CONFIG, texture_contrast=0.0, shadow_depth=0.0, floor_texture='concrete')


def circle(radius):
    angle = np.arange(0.0, 2.0 * math.pi, 0.01 / radius)
    return CentreLine(radius * np.stack([np.cos(angle), np.sin(angle)], axis=1))


def paint(config=CONFIG, seed=0, light=1.0):
    """Luminance of level 0 and the distance of its texels from the origin, (rows, columns)."""
    floor = make_floor(circle(1.0), config, 0.5, np.random.default_rng(seed), light)
    columns, rows = int(floor.levels[0, 1]), int(floor.levels[0, 2])
    x = floor.levels[0, 3] + config.texel_m * (np.arange(columns) + 0.5)
    y = floor.levels[0, 4] + config.texel_m * (np.arange(rows) + 0.5)
    luminance = np.exp(floor.texels[: rows * columns].reshape(rows, columns))
    return luminance, np.hypot(x[None, :], y[:, None])


def test_the_line_is_a_ring_of_its_width():
    luminance, radius = paint(BARE)
    on, off = np.abs(radius - 1.0) < 0.0170, np.abs(radius - 1.0) > 0.0230
    assert np.allclose(luminance[on], 0.06, rtol=1e-3)
    assert np.allclose(luminance[off], 0.5, rtol=1e-3)
    covered = (0.5 - luminance).sum() / (0.5 - 0.06) * BARE.texel_m**2
    assert covered == pytest.approx(2.0 * math.pi * 0.04, rel=0.002), 'edges cover texels in part'


def test_a_bright_line_on_a_dark_floor():
    config = dataclasses.replace(BARE, floor_reflectance=0.1, line_reflectance=0.8)
    luminance, radius = paint(config)
    assert np.allclose(luminance[np.abs(radius - 1.0) < 0.0170], 0.8, rtol=1e-3)
    assert np.allclose(luminance[np.abs(radius - 1.0) > 0.0230], 0.1, rtol=1e-3)


@pytest.mark.parametrize('texture', TEXTURES)
def test_textures_leave_the_line_the_darkest_thing(texture):
    config = dataclasses.replace(CONFIG, floor_texture=texture)
    luminance, radius = paint(config)
    on, off = np.abs(radius - 1.0) < 0.0175, np.abs(radius - 1.0) > 0.0225
    assert luminance[on].max() < 0.07
    assert np.percentile(luminance[off], 1.0) > 2.0 * luminance[on].max()
    assert 0.05 < luminance[off].std() / luminance[off].mean() < 0.5
    assert np.all(luminance > 0.0) and np.all(np.isfinite(luminance))


def test_textures_differ_and_seeds_too_but_not_the_same_seed():
    pictures = [paint(dataclasses.replace(CONFIG, floor_texture=kind))[0] for kind in TEXTURES]
    pictures.append(paint(seed=1)[0])
    for i, one in enumerate(pictures):
        assert not any(np.array_equal(one, other) for other in pictures[:i])
    assert np.array_equal(paint(seed=1)[0], pictures[-1])


def test_sunlight_is_a_factor_between_1_and_what_was_asked_for():
    dim, bright = paint()[0], paint(light=4.0)[0]
    ratio = bright / dim
    assert 0.99 < ratio.min() and ratio.max() < 4.01
    assert np.mean(ratio < 2.0) > 0.15 and np.mean(ratio > 3.0) > 0.15, 'bands of sun and shade'
    assert (paint(light=0.5)[0] / dim).min() < 0.65


def test_the_sun_has_edges_that_a_pixel_notices():
    x = np.arange(0.0, 4.0, 0.005, dtype=np.float32)
    light = sunlight(x, x, 4.0, np.random.default_rng(0))
    steps = np.abs(np.diff(np.log(light), axis=1))
    assert steps.max() < 0.5, 'a penumbra, no jump'
    assert np.log(light).max() - np.log(light).min() > 1.0
