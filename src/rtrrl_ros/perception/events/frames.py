"""Event frames: what a network sees of a window of events.

| representation | channels | a pixel holds |
|---|---|---|
| histogram | OFF, ON | how many events of this polarity there were in the window |
| time_surface | OFF, ON | exp(-(end of window - time of the latest event) / tau), over windows |
| edge_map | one | +1 or -1: were there more ON or more OFF events in the window; 0: as many |

Sources: Maqueda et al., CVPR 2018 (histograms of both polarities for steering); Lagorce et al.,
TPAMI 2017 (time surfaces). `frames_reference` is the same in plain NumPy.
"""

import dataclasses
import math

import numpy as np

from ...errors import UserError
from ...machine_code import numba
from ...parameters import Checked, parameter
from .area_average import AreaAverage
from .contract import EventBatch
from .windows import EventWindow

_US_PER_MS = 1000
#: A pixel of the time surface below this is as good as never touched. Left alone it would become
#: a denormal number, which costs a hundred times as much as any other.
_FADED = np.float32(1e-12)
#: A root mean square below this counts as this: what has all but faded must not be blown up.
LEAST_RMS = 1e-3
_CHANNELS = {'histogram': 2, 'time_surface': 2, 'edge_map': 1}


@dataclasses.dataclass(frozen=True)
class FrameConfig(Checked):
    """From the events of a window to a frame: representation, crop, down-scaling, normalisation."""

    representation: str = parameter(
        'histogram', 'what a pixel holds', choices=tuple(_CHANNELS),
        source='Maqueda et al., CVPR 2018; Lagorce et al., TPAMI 2017',
    )  # fmt: skip
    tau_ms: float = parameter(
        20.0, 'time constant of the time surface', unit='ms', low=0.1, high=10000.0,
        source='Lagorce et al., TPAMI 2017',
    )  # fmt: skip
    crop_left: int = parameter(0, 'columns cut off on the left', unit='px', low=0, high=2047)
    crop_top: int = parameter(0, 'rows cut off at the top', unit='px', low=0, high=2047)
    crop_width: int = parameter(0, 'columns kept; 0: the rest', unit='px', low=0, high=2048)
    crop_height: int = parameter(0, 'rows kept; 0: the rest', unit='px', low=0, high=2048)
    columns: int = parameter(
        0, 'width of the frame, averaged over areas; 0: as cropped', unit='px', low=0, high=2048
    )
    rows: int = parameter(
        0, 'height of the frame, averaged over areas; 0: as cropped', unit='px', low=0, high=2048
    )
    normalise: str = parameter(
        'clip', 'none; clip: divide by full_scale and cut off beyond 1; rms: divide by the root '
        'mean square of the frame first', choices=('none', 'clip', 'rms'),
    )  # fmt: skip
    full_scale: float = parameter(
        1.0, 'what becomes 1: events per pixel, or with rms a multiple of the root mean square',
        low=0.0, low_open=True, high=10000.0,
    )  # fmt: skip


@numba.njit(cache=True)
def _histogram(
    x: np.ndarray, y: np.ndarray, polarity: np.ndarray, left: int, top: int, counts: np.ndarray
) -> None:
    width, height = counts.shape[1:]
    for i in range(len(x)):
        column, row = np.int64(x[i]) - left, np.int64(y[i]) - top
        if 0 <= column < width and 0 <= row < height:
            counts[np.int64(polarity[i]), column, row] += np.float32(1.0)


@numba.njit(cache=True)
def _balance(
    x: np.ndarray, y: np.ndarray, polarity: np.ndarray, left: int, top: int, sums: np.ndarray
) -> None:
    width, height = sums.shape[1:]
    for i in range(len(x)):
        column, row = np.int64(x[i]) - left, np.int64(y[i]) - top
        if 0 <= column < width and 0 <= row < height:
            sums[0, column, row] += np.float32(2 * np.int64(polarity[i]) - 1)


@numba.njit(cache=True)
def _fade(pixels: np.ndarray, factor: np.float32) -> None:
    """Multiply all by the factor; what is then below `_FADED` is zero."""
    for i in range(len(pixels)):
        faded = pixels[i] * factor
        pixels[i] = faded if faded >= _FADED else np.float32(0.0)


@numba.njit(cache=True)
def _surface(
    t_us: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    polarity: np.ndarray,
    end_us: int,
    fading: np.ndarray,
    left: int,
    top: int,
    surface: np.ndarray,
) -> None:
    """`fading[k]` is what an event k microseconds before the end of the window is worth."""
    width, height = surface.shape[1:]
    for i in range(len(x)):
        column, row = np.int64(x[i]) - left, np.int64(y[i]) - top
        if 0 <= column < width and 0 <= row < height:
            age = min(max(end_us - t_us[i], 0), len(fading) - 1)
            sign = np.int64(polarity[i])
            # the latest is worth most, in whatever order they come
            surface[sign, column, row] = max(surface[sign, column, row], fading[age])


