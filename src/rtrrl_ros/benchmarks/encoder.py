"""From a camera image to features: what one look of the sensor costs."""

import dataclasses
import time
from collections.abc import Callable

import numpy as np

from ..cells.kernels.benchmark import Times
from ..driving.assembly import load_encoder
from ..resources import find_resource

IMAGE = (96, 96, 3)  # of CarRacing
IMAGES, TURN, WARM_UP = 16, 100, 20


@dataclasses.dataclass(frozen=True)
class EncoderTime:
    """`forward` includes shrinking the image; `model` is the folder of the shipped model."""

    model: str
    image: tuple[int, int, int]
    features: int
    steps: int
    forward: Times


def measure_encoder(
    model: str = 'car-racing-lrcssm', steps: int = 10_000, *,
    on_turn: Callable[[int], None] = lambda done: None,
) -> EncoderTime:  # fmt: skip
    """Time the encoder of a shipped model on `steps` images of noise (its work is always the same).

    on_turn : as in `cells.kernels.benchmark.measure`
    """
    encoder = load_encoder(find_resource('models', model))
    images = np.random.default_rng(0).integers(0, 256, (IMAGES, *IMAGE), np.uint8)
    for k in range(WARM_UP):
        encoder.encode(images[k % IMAGES])
    clock, times = time.perf_counter_ns, np.empty(steps)
    for k in range(steps):
        start = clock()
        encoder.encode(images[k % IMAGES])
        times[k] = clock() - start
        if (k + 1) % TURN == 0 or k + 1 == steps:
            on_turn(k + 1)
    return EncoderTime(model, IMAGE, encoder.latent_size, steps, Times.of(times))
