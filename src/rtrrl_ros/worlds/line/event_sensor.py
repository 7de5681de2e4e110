"""An event camera's pixels: from what they see to the events they send.

After two published models: ESIM (Rebecq, Gehrig, Scaramuzza, CoRL 2018) for the events' times, and
v2e (Hu, Liu, Delbruck, arXiv 2006.07722; constants from its public emulator) for everything that is
not ideal about a pixel. With L the log luminance, C the pixel's thresholds, I = e^L, 1 at white:

- Threshold and time: an event +1 (-1) is sent, and the level M becomes M + C_on (M - C_off),
  whenever the filtered signal P reaches that level, as often as it takes. P is linear in time
  between two sub-frames, so that an event's time is where the line crosses the level (ESIM).
- Mismatch: C differs from pixel to pixel, normally distributed, at least 0.01 (v2e).
- Bandwidth: dP/dt = 2 pi f (I + d) / (1 + d) (L - P), d = 20/255: dark pixels are slow (v2e). v2e
  steps this explicitly; here implicitly, which is stable at any rate.
- Refractory period: after an event a pixel stays in reset, and M becomes P at the end of it.
- Leak: dM/dt = -rate C_on, which gives ON events at that rate (v2e).
- Shot noise: events of either kind at rate (1 - 0.75 I), I at most 1; M becomes P (v2e).
"""

import dataclasses
import itertools
import math
from concurrent.futures import Executor
from typing import NamedTuple

import numpy as np

from ...machine_code import numba
from ...parameters import Checked, parameter
from ...perception.events.contract import EventBatch
from .camera import Camera
from .pixels import DARK, MOST, add_noise, expose

_V2E = 'arXiv 2006.07722'
#: columns of the noise that is drawn: place in the image, time, kind, thinning
_NOISE = 4
#: The image is computed in so many bands of rows, by whoever is free: they send events in very
#: different numbers. It depends on nothing: what comes out is the same everywhere, also in a flood.
BANDS = 8


@dataclasses.dataclass(frozen=True)
class SensorConfig(Checked):
    """The pixels. An event camera's biases set thresholds, bandwidth and refractory period."""

    on_threshold: float = parameter(
        0.25, 'rise of log intensity that makes an ON event', low=0.02, high=2.0, source=_V2E
    )
    off_threshold: float = parameter(
        0.25, 'fall of log intensity that makes an OFF event', low=0.02, high=2.0, source=_V2E
    )
    threshold_mismatch: float = parameter(
        0.03, 'standard deviation of the thresholds over the pixels', low=0.0, high=0.5,
        source=_V2E,
    )  # fmt: skip
    refractory_s: float = parameter(
        0.0005, 'time after an event in which its pixel sends no other', unit='s',
        low=0.0, high=0.1, source=_V2E,
    )  # fmt: skip
    bandwidth_hz: float = parameter(
        1000.0, 'cut-off frequency of a pixel that sees white in normal light; 0: no limit',
        unit='Hz', low=0.0, high=1e5, source=_V2E,
    )  # fmt: skip
    leak_rate_hz: float = parameter(
        0.1, 'ON events of a pixel at rest from leak', unit='Hz', low=0.0, high=10.0, source=_V2E
    )
    shot_noise_rate_hz: float = parameter(
        1.0, 'noise events of a pixel in the dark, of both kinds together', unit='Hz',
        low=0.0, high=100.0, source=_V2E,
    )  # fmt: skip


class _Band(NamedTuple):
    """Rows start ... stop - 1, its number from the top, and where their packed events go."""

    number: int
    start: int
    stop: int
    packed: np.ndarray


