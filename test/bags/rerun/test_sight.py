"""Camera images of a recording are encoded as the graph does."""

import types

import numpy as np
import pytest

from rtrrl_ros.bags.rerun.sight import ImageSight, make_sight
from rtrrl_ros.checkpoint import load_checkpoint
from rtrrl_ros.driving.assembly import load_pipeline


def message(pixels: np.ndarray, **other) -> types.SimpleNamespace:
    height, width, _ = pixels.shape
    fields = {'encoding': 'rgb8', 'width': width, 'height': height, 'step': 3 * width}
    return types.SimpleNamespace(**{**fields, 'data': pixels.reshape(-1), **other})


@pytest.fixture
def pixels() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (96, 96, 3), dtype=np.uint8)


def test_the_same_features_to_the_last_bit(untrained_model, pixels):
    sight = make_sight(load_checkpoint(untrained_model), stamp_offset_s=-0.01)
    assert isinstance(sight, ImageSight) and sight.offset_ns == -10_000_000
    features = sight.feed(message(pixels), 5)
    expected = load_pipeline(untrained_model).observe(pixels)
    assert features is not None and features.tobytes() == expected.tobytes()
    assert sight.remarks() == []


@pytest.mark.parametrize(
    ('fields', 'said'), [({'encoding': 'bayer'}, 'bayer'), ({'height': 99}, 'incomplete')]
)
def test_an_image_that_cannot_be_used_is_remarked(untrained_model, pixels, fields, said):
    sight = make_sight(load_checkpoint(untrained_model))
    assert sight.feed(message(pixels, **fields), 5) is None
    (line,) = sight.remarks()
    assert said in line
