"""Any space becomes a vector, any action one choice or numbers from -1 to 1."""

import numpy as np
import pytest
from gymnasium.spaces import Box, Dict, Discrete, MultiDiscrete, Tuple
from hypothesis import given
from hypothesis import strategies as st

from rtrrl_ros.tasks.spaces import actor, flattener


def flat(space, value, kept=None):
    size, flatten = flattener(space, kept)
    vector = flatten(value)
    assert vector.shape == (size,) and vector.dtype == np.float32
    return vector.tolist()


def test_vectors_of_each_kind():
    assert flat(Box(0, 9, (2, 2)), np.array([[1, 2], [3, 4]])) == [1, 2, 3, 4]
    assert flat(Discrete(3), 1) == [0, 1, 0]
    assert flat(Discrete(3, start=5), np.int64(7)) == [0, 0, 1]
    assert flat(MultiDiscrete([2, 3]), [1, 0]) == [0, 1, 1, 0, 0]
    assert flat(MultiDiscrete([2, 3], start=[1, 4]), [2, 5]) == [0, 1, 0, 1, 0]
    assert flat(Tuple((Discrete(2), Box(0, 1, (1,)))), (1, [0.5])) == [0, 1, 0.5]
    assert flat(Box(0, 9, (4,)), [1, 2, 3, 4], kept=(3, 0)) == [4, 1]


def test_a_space_without_a_vector_is_refused():
    with pytest.raises(TypeError, match='no way'):
        flattener(Dict({'a': Discrete(2)}))
    with pytest.raises(TypeError, match='no way'):
        actor(Box(-np.inf, np.inf, (2,)))


@given(sizes=st.lists(st.integers(1, 4), min_size=1, max_size=3))
def test_choices_are_all_combinations_once(sizes):
    space = MultiDiscrete(sizes)
    discrete, count, act = actor(space)
    assert discrete and count == np.prod(sizes)
    chosen = [tuple(act(number)) for number in range(count)]
    assert len(set(chosen)) == count
    assert all(space.contains(act(number).astype(space.dtype)) for number in range(count))


@given(value=st.floats(-3, 3), low=st.floats(-5, 0), width=st.floats(0.5, 9))
def test_minus_one_and_one_are_the_ends_of_the_range(value, low, width):
    space = Box(np.float32(low), np.float32(low + width), (1,))
    _, size, act = actor(space)
    assert size == 1
    assert space.contains(act([value])) or act([value]) == pytest.approx(
        np.clip(act([value]), space.low, space.high), rel=1e-5
    )
    assert act([-1.0]) == pytest.approx(space.low, abs=1e-5)
    assert act([1.0]) == pytest.approx(space.high, abs=1e-5)
    assert act([0.0]) == pytest.approx((space.low + space.high) / 2, abs=1e-5)