class EventSensor:
    """The pixels behind a camera.

    Parameters
    ----------
    subframes, subframe_us : a window of exposure, and the time between two pictures in it
    threshold_factor : on both thresholds
    random : for the mismatch of the thresholds
    threads : one of them helps the caller, who else computes alone. The events are the same

    Attributes
    ----------
    filtered : (height, width) float32, the photoreceptors' log intensity
    """

    def __init__(
        self, config: SensorConfig, camera: Camera, subframes: int, subframe_us: int,
        threshold_factor: float, random: np.random.Generator, threads: Executor | None = None,
    ) -> None:  # fmt: skip
        self.config, self.camera = config, camera
        self.subframes, self.subframe_us = subframes, subframe_us
        shape = camera.config.height, camera.config.width
        self.width, self.height = shape[1], shape[0]
        self._thresholds = np.stack(
            [
                _mismatched(mean * threshold_factor, config.threshold_mismatch, shape, random)
                for mean in (config.on_threshold, config.off_threshold)
            ]
        )
        period_s = subframe_us * 1e-6
        speed = 2.0 * math.pi * config.bandwidth_hz * period_s / (1.0 + DARK)
        self._constants = np.array([
            speed if config.bandwidth_hz > 0.0 else math.inf,
            config.refractory_s / period_s,
            config.leak_rate_hz * period_s * subframes,
            subframe_us,
        ], dtype=np.float32)  # fmt: skip
        self._noise_mean = config.shot_noise_rate_hz * period_s * subframes * shape[0] * shape[1]
        self._bands = self._make_bands(camera.rows.first)
        self._threads = threads
        self.filtered = np.zeros(shape, dtype=np.float32)
        self._memorised = np.zeros(shape, dtype=np.float32)
        self._held = np.zeros(shape, dtype=np.float32)
        self._random = random

    def reset(self, pose: np.ndarray, random: np.random.Generator) -> None:
        """Look at the floor from a pose until nothing changes any more; `random` is for noise."""
        self.filtered[:] = self.camera.picture(pose)
        self._memorised[:] = self.filtered
        self._held[:] = -1.0
        self._random = random

    def expose(self, poses: np.ndarray, start_us: int, flicker: np.ndarray) -> EventBatch:
        """Events of one window.

        Parameters
        ----------
        poses : (subframes, 3), x, y and heading of the rear axle at the end of each sub-frame
        start_us : sensor time of the window's beginning; its events are before its end
        flicker : (subframes,) float32, added to the log luminance
        """
        window_us = self.subframes * self.subframe_us
        noise = self._random.random((self._random.poisson(self._noise_mean), _NOISE))
        counts = self._expose_bands(poses, flicker)
        room = np.empty(sum(counts) + len(noise), dtype=np.uint64)
        parts = [band.packed[:count] for band, count in zip(self._bands, counts, strict=True)]
        np.concatenate(parts, out=room[: sum(counts)])
        count = add_noise(
            self.filtered, self._memorised, self._held, noise.astype(np.float32), self.subframes,
            self._constants, room, sum(counts),
        )  # fmt: skip
        t_us, x, y, polarity = _unpacked(room[:count], window_us)
        return EventBatch(
            t_us + start_us, x, y, polarity, self.width, self.height, start_us + window_us
        )

    def _make_bands(self, first: int) -> list[_Band]:
        """The rows that see the floor, in parts as equal as can be."""
        edges = np.linspace(first, self.height, BANDS + 1).astype(int).tolist()
        # in half of the most events that there can be, and one row in which there are as many
        rows = math.ceil((self.height - first) / BANDS) // 2 + 1
        room = rows * self.width * self.subframes * MOST
        return [
            _Band(number, start, stop, np.empty(room, dtype=np.uint64))
            for number, (start, stop) in enumerate(itertools.pairwise(edges))
        ]

    def _expose_bands(self, poses: np.ndarray, flicker: np.ndarray) -> list[int]:
        """How many events of each band are packed now."""
        counts = [0] * BANDS
        waiting = reversed(self._bands)  # most events are near the car: they are begun first

        def work() -> None:
            camera, floor = self.camera, self.camera.floor
            for band in waiting:
                counts[band.number] = expose(
                    floor.texels, floor.levels, camera.level, camera.geometry, band.start,
                    band.stop, poses, flicker, self._constants, self._thresholds, self.filtered,
                    self._memorised, self._held, band.packed,
                )  # fmt: skip

        helping = None if self._threads is None else self._threads.submit(work)
        work()
        if helping is not None and not helping.cancel():  # it may have been too late to help
            helping.result()
        return counts


def _mismatched(
    mean: float, deviation: float, shape: tuple[int, int], random: np.random.Generator
) -> np.ndarray:
    thresholds = mean + deviation * random.standard_normal(shape, dtype=np.float32)
    return np.maximum(thresholds, np.float32(0.01)).astype(np.float32)


@numba.njit(cache=True)
def _unpacked(
    packed: np.ndarray, window_us: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Sort by time (a counting sort: equal times stay in the order of the rows) and unpack."""
    size = packed.shape[0]
    starts = np.zeros(window_us + 1, dtype=np.int64)
    for i in range(size):
        starts[(packed[i] >> np.uint64(32)) + np.uint64(1)] += 1
    for t in range(window_us):
        starts[t + 1] += starts[t]
    t_us, polarity = np.empty(size, dtype=np.int64), np.empty(size, dtype=np.bool_)
    x, y = np.empty(size, dtype=np.uint16), np.empty(size, dtype=np.uint16)
    for i in range(size):
        event = packed[i]
        time = event >> np.uint64(32)
        at = starts[time]
        starts[time] += 1
        t_us[at] = time
        y[at] = (event >> np.uint64(17)) & np.uint64(0x7FFF)
        x[at] = (event >> np.uint64(1)) & np.uint64(0xFFFF)
        polarity[at] = (event & np.uint64(1)) == 1
    return t_us, x, y, polarity
