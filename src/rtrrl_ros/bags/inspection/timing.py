"""When the messages of a topic came, and what their stamps say about it."""

from typing import Any

import numpy as np

from .accumulators import S_NS, IntervalHistogram, LineFit, TimeBins

#: A gap is an interval of more than so many medians, and so many interquartile ranges more.
GAP_MEDIANS, GAP_SPREADS = 1.5, 3.0
#: Stamps tell about gaps where at least this share of them is later than the one before.
_ADVANCING = 0.5
#: A clock that runs this much faster or slower than the recorder's is another one: simulated time.
SIMULATED_PPM = 10_000.0
#: A delay this long is no delay: the clocks count from different moments.
OTHER_EPOCH_S = 3600.0
#: seconds and messages that a drift can be told from
_DRIFT_SPAN_S, _DRIFT_COUNT = 5.0, 20


class TopicTiming:
    """Rate, gaps, delays and clock drift of one topic, message by message.

    Parameters
    ----------
    name, kind : of the topic and its messages
    bins : of log time, for `per_bin` and `delay_s`

    Attributes
    ----------
    count, damaged : messages; how many of these could not be deserialised
    lost : messages that were sent and not recorded, where sequence numbers tell; else None
    first_ns, last_ns : log time
    backwards, repeated : stamps that are earlier than the one before, or the same
    per_bin : (bins.count,) messages
    """

    def __init__(self, name: str, kind: str, bins: TimeBins) -> None:
        self.name, self.kind = name, kind
        self._bins = bins
        self.count = self.damaged = self.backwards = self.repeated = 0
        self.lost: int | None = None
        self.first_ns = self.last_ns = 0
        self.per_bin = np.zeros(bins.count, dtype=np.int64)
        self._delay_sums, self._delay_counts = np.zeros((2, bins.count))
        self._by_log, self._by_stamp = IntervalHistogram(), IntervalHistogram()
        self._stamped = 0
        self._first_stamp_ns = self._last_stamp_ns = 0
        self._delay_fit = LineFit()

    def add(self, log_ns: int, stamp_ns: int | None) -> None:
        """Take note of the next message in order of log time; `stamp_ns` None: it has none."""
        if not self.count:
            self.first_ns = log_ns
        elif log_ns > self.last_ns:
            self._by_log.add((log_ns - self.last_ns) / S_NS)
        self.count += 1
        self.last_ns = max(self.last_ns, log_ns)
        self.per_bin[self._bins.index(log_ns)] += 1
        if stamp_ns is not None:
            self._add_stamp(log_ns, stamp_ns)

    def _add_stamp(self, log_ns: int, stamp_ns: int) -> None:
        if not self._stamped:
            self._first_stamp_ns = self._last_stamp_ns = stamp_ns
        else:
            step_ns = stamp_ns - self._last_stamp_ns
            self.backwards += step_ns < 0
            self.repeated += step_ns == 0
            if step_ns > 0:
                self._by_stamp.add(step_ns / S_NS)
        self._stamped += 1
        self._last_stamp_ns = stamp_ns
        delay_s = (log_ns - stamp_ns) / S_NS
        self._delay_fit.add((log_ns - self.first_ns) / S_NS, delay_s)
        index = self._bins.index(log_ns)
        self._delay_sums[index] += delay_s
        self._delay_counts[index] += 1

    @property
    def rate_hz(self) -> float:
        """Messages per second of log time, from the first to the last one."""
        span_ns = self.last_ns - self.first_ns
        return (self.count - 1) * S_NS / span_ns if span_ns > 0 else 0.0

    @property
    def stamp_rate_hz(self) -> float:
        """Messages per second by their stamps; 0 where these do not tell."""
        span_ns = self._last_stamp_ns - self._first_stamp_ns
        return (self._stamped - 1) * S_NS / span_ns if span_ns > 0 else 0.0

    @property
    def _by_time(self) -> tuple[str, IntervalHistogram]:
        """Intervals of the stamps where these advance; else of the log time."""
        if self._by_stamp.count > 0 and self._by_stamp.count >= _ADVANCING * (self.count - 1):
            return 'stamp', self._by_stamp
        return 'log', self._by_log

    @property
    def gap_threshold_s(self) -> float:
        """An interval beyond this is a gap; it follows from how regular the topic is."""
        intervals = self._by_time[1]
        spread_s = intervals.quantile(0.75) - intervals.quantile(0.25)
        return GAP_MEDIANS * intervals.quantile(0.5) + GAP_SPREADS * spread_s

    @property
    def gaps(self) -> int:
        return self._by_time[1].above(self.gap_threshold_s)

    @property
    def longest_gap_s(self) -> float:
        """The longest gap; 0 where there is none."""
        return self._by_time[1].longest_s if self.gaps else 0.0

    @property
    def stamped(self) -> bool:
        """Some messages have a stamp."""
        return self._stamped > 0

    @property
    def drift_ppm(self) -> float | None:
        """How much slower the stamps run than log time, in millionths; None: cannot be told."""
        fit = self._delay_fit
        enough = fit.span >= _DRIFT_SPAN_S and fit.count >= _DRIFT_COUNT
        return 1e6 * fit.slope if enough else None

    @property
    def mean_delay_s(self) -> float:
        """Log time minus stamp, on average."""
        return self._delay_fit.mean

    @property
    def simulated(self) -> bool:
        """The stamps are of a clock that runs at another pace altogether."""
        return abs(self.drift_ppm or 0.0) > SIMULATED_PPM

    @property
    def other_epoch(self) -> bool:
        """The stamps are of a clock that counts from another moment than log time."""
        return self.stamped and abs(self.mean_delay_s) > OTHER_EPOCH_S

    @property
    def delays_s(self) -> np.ndarray:
        """(bins.count,) log time minus stamp, mean of each bin; NaN where there is none."""
        empty = self._delay_counts == 0
        return np.where(empty, np.nan, self._delay_sums / np.where(empty, 1, self._delay_counts))

    def to_json(self) -> dict[str, Any]:
        document: dict[str, Any] = {
            'name': self.name, 'type': self.kind, 'count': self.count, 'rate_hz': self.rate_hz,
            'gaps': self.gaps, 'gaps_by': self._by_time[0],
            'gap_threshold_s': self.gap_threshold_s, 'longest_gap_s': self.longest_gap_s,
            'damaged': self.damaged,
        }  # fmt: skip
        if self.lost is not None:
            document['lost'] = self.lost
        if self.stamped:
            document['stamps'] = {
                'first_ns': self._first_stamp_ns, 'last_ns': self._last_stamp_ns,
                'rate_hz': self.stamp_rate_hz,
                'backwards': self.backwards, 'repeated': self.repeated,
                'mean_delay_s': self.mean_delay_s, 'drift_ppm': self.drift_ppm,
                'jitter_s': self._delay_fit.residual_std,
            }  # fmt: skip
        return document
