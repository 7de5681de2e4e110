"""From image to features."""

import numpy as np
import pytest
import torch

from rtrrl_ros.errors import UserError
from rtrrl_ros.perception.encoder import Decoder, Encoder
from rtrrl_ros.perception.image import preprocess, shrink


def picture(value: int) -> np.ndarray:
    return np.full((96, 96, 3), value, dtype=np.uint8)


def test_preprocessing_is_grey_area_average_in_unit_range() -> None:
    image = picture(0)
    image[:48] = 255
    small = preprocess(image, 32)
    assert small.shape == (32, 32)
    assert small.dtype == np.float32
    assert small[:16].min() == 1.0
    assert small[16:].max() == 0.0
    assert np.array_equal(shrink(image, 32) * np.float32(1 / 255), small)


def test_one_image_gives_the_features_of_a_batch() -> None:
    torch.manual_seed(0)
    encoder = Encoder(32, 12).eval()
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (3, 96, 96, 3), dtype=np.uint8)
    batch = torch.from_numpy(np.stack([preprocess(image, 32) for image in images]))[:, None]
    with torch.no_grad():
        together = encoder(batch).numpy()
    for image, expected in zip(images, together, strict=True):
        features = encoder.encode(image)
        assert features.shape == (12,)
        assert features.dtype == np.float32
        np.testing.assert_allclose(features, expected, atol=1e-5)


def test_features_have_unit_scale_whatever_the_light() -> None:
    torch.manual_seed(0)
    encoder = Encoder(32, 16).eval()
    for brightness in (1, 60, 255):
        features = encoder.encode(picture(brightness))
        assert abs(float(features.mean())) < 1e-5
        assert float(features.std()) == pytest.approx(1.0, abs=0.05)


def test_the_decoder_returns_an_image_of_the_same_shape() -> None:
    encoder = Encoder(32, 12)
    images = torch.rand(2, 1, 32, 32)
    assert Decoder(encoder)(encoder(images)).shape == images.shape


def test_an_image_size_that_cannot_be_halved_often_enough_is_refused() -> None:
    with pytest.raises(UserError, match='multiples of 16'):
        Encoder(50, 12)
