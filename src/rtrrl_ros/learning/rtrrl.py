"""The update rule: `act`, then `learn`, once per observation, the same for every caller.

RTRRL (arXiv 2311.04830, algorithm 1) in the order of this package: act first, learn after. With
o' the newest observation, v = V(o) and the action a' for o' already sampled and sent:

    delta  = r - rbar + gamma V(o') (1 - terminated) - v
    theta += step(delta z + eta_H grad H(pi)) - lr beta (theta - theta_pre)
    z      = gamma lambda z + grad              z held gradients up to o; now that at o' comes in:
                                                of eta_A I log pi(a') for the actor, of V(o')
    rbar  += eta_r delta                        I is gamma^t, or 1 throughout
"""

import math
from typing import NamedTuple

import numpy as np

from .config import LearnerConfig
from .policy import Policy
from .td_network import TdNetwork


class Update(NamedTuple):
    """What one call of `Rtrrl.learn` did.

    `td_error` is unclipped, 0 where there was no transition; `refused` marks a step with a
    non-finite quantity, from which nothing was learned.
    """

    value: float
    td_error: float
    updated: bool
    refused: bool


class Rtrrl:
    """Actor and critic, separate recurrent networks or one with both heads, updated in real time.

    A separate critic is stepped in `learn`, when the action is on its way.

    Parameters
    ----------
    actor : gives the policy's output; without a critic also, as its last output, the value
    critic : gives the value, or None
    """

    def __init__(
        self, actor: TdNetwork, critic: TdNetwork | None, policy: Policy, config: LearnerConfig
    ) -> None:
        self.config, self.actor, self.critic, self.policy = config, actor, critic, policy
        self.value = 0.0
        self.average_reward = 0.0
        self.connected = False  # is there a transition from the observation before?
        self._discount = 1.0  # I
        self._size = policy.head_size
        shared = critic is None
        self._d_out = np.zeros(self._size + shared, np.float32)
        self._d_action = self._d_out[: self._size]
        self._bonus = np.zeros(self._size + shared, np.float32)
        self._one = np.ones(1, np.float32)

    def act(
        self, x: np.ndarray, explore: bool = True, with_trace: bool = True
    ) -> np.ndarray | int | None:
        """The action for the newest input (I,), which must be finite; None if none is.

        Parameters
        ----------
        explore : sample it; otherwise the most likely one
        with_trace : False if `learn` will not follow
        """
        self._x = x
        self._out = self.actor.step(x, with_trace)
        if not self.actor.finite:
            return None
        head = self._out[: self._size]
        return self.policy.sample(head) if explore else self.policy.mode(head)

    @property
    def head(self) -> np.ndarray:
        """The newest output that the policy was given (head_size,)."""
        return self._out[: self._size]

    def learn(
        self, *, reward: float, first: bool, terminated: bool, executed: bool, train_actor: bool
    ) -> Update:
        """Learn from the transition into the observation just acted on.

        Parameters
        ----------
        reward : of that transition
        first : it starts an episode: no transition
        terminated : no future to bootstrap from
        executed : the action before was really carried out; if not, nothing is learned from it
        train_actor : False in the critic's warm-up
        """
        value = float(self._out[-1] if self.critic is None else self.critic.step(self._x)[0])
        finite = math.isfinite(reward) and self.actor.finite and math.isfinite(value)
        delta, step = 0.0, None
        if finite and self.connected and not first and executed:
            bootstrap = 0.0 if terminated else self.config.gamma * value
            delta = reward - self.average_reward + bootstrap - self.value
            step = min(max(delta, -self.config.td_error_clip), self.config.td_error_clip)
        elif finite:
            self.cut()
        if not finite or not self._learn(step, first, train_actor):
            self.connected = False
            if self.critic is not None and not self.critic.finite:
                self.critic.reset()
            return Update(value, delta, updated=False, refused=True)
        if step is not None:
            self.average_reward += self.config.average_reward_rate * delta
        self.value, self.connected = value, True
        return Update(value, delta, updated=step is not None, refused=False)

    def _learn(self, step: float | None, first: bool, train_actor: bool) -> bool:
        """Move and accumulate both networks, or neither (False)."""
        config, actor, critic = self.config, self.actor, self.critic
        self._discount = 1.0 if first or not config.discount_actor_gradient else self._discount
        d_out = self._d_out
        np.multiply(
            self.policy.log_prob_gradient, config.actor_weight * self._discount,
            out=self._d_action,
        )  # fmt: skip
        self._discount *= config.gamma
        if not math.isfinite(np.add.reduce(d_out)) or not actor.ready(step or 0.0):
            return False
        bonus = None
        if config.entropy_coefficient > 0.0 and train_actor:
            bonus = self._bonus
            np.multiply(
                self.policy.entropy_gradient, config.entropy_coefficient, out=bonus[: self._size]
            )
        if critic is None:
            d_out[-1] = 1.0
            if not train_actor:
                d_out[:-1] = 0.0
            learned = actor.learn(d_out, step, bonus)
        elif not critic.ready(step or 0.0):
            return False
        else:
            learned = critic.learn(self._one, step)
            learned &= actor.learn(d_out, step if train_actor else None, bonus)
        if not learned:  # a trace ran over
            self.cut()
        return learned

    def cut(self) -> None:
        """Cut the eligibility traces and the link to the observation before."""
        self.actor.cut()
        if self.critic is not None:
            self.critic.cut()
        self.connected = False

    def reset_optimizers(self) -> None:
        """Forget moments, which belong to other parameters."""
        self.actor.reset_optimizer()
        if self.critic is not None:
            self.critic.reset_optimizer()

    def reset(self) -> None:
        """Start an episode: recurrent states and all traces to their initial values."""
        self.actor.reset()
        if self.critic is not None:
            self.critic.reset()
        self.policy.reset()
        self.cut()
