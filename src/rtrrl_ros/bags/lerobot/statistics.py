"""What networks are normalised with: range, mean, deviation and quantiles of each feature.

They are those of all values, quantiles included; nothing is sampled. Those of the video are of the
pictures before they were encoded, 0 to 1.
"""

from typing import Any

import numpy as np

_QUANTILES = (0.01, 0.10, 0.50, 0.90, 0.99)
_NAMES = tuple(f'q{round(100 * quantile):02d}' for quantile in _QUANTILES)
_LEVELS = 256

#: {name of the statistic: nested list}
Statistics = dict[str, Any]


def column_statistics(values: np.ndarray) -> Statistics:
    """Of a column (T,) or of vectors (T, D); a list of 1 or D numbers each."""
    table = values.reshape(len(values), -1).astype(np.float64)
    found = {'min': table.min(0), 'max': table.max(0), 'mean': table.mean(0), 'std': table.std(0)}
    found |= dict(zip(_NAMES, np.quantile(table, _QUANTILES, axis=0), strict=True))
    return {name: value.tolist() for name, value in found.items()} | {'count': [len(table)]}


class PictureStatistics:
    """Counts the levels of colours; more pictures need no more memory."""

    def __init__(self) -> None:
        self._pictures = 0
        self._levels = np.zeros((3, _LEVELS), np.int64)

    def add(self, pictures: np.ndarray) -> None:
        """Take pictures (T, H, W, 3) uint8."""
        self._pictures += len(pictures)
        for colour in range(3):
            self._levels[colour] += np.bincount(pictures[..., colour].ravel(), minlength=_LEVELS)

    def merge(self, other: 'PictureStatistics') -> None:
        """Take all that another has seen."""
        self._pictures += other._pictures
        self._levels += other._levels

    def statistics(self) -> Statistics:
        """Of each colour, (3, 1, 1) as nested lists; something must have been seen."""
        values = np.arange(_LEVELS) / (_LEVELS - 1)
        share = self._levels / self._levels.sum(1, keepdims=True)
        below, mean = np.cumsum(self._levels, axis=1), share @ values
        found = {
            'min': values[(below > 0).argmax(1)],
            'max': values[_LEVELS - 1 - (self._levels[:, ::-1] > 0).argmax(1)],
            'mean': mean,
            'std': np.sqrt(np.maximum(share @ values**2 - mean**2, 0.0)),
        }
        for name, quantile in zip(_NAMES, _QUANTILES, strict=True):
            found[name] = values[(below >= quantile * below[:, -1:]).argmax(1)]
        lists = {name: value.reshape(3, 1, 1).tolist() for name, value in found.items()}
        return lists | {'count': [self._pictures]}
