"""The update rule: one call per decision, the same for every caller.

RTRRL (arXiv 2311.04830, algorithm 1) in the order of this package: act first, learn after. With
o' the newest observation, v = V(o) and the action a' for o' already sampled and sent:

    delta  = r + gamma V(o') (1 - terminated) - v
    theta += step(delta, z) - lr beta (theta - theta_pre)      z holds gradients up to o
    z      = gamma lambda z + grad                             grad at o': of log pi(a'), of V(o')
"""

import dataclasses
import math

import torch
from torch import Tensor

from .config import LearnerConfig
from .network import Network
from .optimizers import make_optimizer


class TdLearner:
    """One network under TD(lambda): eligibility trace, optimiser and pull towards its origin."""

    def __init__(self, network: Network, config: LearnerConfig, role: str) -> None:
        self.network = network
        self.decay = config.gamma * (
            config.lambda_actor if role == 'actor' else config.lambda_critic
        )
        self.pull = config.actor_learning_rate * config.drift_penalty if role == 'actor' else 0.0
        self.drift_limit = config.drift_limit if role == 'actor' else math.inf
        self.optimizer = make_optimizer(config, role, network.flat.numel(), network.flat.dtype)
        self.origin = network.flat.clone()
        self.eligibility = torch.zeros_like(network.flat)

    def candidate(self, delta: float) -> Tensor:
        """The parameters (P,) after a step with this TD error; nothing is changed yet."""
        drift = self.network.flat + self.optimizer.step(delta, self.eligibility) - self.origin
        if self.pull:
            drift.mul_(1.0 - self.pull)
        norm = float(torch.linalg.vector_norm(drift))
        if norm > self.drift_limit:
            drift.mul_(self.drift_limit / norm)
        return drift.add_(self.origin)

    def commit(self, candidate: Tensor) -> None:
        """Take the candidate as the new parameters."""
        self.network.flat.copy_(candidate)
        self.network.cell.project()

    def accumulate(self, gradient: Tensor) -> None:
        """z <- gamma lambda z + grad."""
        self.eligibility.mul_(self.decay).add_(gradient)

    def cut(self) -> None:
        """Forget which parameters earned the next TD errors: a new lap, a takeover, a gap."""
        self.eligibility.zero_()

    def drift(self) -> float:
        """||theta - theta_pre||."""
        return float(torch.linalg.vector_norm(self.network.flat - self.origin))


@dataclasses.dataclass(frozen=True)
class Update:
    """What one call of `Rtrrl.learn` did.

    `td_error` is unclipped, 0 where there was no transition; `refused` marks a step with a
    non-finite quantity, after which nothing has changed but the cut eligibility traces.
    """

    value: float
    td_error: float
    updated: bool
    refused: bool


class Rtrrl:
    """Actor and critic, separate recurrent networks, updated in real time.

    `learn` is called once per observation, after the action for it was sampled and the actor
    stepped; the critic is stepped here, since nobody waits for it.
    """

    def __init__(self, actor: Network, critic: Network, config: LearnerConfig) -> None:
        self.config = config
        self.actor = TdLearner(actor, config, 'actor')
        self.critic = TdLearner(critic, config, 'critic')
        self.value = 0.0
        self.connected = False  # is there a transition from the observation before?

    def learn(
        self, x: Tensor, log_prob_gradient: Tensor, *, reward: float, first: bool,
        terminated: bool, executed: bool, train_actor: bool,
    ) -> Update:  # fmt: skip
        """Learn from the transition into the observation `x` (features, (I,)).

        Parameters
        ----------
        log_prob_gradient : d log pi(a') / d mean, the sample a' a constant
        reward : of the transition into x
        first : x starts a lap: no transition
        terminated : no future to bootstrap from
        executed : the action before was really carried out; if not, nothing is learned from it
        train_actor : False in the critic's warm-up
        """
        value = float(self.critic.network.step(x, with_trace=True)[0])
        actor_gradient = self.actor.network.gradient(log_prob_gradient)
        critic_gradient = self.critic.network.gradient(torch.ones(1, dtype=x.dtype))
        delta, updated = 0.0, False
        refused = not _finite(actor_gradient, critic_gradient, value, reward)
        if not refused and self.connected and not first and executed:
            bootstrap = 0.0 if terminated else self.config.gamma * value
            delta = reward + bootstrap - self.value
            clipped = min(max(delta, -self.config.td_error_clip), self.config.td_error_clip)
            updated = self._update(clipped, train_actor)
            refused = not updated
        else:
            self.cut()
        if refused:
            self.cut()
        else:
            self.actor.accumulate(actor_gradient)
            self.critic.accumulate(critic_gradient)
            self.value, self.connected = value, True
        return Update(value, delta, updated, refused)

    def _update(self, delta: float, train_actor: bool) -> bool:
        """Step both networks, or neither (False) if a result is not finite."""
        learners = [self.critic, self.actor] if train_actor else [self.critic]
        candidates = [learner.candidate(delta) for learner in learners]
        if not _finite(*candidates):
            for learner in learners:
                learner.optimizer.reset()
            return False
        for learner, candidate in zip(learners, candidates, strict=True):
            learner.commit(candidate)
        return True

    def cut(self) -> None:
        """Cut both eligibility traces and the link to the observation before."""
        self.actor.cut()
        self.critic.cut()
        self.connected = False


def _finite(*quantities: Tensor | float) -> bool:
    # inf - inf and nan both make the sum non-finite: one reduction instead of one mask each
    return all(math.isfinite(float(torch.as_tensor(quantity).sum())) for quantity in quantities)
