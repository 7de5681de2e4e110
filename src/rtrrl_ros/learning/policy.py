"""The Gaussian policy: sample an action, and the gradient of its log-probability."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Sample:
    """A sampled action and d log pi(action) / d mean, both (A,) float32.

    The sample is a constant inside log pi: no gradient flows through it.
    """

    action: np.ndarray
    log_prob_gradient: np.ndarray


class GaussianExploration:
    """a = mean + n, n an autocorrelated Gaussian process of fixed standard deviation.

    n' = rho n + sigma sqrt(1 - rho^2) eps. Given n, the action is Gaussian around mean + rho n, so
    d log pi / d mean = eps / (sigma sqrt(1 - rho^2)) exactly; rho = 0 gives independent samples.
    """

    def __init__(self, size: int, std: float, correlation: float, seed: int) -> None:
        self.correlation = correlation
        self.innovation_std = std * np.sqrt(1.0 - correlation**2)
        self.noise = np.zeros(size)
        self.generator = np.random.default_rng(seed)

    def reset(self) -> None:
        """Start a lap without noise from the lap before."""
        self.noise = np.zeros_like(self.noise)

    def sample(self, mean: np.ndarray) -> Sample:
        """Sample around `mean` (A,)."""
        innovation = self.generator.standard_normal(mean.shape)
        self.noise = self.correlation * self.noise + self.innovation_std * innovation
        return Sample(
            (mean + self.noise).astype(np.float32),
            (innovation / self.innovation_std).astype(np.float32),
        )