class FrameBuilder:
    """Makes frames of the windows of one sensor, in order. One thread.

    Everything slow, such as compiling, happens when it is constructed.

    Parameters
    ----------
    config : what to make
    width, height : size of the sensor in pixels
    window_us : length of the windows

    Attributes
    ----------
    shape : (channels, rows, columns) of every frame, float32

    Raises UserError where the crop does not fit the sensor, or the frame would be enlarged.
    """

    def __init__(self, config: FrameConfig, width: int, height: int, window_us: int) -> None:
        self.config = config
        self._left, self._top = config.crop_left, config.crop_top
        crop_width = config.crop_width or width - self._left
        crop_height = config.crop_height or height - self._top
        if min(crop_width, crop_height) < 1 or (
            self._left + crop_width > width or self._top + crop_height > height
        ):
            raise UserError(
                f'a crop of {crop_width} x {crop_height} pixels at ({self._left}, {self._top}) '
                f'does not fit the {width} x {height} sensor: set crop_...'
            )
        rows, columns = config.rows or crop_height, config.columns or crop_width
        if rows > crop_height or columns > crop_width:
            raise UserError(
                f'frames of {columns} x {rows} from {crop_width} x {crop_height} pixels: '
                'set columns and rows to no more than the crop'
            )
        channels = _CHANNELS[config.representation]
        self.shape = channels, rows, columns
        # column by column, as `AreaAverage` wants it
        self._pixels = np.zeros((channels, crop_width, crop_height), dtype=np.float32)
        self._shrink: AreaAverage | None = None
        if (rows, columns) != (crop_height, crop_width):
            self._shrink = AreaAverage(crop_width, crop_height, columns, rows)
        self._tau_us = config.tau_ms * _US_PER_MS
        self._window_us = window_us
        ages_us = np.arange(window_us + 1)
        self._fading = np.exp(-ages_us / self._tau_us).astype(np.float32)
        self._end_us: int | None = None
        for _ in range(2):  # the second time a surface fades
            self.build(EventWindow(0, window_us, [EventBatch.empty(width, height)]))
        self._end_us = None

    def build(self, window: EventWindow) -> np.ndarray:
        """The frame of the next window: `shape`, float32, a new array.

        The same in steps: `begin`, then `add` all of its parts, then `frame`. A driver sends many
        packets to a window, so that most of the work can be done before the last one comes.

        Raises ValueError for a window of another length.
        """
        self.begin(window)
        for part in window.parts:
            self.add(part)
        return self.frame()

    def begin(self, window: EventWindow) -> None:
        """The window is the next one; of its events nothing is asked yet."""
        if window.end_us - window.start_us != self._window_us:
            raise ValueError(f'a window of {window.end_us - window.start_us} us')
        fading = self.config.representation == 'time_surface' and not window.restart
        if fading and self._end_us is not None and window.end_us >= self._end_us:
            factor = math.exp(-(window.end_us - self._end_us) / self._tau_us)
            _fade(self._pixels.reshape(-1), np.float32(factor))
        else:
            self._pixels.fill(0.0)
        self._end_us = window.end_us

    def add(self, events: EventBatch) -> None:
        """Events of the window that was begun; in any order."""
        assert self._end_us is not None
        where = self._left, self._top, self._pixels
        if self.config.representation == 'time_surface':
            _surface(
                events.t_us,
                events.x,
                events.y,
                events.polarity,
                self._end_us,
                self._fading,
                *where,
            )
        elif self.config.representation == 'histogram':
            _histogram(events.x, events.y, events.polarity, *where)
        else:
            _balance(events.x, events.y, events.polarity, *where)

    def frame(self) -> np.ndarray:
        """The frame of the window that was begun, all of whose events have been added."""
        if self.config.representation == 'edge_map':
            np.clip(self._pixels, -1.0, 1.0, out=self._pixels)
        return self._normalised(self._scaled())

    def _scaled(self) -> np.ndarray:
        if self._shrink is None:
            return self._pixels.transpose(0, 2, 1).copy(order='C')
        return self._shrink(self._pixels)

    def _normalised(self, frame: np.ndarray) -> np.ndarray:
        config = self.config
        if config.normalise == 'none':
            return frame
        scale = config.full_scale
        if config.normalise == 'rms':
            scale *= max(float(np.sqrt(np.mean(np.square(frame)))), LEAST_RMS)
        frame *= np.float32(1.0 / scale)
        return np.clip(frame, -1.0, 1.0, out=frame)
