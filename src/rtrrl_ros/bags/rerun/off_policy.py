"""A policy that must take the actions that were taken, and knows how likely they were.

An actor that learns from another driver's actions weighs each gradient by

    rho = min(1, pi(a | o) / mu(a | o))

with pi the policy itself and mu the one that drove: what it would hardly have done teaches it
little (Espeholt et al. 2018, arXiv 1802.01561, the clipped weight of V-trace). The critic is not
weighted: it learns what the recorded driving was worth.
"""

import math

import numpy as np

from ...learning.policy import LOG_STD, GaussianPolicy, LearnedGaussianPolicy, Policy


class TakenActions(Policy):
    """Stands in for a policy of continuous actions; `sample` answers what was really done.

    Attributes
    ----------
    taken : (A,) the action that was carried out; None: nobody knows, and nothing is learned
    taken_log_density : ln mu(a) of it; None: as likely as the most likely action of this policy
    mean : (A,) the most likely action for the newest output
    weight : rho of the newest action
    """

    def __init__(self, inner: GaussianPolicy | LearnedGaussianPolicy) -> None:
        super().__init__(inner.head_size, seed=0)
        self._inner, self.effort = inner, inner.effort
        self._noise: np.ndarray | float = 0.0  # what the newest action was off its mean
        self.taken: np.ndarray | None = None
        self.taken_log_density: float | None = None
        self.mean = np.zeros(0, np.float32)
        self.weight = 0.0

    def reset(self) -> None:
        self._noise = 0.0

    def mode(self, out: np.ndarray) -> np.ndarray:
        self.mean = np.asarray(self._inner.mode(out), np.float32)
        self.weight = 0.0
        return self.mean

    def sample(self, out: np.ndarray) -> np.ndarray:
        mean = self.mode(out)
        self.log_prob_gradient = np.zeros(self.head_size, np.float32)
        self.entropy_gradient = np.zeros(self.head_size, np.float32)
        if self.taken is None:
            self._noise = 0.0
            return mean
        away = self.taken.astype(np.float64) - mean
        if isinstance(self._inner, GaussianPolicy):
            std = np.full(len(mean), self.effort * self._inner.innovation_std)
            surprise = (away - self._inner.correlation * self._noise) / std
            gradient = surprise / std
        else:
            log_std = out[len(mean) :] + self._inner.log_std
            inside = (log_std > LOG_STD[0]) & (log_std < LOG_STD[1])
            std = np.exp(log_std.clip(*LOG_STD))
            surprise = away / std
            gradient = np.concatenate((surprise / std, inside * (surprise**2 - 1.0)))
            self.entropy_gradient[len(mean) :] = inside
        self._noise = away
        self.weight = self._rho(surprise, std)
        self.log_prob_gradient[:] = self.weight * gradient
        return self.taken.astype(np.float32)

    def _rho(self, surprise: np.ndarray, std: np.ndarray) -> float:
        behind = log_density(np.zeros_like(surprise), std)
        if self.taken_log_density is not None:
            behind = self.taken_log_density
        return math.exp(min(0.0, log_density(surprise, std) - behind))


def log_density(surprise: np.ndarray, std: np.ndarray) -> float:
    """ln of the density of independent Gaussians, without the constant; surprise in deviations."""
    return float(-0.5 * np.sum(surprise**2) - np.sum(np.log(std)))


def sampled_log_density(policy: Policy, proposed: np.ndarray, taken: np.ndarray) -> float | None:
    """ln mu(taken) of a policy that has just sampled `proposed`, both (A,); None if unknown.

    The policy's conditional mean is the sample less std x its own surprise.
    """
    if not isinstance(policy, GaussianPolicy):
        return None
    std = policy.newest_std
    surprise = (taken.astype(np.float64) - proposed) / std + std * policy.log_prob_gradient
    return log_density(surprise, np.full(len(taken), std))
