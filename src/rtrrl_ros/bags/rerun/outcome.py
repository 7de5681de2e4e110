"""What came of another learner over a recorded drive, in numbers."""

import dataclasses
from typing import Any

import numpy as np

from .calibration import calibration
from .candidate import Candidate

#: numbers kept of every step, NaN where there is none; angles in rad, accelerations in m/s^2
COLUMNS = (
    'stamp_s', 'lap', 'steering', 'executed_steering', 'recorded_steering', 'acceleration',
    'executed_acceleration', 'td_error', 'recorded_td_error', 'value', 'recorded_value', 'weight',
    'drift', 'learned', 'return', 'return_known', 'recorded_return', 'recorded_return_known',
)  # fmt: skip


@dataclasses.dataclass
class WhatIf:
    """What came out.

    Attributes
    ----------
    columns : (T,) float64 by the names of `COLUMNS`; 'recorded_steering' is the mean of the policy
        that drove, without its exploration
    rollbacks : of the candidate
    remarks : what one should know about the numbers, a line each
    """

    candidate: Candidate
    columns: dict[str, np.ndarray]
    rollbacks: int
    remarks: list[str]
    seconds: float

    @property
    def driven_s(self) -> float:
        """Time between the first and the last observation."""
        stamps = self.columns['stamp_s']
        return float(stamps[-1] - stamps[0]) if len(stamps) else 0.0

    def to_json(self) -> dict[str, Any]:
        """The JSON of `rtrrl replay --learner`, without the bag."""
        column, candidate = self.columns, self.candidate
        weights = column['weight'][np.isfinite(column['weight'])]
        reward = candidate.reward
        return {
            'model': str(candidate.checkpoint.path),
            'learner': dataclasses.asdict(candidate.learner),
            'changed': {name: list(pair) for name, pair in candidate.changed.items()},
            'reward': None if reward is None else dataclasses.asdict(reward),
            'steps': len(column['stamp_s']),
            'learned_steps': int(column['learned'].sum()),
            'driven_s': self.driven_s, 'seconds': self.seconds,
            'steering': {
                'candidate_from_executed': disagreement(
                    column['steering'], column['executed_steering']
                ),
                'recorded_policy_from_executed': disagreement(
                    column['recorded_steering'], column['executed_steering']
                ),
                'candidate_from_recorded_policy': disagreement(
                    column['steering'], column['recorded_steering']
                ),
            },
            'acceleration': {
                'candidate_from_executed': disagreement(
                    column['acceleration'], column['executed_acceleration']
                )
            },
            'td_error': {
                'candidate': _errors(column['td_error'], column['lap']),
                'recorded': _errors(column['recorded_td_error'], column['lap']),
            },
            'value': {
                'candidate': self.calibration(''), 'recorded': self.calibration('recorded_')
            },
            'weight': None if not len(weights) else {
                'mean': float(weights.mean()), 'below_half': float((weights < 0.5).mean())
            },
            'drift': float(column['drift'][-1]) if len(column['drift']) else 0.0,
            'rollbacks': self.rollbacks, 'remarks': self.remarks,
        }  # fmt: skip

    def calibration(self, prefix: str) -> dict[str, Any] | None:
        """Of the candidate's values (''), or of the recorded ones ('recorded_')."""
        known = self.columns[f'{prefix}return_known'] > 0.0
        return calibration(
            self.columns[f'{prefix}value'][known], self.columns[f'{prefix}return'][known]
        )


def disagreement(one: np.ndarray, other: np.ndarray) -> dict[str, float] | None:
    """Of two series (T,) in the same unit; None where they have no step in common."""
    away = (one - other)[np.isfinite(one) & np.isfinite(other)]
    if not len(away):
        return None
    return {
        'mean_abs': float(np.abs(away).mean()), 'rms': float(np.sqrt(np.mean(away**2))),
        'p95_abs': float(np.percentile(np.abs(away), 95)), 'bias': float(away.mean()),
    }  # fmt: skip


def _errors(td_errors: np.ndarray, laps: np.ndarray) -> dict[str, Any] | None:
    finite = np.isfinite(td_errors)
    if not finite.any():
        return None

    def numbers(errors: np.ndarray) -> dict[str, float]:
        return {
            'mean': float(errors.mean()), 'mean_abs': float(np.abs(errors).mean()),
            'rms': float(np.sqrt(np.mean(errors**2))),
        }  # fmt: skip

    by_lap = [
        {'lap': int(lap), **numbers(td_errors[finite & (laps == lap)])}
        for lap in np.unique(laps[finite])
    ]
    return {**numbers(td_errors[finite]), 'laps': by_lap}
