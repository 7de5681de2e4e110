"""Pictures of event frames, and their statistics."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtrrl_ros.bags.lerobot.pixels import enlarged, enlargement, frames_of, picture
from rtrrl_ros.bags.lerobot.statistics import PictureStatistics, column_statistics

QUANTILES = {'q01': 0.01, 'q10': 0.1, 'q50': 0.5, 'q90': 0.9, 'q99': 0.99}


@settings(max_examples=50, deadline=None)
@given(
    st.integers(0, 2**32 - 1), st.sampled_from([1, 2]), st.integers(1, 20), st.integers(1, 200)
)  # fmt: skip
def test_a_picture_holds_its_frame_to_half_a_level(
    seed: int, channels: int, height: int, width: int
) -> None:
    random = np.random.default_rng(seed)
    frames = random.uniform(-(channels == 1), 1, (2, channels, height, width)).astype(np.float16)
    factor = enlargement(height, width)
    shown = enlarged(picture(frames), factor)
    assert shown.shape == (2, factor * height, factor * width, 3)
    assert shown.shape[1] % 2 == shown.shape[2] % 2 == 0  # as 4:2:0 wants it
    np.testing.assert_allclose(frames_of(shown, factor, channels), frames, atol=0.5 / 255 + 1e-5)


def test_colours_are_those_of_the_polarities() -> None:
    frames = np.zeros((1, 2, 1, 3))
    frames[0, 0, 0, 0] = frames[0, 1, 0, 1] = 1.0
    assert picture(frames)[0, 0].tolist() == [[0, 0, 255], [255, 0, 0], [0, 0, 0]]
    assert picture(np.array([[[[1.0, -1.0, 0.0]]]]))[0, 0].tolist() == [
        [255, 0, 0], [0, 0, 255], [0, 0, 0]
    ]  # fmt: skip


def test_values_beyond_full_colour_are_cut_off() -> None:
    frames = np.array([[[[7.0, -3.0]], [[0.5, 1.5]]]])
    assert picture(frames)[0, 0].tolist() == [[128, 0, 255], [255, 0, 0]]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(1, 256))
def test_statistics_of_pictures_are_exact(seed: int, count: int, levels: int) -> None:
    random = np.random.default_rng(seed)
    pictures = random.integers(0, levels, (count, 5, 7, 3)).astype(np.uint8)
    whole, parts = PictureStatistics(), PictureStatistics()
    whole.add(pictures)
    for one in pictures:
        other = PictureStatistics()
        other.add(one[None])
        parts.merge(other)
    assert whole.statistics() == parts.statistics()
    found = {name: np.ravel(value) for name, value in whole.statistics().items()}
    values = pictures.reshape(-1, 3) / 255
    assert found['count'].tolist() == [count]
    for name, expected in (
        ('min', values.min(0)), ('max', values.max(0)), ('mean', values.mean(0)),
        ('std', values.std(0)),
        *((q, np.quantile(values, p, axis=0, method='inverted_cdf')) for q, p in QUANTILES.items()),
    ):  # fmt: skip
        np.testing.assert_allclose(found[name], expected, atol=1e-9, err_msg=name)


@pytest.mark.parametrize('kind', ['bool', 'int64', 'float32'])
def test_statistics_of_columns(kind: str) -> None:
    values = np.random.default_rng(0).integers(0, 2, (50, 3)).astype(kind)
    found = column_statistics(values)
    assert found['count'] == [50]
    np.testing.assert_allclose(found['mean'], values.mean(0), atol=1e-7)
    for name, quantile in QUANTILES.items():
        np.testing.assert_allclose(found[name], np.quantile(values.astype(float), quantile, axis=0))
    assert np.shape(column_statistics(values[:, 0])['max']) == (1,)
