"""Gymnasium's spaces as flat float32 vectors and as one action.

Observations: a Box is flattened, a Discrete becomes a one-hot vector, a MultiDiscrete one after the
other, and a Tuple what its parts give. Actions: a Discrete stays, a MultiDiscrete becomes one
choice among all combinations (the last part changes fastest), a Box is reached from [-1, 1].
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import gymnasium
import numpy as np

from .contract import Observation, choice

Flatten = Callable[[Any], Observation]


def flattener(space: gymnasium.Space, kept: Sequence[int] | None = None) -> tuple[int, Flatten]:
    """How to make a vector of a space's values, and the vector's size.

    Parameters
    ----------
    space
        The space of the observations.
    kept
        Indices of the components that are seen; all of them by default.
    """
    size, flatten = _flattener(space)
    if kept is None:
        return size, flatten
    seen = np.array(kept)
    return seen.size, lambda value: flatten(value)[seen]


def _flattener(space: gymnasium.Space) -> tuple[int, Flatten]:
    if isinstance(space, gymnasium.spaces.Box):
        return math.prod(space.shape), _of_box
    if isinstance(space, gymnasium.spaces.Discrete):
        size = int(space.n)
        return size, _one_hot([size], [int(space.start)])
    if isinstance(space, gymnasium.spaces.MultiDiscrete):
        sizes = space.nvec.ravel().tolist()
        return sum(sizes), _one_hot(sizes, space.start.ravel().tolist())
    if isinstance(space, gymnasium.spaces.Tuple):
        parts = [_flattener(part) for part in space.spaces]
        flattens = [flatten for _, flatten in parts]

        def of_parts(value: Any) -> Observation:
            return np.concatenate([f(part) for f, part in zip(flattens, value, strict=True)])

        return sum(size for size, _ in parts), of_parts
    raise TypeError(f'no way to make a vector of {space}')


def _of_box(value: Any) -> Observation:
    return np.array(value, dtype=np.float32).ravel()


def _one_hot(sizes: list[int], starts: list[int]) -> Flatten:
    if len(sizes) == 1:
        rows, start = list(np.eye(sizes[0], dtype=np.float32)), starts[0]
        return lambda value: rows[value - start].copy()
    offsets = np.cumsum([0, *sizes[:-1]]) - np.array(starts)
    total = sum(sizes)

    def of_many(value: Any) -> Observation:
        vector = np.zeros(total, np.float32)
        vector[np.asarray(value).ravel() + offsets] = 1.0
        return vector

    return of_many


def actor(space: gymnasium.Space) -> tuple[bool, int, Callable[[Any], Any]]:
    """Whether actions are discrete, their number or size, and how to make the space's action.

    The conversion raises ValueError for a choice that there is not, and for numbers that are too
    many, too few or not finite. What is beyond -1 and 1 counts as -1 and 1.
    """
    if isinstance(space, gymnasium.spaces.Discrete):
        size, start = int(space.n), int(space.start)
        return True, size, lambda action: choice(action, size) + start
    if isinstance(space, gymnasium.spaces.MultiDiscrete):
        if space.nvec.ndim != 1:
            raise TypeError(f'no way to choose one action of {space}')
        sizes = space.nvec.tolist()
        combinations = [np.array(place) + space.start for place in np.ndindex(*sizes)]
        return (
            True,
            len(combinations),
            lambda action: combinations[choice(action, len(combinations))],
        )
    if isinstance(space, gymnasium.spaces.Box) and space.is_bounded():
        return False, math.prod(space.shape), _scaler(space)
    raise TypeError(f'no way to act in {space}')


def _scaler(space: gymnasium.spaces.Box) -> Callable[[Any], Any]:
    low, high = space.low.ravel().tolist(), space.high.ravel().tolist()
    shape, size = space.shape, len(low)

    def scale(action: Any) -> Any:
        try:
            values = np.asarray(action, dtype=np.float32).ravel().tolist()
        except (TypeError, ValueError):
            values = []
        if len(values) != size or not all(map(math.isfinite, values)):
            raise ValueError(f'{action!r} is not an action of {size} finite numbers')
        scaled = [
            bottom + (min(max(value, -1.0), 1.0) + 1.0) / 2.0 * (top - bottom)
            for value, bottom, top in zip(values, low, high, strict=True)
        ]
        return np.array(scaled, dtype=space.dtype).reshape(shape)

    return scale
