"""Policies: what the head's output means, how an action is sampled, and two gradients of it.

After `sample`, `log_prob_gradient` is d log pi(action) / d out, the action a constant (no gradient
flows through the sample), and `entropy_gradient` is d H(pi) / d out; both (head_size,) float32.
"""

import abc
import math

import numpy as np

from ..errors import UserError
from ..machine_code import numba
from .config import LearnerConfig

#: bounds of the logarithm of a learned standard deviation
LOG_STD = (-4.0, 1.0)


class Policy(abc.ABC):
    """A distribution over actions given the output (head_size,) of a network.

    Attributes
    ----------
    effort : factor on a fixed standard deviation
    """

    head_size: int
    effort: float = 1.0

    def __init__(self, head_size: int, seed: int) -> None:
        self.head_size = head_size
        self.generator = np.random.default_rng(seed)
        self.log_prob_gradient = np.zeros(head_size, np.float32)
        self.entropy_gradient = np.zeros(head_size, np.float32)

    @abc.abstractmethod
    def sample(self, out: np.ndarray) -> np.ndarray | int:
        """An action; the gradients that belong to it follow."""

    @abc.abstractmethod
    def mode(self, out: np.ndarray) -> np.ndarray | int:
        """The most likely action."""

    def reset(self) -> None:
        """Start a sequence."""


class GaussianPolicy(Policy):
    """a = mean + n, n an autocorrelated Gaussian process of fixed standard deviation.

    n' = rho n + sigma sqrt(1 - rho^2) eps. Given n, the action is Gaussian around mean + rho n, so
    d log pi / d mean = eps / (sigma sqrt(1 - rho^2)) exactly; rho = 0 gives independent samples.

    Attributes
    ----------
    innovation_std : sigma sqrt(1 - rho^2) at full effort
    newest_std : the same as the newest action was sampled with
    """

    def __init__(self, action_size: int, std: float, correlation: float, seed: int) -> None:
        super().__init__(action_size, seed)
        self.correlation = correlation
        self.innovation_std = self.newest_std = std * math.sqrt(1.0 - correlation**2)
        self.noise = np.zeros(action_size)

    def reset(self) -> None:
        """Start a lap without noise from the lap before."""
        self.noise = np.zeros_like(self.noise)

    def sample(self, out: np.ndarray) -> np.ndarray:
        innovation = self.generator.standard_normal(self.head_size)
        action = np.empty(self.head_size, np.float32)
        self.newest_std = self.effort * self.innovation_std
        _perturb(
            out, innovation, self.correlation, self.newest_std,
            self.noise, self.log_prob_gradient, action,
        )  # fmt: skip
        return action

    def mode(self, out: np.ndarray) -> np.ndarray:
        return out.astype(np.float32)


@numba.njit(cache=True, error_model='numpy')
def _perturb(
    out: np.ndarray, innovation: np.ndarray, correlation: float, std: float,
    noise: np.ndarray, gradient: np.ndarray, action: np.ndarray,
) -> None:  # fmt: skip
    """One step of the noise: NumPy would take longer to call than to compute it."""
    for i in range(out.size):
        noise[i] = correlation * noise[i] + std * innovation[i]
        gradient[i] = innovation[i] / std
        action[i] = out[i] + noise[i]


class LearnedGaussianPolicy(Policy):
    """a ~ N(mean, exp(s)^2), the network's output being [mean; s - log std], each (A,)."""

    def __init__(self, action_size: int, std: float, seed: int) -> None:
        super().__init__(2 * action_size, seed)
        self.action_size, self.log_std = action_size, math.log(std)

    def sample(self, out: np.ndarray) -> np.ndarray:
        mean, log_std = out[: self.action_size], out[self.action_size :] + self.log_std
        inside = (log_std > LOG_STD[0]) & (log_std < LOG_STD[1])
        std = np.exp(log_std.clip(*LOG_STD))
        noise = self.generator.standard_normal(self.action_size)
        self.log_prob_gradient = np.concatenate((noise / std, inside * (noise**2 - 1.0)))
        self.entropy_gradient[self.action_size :] = inside
        return (mean + std * noise).astype(np.float32)

    def mode(self, out: np.ndarray) -> np.ndarray:
        return out[: self.action_size].astype(np.float32)


class CategoricalPolicy(Policy):
    """One of `actions` choices; the network's output are their logits."""

    def __init__(self, actions: int, seed: int) -> None:
        super().__init__(actions, seed)

    def sample(self, out: np.ndarray) -> int:
        return _draw(out, self.generator.random(), self.log_prob_gradient, self.entropy_gradient)

    def mode(self, out: np.ndarray) -> int:
        return int(out.argmax())


@numba.njit(cache=True)
def _draw(out: np.ndarray, uniform: float, gradient: np.ndarray, entropy: np.ndarray) -> int:
    """Invert the cumulative distribution; softmax' = p (1 - p) and so on, written out."""
    top, total = out.max(), 0.0
    for i in range(out.size):
        gradient[i] = np.exp(out[i] - top)
        total += gradient[i]
    spread = 0.0  # -H
    for i in range(out.size):
        probability = gradient[i] / total
        gradient[i] = -probability
        spread += probability * (out[i] - top - np.log(total))
    action, mass = out.size - 1, 0.0
    for i in range(out.size - 1):
        mass -= gradient[i]
        if uniform < mass:
            action = i
            break
    for i in range(out.size):
        entropy[i] = gradient[i] * (out[i] - top - np.log(total) - spread)
    gradient[action] += 1.0
    return action


def make_policy(config: LearnerConfig, *, discrete: bool, action_size: int, seed: int) -> Policy:
    """The configured policy for this many choices (discrete) or components (continuous)."""
    if discrete:
        return CategoricalPolicy(action_size, seed)
    if config.exploration == 'fixed':
        correlation = config.exploration_correlation
        return GaussianPolicy(action_size, config.exploration_std, correlation, seed)
    if config.exploration_correlation:
        raise UserError("exploration_correlation: only with exploration = 'fixed'")
    return LearnedGaussianPolicy(action_size, config.exploration_std, seed)
