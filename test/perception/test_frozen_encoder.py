"""The fast forward pass gives the features of the module that was trained."""

import numpy as np
import pytest
import torch

from rtrrl_ros.perception.encoder import Encoder, FrameEncoder
from rtrrl_ros.perception.frozen_encoder import FrozenEncoder


@pytest.mark.parametrize('shape', [(2, 48, 64), (1, 16, 16), (3, 32, 80)])
@pytest.mark.parametrize('middle', [0.0, 0.5])
def test_features_equal_those_of_the_module(shape: tuple[int, int, int], middle: float) -> None:
    torch.manual_seed(1)
    encoder = FrameEncoder(shape, 12, middle).eval()
    frozen = FrozenEncoder(encoder)
    generator = np.random.default_rng(0)
    for scale in (0.0, 0.1, 1.0, 30.0):
        frame = scale * generator.standard_normal(shape, dtype=np.float32)
        features = frozen.encode(frame)
        assert features.dtype == np.float32
        np.testing.assert_allclose(features, encoder.encode(frame), atol=2e-5)


def test_a_frame_leaves_no_trace_in_the_next_one() -> None:
    torch.manual_seed(2)
    frozen = FrozenEncoder(FrameEncoder((2, 32, 32), 8).eval())
    generator = np.random.default_rng(0)
    one, two = generator.standard_normal((2, 2, 32, 32), dtype=np.float32)
    alone, other = frozen.encode(one), frozen.encode(two)
    assert not np.array_equal(alone, other)
    assert np.array_equal(frozen.encode(one), alone)  # bit for bit
    assert np.array_equal(frozen.encode(two), other)  # and what was returned stays as it was


def test_later_training_does_not_reach_it() -> None:
    encoder = Encoder(32, 8).eval()
    frozen, frame = FrozenEncoder(encoder), np.ones((1, 32, 32), np.float32)
    before = frozen.encode(frame)
    with torch.no_grad():
        for weight in encoder.parameters():
            weight.mul_(2.0)
    assert np.array_equal(frozen.encode(frame), before)
