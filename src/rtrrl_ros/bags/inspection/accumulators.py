"""Statistics of streams whose length nobody knows: each takes a fixed amount of memory."""

import math

import numpy as np

S_NS = 1_000_000_000


class IntervalHistogram:
    """Lengths of time on a logarithmic scale, from a microsecond to eleven days.

    Quantiles are those of the bins, which are 1.2 % wide.

    Attributes
    ----------
    count : intervals added
    longest_s : the longest of them, exact
    """

    _LOW_S, _DECADES, _BINS_PER_DECADE = 1e-6, 12, 200

    def __init__(self) -> None:
        self._bins = np.zeros(self._DECADES * self._BINS_PER_DECADE, dtype=np.int64)
        self.count = 0
        self.longest_s = 0.0

    def _index(self, length_s: float) -> int:
        decades = math.log10(max(length_s, self._LOW_S) / self._LOW_S)
        return min(int(decades * self._BINS_PER_DECADE), len(self._bins) - 1)

    def add(self, length_s: float) -> None:
        self._bins[self._index(length_s)] += 1
        self.count += 1
        self.longest_s = max(self.longest_s, length_s)

    def quantile(self, share: float) -> float:
        """The length in s below which this share of the intervals lies; 0 where there is none."""
        if not self.count:
            return 0.0
        index = int(np.searchsorted(np.cumsum(self._bins), max(share * self.count, 1.0)))
        return self._LOW_S * 10.0 ** ((index + 0.5) / self._BINS_PER_DECADE)

    def above(self, length_s: float) -> int:
        """How many intervals are longer, to the accuracy of a bin."""
        return int(self._bins[self._index(length_s) + 1 :].sum())


class LineFit:
    """Least squares of y on x without keeping the points (updates as Welford's for a variance).

    Attributes
    ----------
    count : points
    first_x, last_x : of the first and the newest point
    """

    def __init__(self) -> None:
        self.count = 0
        self.first_x = self.last_x = 0.0
        self._mean_x = self._mean_y = self._sxx = self._sxy = self._syy = 0.0

    def add(self, x: float, y: float) -> None:
        if not self.count:
            self.first_x = x
        self.last_x = x
        self.count += 1
        dx, dy = x - self._mean_x, y - self._mean_y
        self._mean_x += dx / self.count
        self._mean_y += dy / self.count
        self._sxx += dx * (x - self._mean_x)
        self._sxy += dx * (y - self._mean_y)
        self._syy += dy * (y - self._mean_y)

    @property
    def span(self) -> float:
        """From the first to the newest x."""
        return self.last_x - self.first_x

    @property
    def slope(self) -> float:
        """Change of y per x; 0 where all x are the same."""
        return self._sxy / self._sxx if self._sxx > 0 else 0.0

    @property
    def mean(self) -> float:
        """Mean of y."""
        return self._mean_y

    @property
    def residual_std(self) -> float:
        """How far the points lie from the line, root mean square."""
        if not self.count:
            return 0.0
        return math.sqrt(max(0.0, self._syy - self.slope * self._sxy) / self.count)


class TimeBins:
    """A stretch of log time cut into equal parts; what lies outside counts for the nearest part.

    Parameters
    ----------
    start_ns, end_ns : first and last log time
    count : number of parts
    """

    def __init__(self, start_ns: int, end_ns: int, count: int = 400) -> None:
        self.count = count
        self._start_ns = start_ns
        self._width_ns = max(1, -(-(end_ns - start_ns + 1) // count))

    def index(self, log_ns: int) -> int:
        return min(max((log_ns - self._start_ns) // self._width_ns, 0), self.count - 1)

    @property
    def width_s(self) -> float:
        return self._width_ns / S_NS

    @property
    def centres_s(self) -> np.ndarray:
        """(count,) float64, seconds after the start."""
        return (np.arange(self.count) + 0.5) * self.width_s


class Reservoir:
    """A uniform random sample of a stream of vectors (Algorithm R; Vitter 1985).

    Parameters
    ----------
    size : vectors kept at most
    seed : of what is kept; the same stream and seed give the same sample

    Attributes
    ----------
    seen : vectors offered so far
    """

    def __init__(self, size: int, seed: int) -> None:
        self._size = size
        self._random = np.random.default_rng(seed)
        self.seen = 0
        self._values = np.empty((0, 0))
        self._numbers = np.empty(size, np.int64)

    def add(self, values: np.ndarray) -> None:
        """Offer the next vector (n,) of the stream; n stays the same."""
        if not self.seen:
            self._values = np.empty((self._size, len(values)))
        place = self.seen if self.seen < self._size else int(self._random.integers(self.seen + 1))
        if place < self._size:
            self._values[place], self._numbers[place] = values, self.seen
        self.seen += 1

    def sample(self) -> tuple[np.ndarray, np.ndarray]:
        """(k,) numbers in the stream, ascending from 0, and the (k, n) float64 vectors there."""
        kept = min(self.seen, self._size)
        order = np.argsort(self._numbers[:kept])
        return self._numbers[:kept][order], self._values[:kept][order]
