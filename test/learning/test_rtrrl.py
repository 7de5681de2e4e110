"""The update rule against automatic differentiation through the whole past, in float64."""

import math

import numpy as np
import pytest
import torch

from rtrrl_ros.cells import make_cell
from rtrrl_ros.learning.config import LearnerConfig
from rtrrl_ros.learning.network import Network
from rtrrl_ros.learning.policy import Policy
from rtrrl_ros.learning.rtrrl import Rtrrl
from rtrrl_ros.learning.td_network import make_td_network

INPUTS, UNITS, STEPS = 3, 5, 12
GAMMA, LAMBDA_ACTOR, LAMBDA_CRITIC = 0.9, 0.8, 0.6


def network(role: str) -> Network:
    size, seed = (2, 1) if role == 'actor' else (1, 2)
    return Network(make_cell('lrcssm', INPUTS, UNITS, seed, dtype=torch.float64), size, seed)


def config(**options) -> LearnerConfig:
    values = {
        'gamma': GAMMA, 'lambda_actor': LAMBDA_ACTOR, 'lambda_critic': LAMBDA_CRITIC,
        'optimizer': 'sgd', 'td_error_clip': 1e9, 'drift_penalty': 0.0, 'drift_limit': 1e9,
        'actor_learning_rate': 0.0, 'critic_learning_rate': 0.0,
    }  # fmt: skip
    return LearnerConfig(**{**values, **options})


class Script(Policy):
    """A policy whose gradients are decided beforehand."""

    def sample(self, out: np.ndarray) -> np.ndarray:
        return out

    def mode(self, out: np.ndarray) -> np.ndarray:
        return out


class Drive:
    """Feeds a fixed stream of features, policy gradients and rewards to a learner."""

    def __init__(self, settings: LearnerConfig, steps: int = STEPS) -> None:
        generator = torch.Generator().manual_seed(5)
        self.xs = torch.randn(steps, INPUTS, generator=generator, dtype=torch.float64)
        # the learner passes these on in float32: let them be exact in it
        self.d_means, self.d_entropies = torch.randn(2, steps, 2, generator=generator).double()
        self.rewards = np.random.default_rng(3).standard_normal(steps)
        self.actor, self.critic = network('actor'), network('critic')
        self.policy = Script(2, seed=0)
        networks = (
            make_td_network(net, settings, role)
            for role, net in (('actor', self.actor), ('critic', self.critic))
        )
        self.rtrrl = Rtrrl(*networks, self.policy, settings)

    def step(self, t: int, **options):
        self.rtrrl.act(self.xs[t].numpy())
        self.policy.log_prob_gradient = self.d_means[t].numpy()
        self.policy.entropy_gradient = self.d_entropies[t].numpy()
        values = {'first': t == 0, 'terminated': False, 'executed': True, 'train_actor': True}
        return self.rtrrl.learn(reward=self.rewards[t], **{**values, **options})

    def unrolled(self, net: Network, t: int, d_out: torch.Tensor) -> torch.Tensor:
        """Gradient (P,) of d_out . out_t by back-propagation through all steps up to t."""
        before = net.flat
        flat = before.clone().requires_grad_()
        net.bind(flat)
        state = net.cell.initial_state()[None]
        for x in self.xs[: t + 1]:
            out, state = net.forward(x[None], state)
        (gradient,) = torch.autograd.grad((out[0] * d_out).sum(), flat)
        net.bind(before)
        return gradient


def test_eligibility_traces_are_discounted_sums_of_exact_gradients() -> None:
    drive = Drive(config())
    for t in range(STEPS):
        drive.step(t)
    one = torch.ones(1, dtype=torch.float64)
    for learner, net, decay, outs in (
        (drive.rtrrl.actor, drive.actor, GAMMA * LAMBDA_ACTOR, drive.d_means),
        (drive.rtrrl.critic, drive.critic, GAMMA * LAMBDA_CRITIC, [one] * STEPS),
    ):
        expected = sum(
            decay ** (STEPS - 1 - t) * drive.unrolled(net, t, outs[t]) for t in range(STEPS)
        )
        torch.testing.assert_close(learner.eligibility, expected, atol=1e-9, rtol=0)


def value_of(drive: Drive, t: int) -> float:
    state = drive.critic.cell.initial_state()[None]
    for x in drive.xs[: t + 1]:
        out, state = drive.critic.forward(x[None], state)
    return float(out[0, 0])


@pytest.mark.parametrize('terminated', [False, True])
def test_td_error_bootstraps_unless_the_lap_was_terminated(terminated: bool) -> None:
    drive = Drive(config())
    for t in range(4):
        drive.step(t)
    update = drive.step(4, terminated=terminated)
    future = 0.0 if terminated else GAMMA * value_of(drive, 4)
    assert update.td_error == pytest.approx(
        drive.rewards[4] + future - value_of(drive, 3), abs=1e-12
    )


def test_a_step_moves_by_rate_times_td_error_times_the_trace_of_the_steps_before() -> None:
    rate, beta = 0.01, 0.5
    drive = Drive(config(actor_learning_rate=rate, critic_learning_rate=rate, drift_penalty=beta))
    drive.step(0)
    z_actor, z_critic = (
        learner.eligibility.clone() for learner in (drive.rtrrl.actor, drive.rtrrl.critic)
    )
    origin_actor, origin_critic = drive.actor.flat.clone(), drive.critic.flat.clone()
    update = drive.step(1)
    moved = rate * update.td_error * z_actor
    torch.testing.assert_close(
        drive.actor.flat, origin_actor + moved * (1 - rate * beta), atol=1e-14, rtol=0
    )
    torch.testing.assert_close(
        drive.critic.flat, origin_critic + rate * update.td_error * z_critic, atol=1e-14, rtol=0
    )


def test_the_td_error_is_clipped_in_the_step_but_reported_whole() -> None:
    drive = Drive(config(critic_learning_rate=0.01, td_error_clip=0.05))
    drive.step(0)
    z, before = drive.rtrrl.critic.eligibility.clone(), drive.critic.flat.clone()
    update = drive.step(1)
    assert abs(update.td_error) > 0.05
    sign = math.copysign(1.0, update.td_error)
    torch.testing.assert_close(drive.critic.flat, before + 0.01 * sign * 0.05 * z)


def test_the_drift_never_passes_its_limit() -> None:
    drive = Drive(config(actor_learning_rate=1.0, drift_limit=0.25), steps=6)
    for t in range(6):
        drive.step(t)
    assert drive.rtrrl.actor.drift() == pytest.approx(0.25)


def test_nothing_is_learned_from_an_overruled_action_and_the_traces_are_cut() -> None:
    drive = Drive(config(actor_learning_rate=0.1, critic_learning_rate=0.1))
    for t in range(3):
        drive.step(t)
    before = drive.actor.flat.clone(), drive.critic.flat.clone()
    update = drive.step(3, executed=False)
    assert not update.updated
    assert torch.equal(drive.actor.flat, before[0])
    assert torch.equal(drive.critic.flat, before[1])
    alone = drive.actor.gradient(drive.d_means[3])
    assert torch.equal(drive.rtrrl.actor.eligibility, alone)


def test_warm_up_moves_the_critic_only() -> None:
    drive = Drive(config(actor_learning_rate=0.1, critic_learning_rate=0.1))
    before = drive.actor.flat.clone(), drive.critic.flat.clone()
    for t in range(3):
        drive.step(t, train_actor=False)
    assert torch.equal(drive.actor.flat, before[0])
    assert not torch.equal(drive.critic.flat, before[1])


@pytest.mark.parametrize('optimizer', ['sgd', 'adam', 'obgd'])
@pytest.mark.parametrize('bad', [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize('where', ['reward', 'gradient'])
def test_a_non_finite_step_is_refused_and_changes_no_parameter(
    optimizer: str, bad: float, where: str
) -> None:
    drive = Drive(config(optimizer=optimizer, actor_learning_rate=0.01, critic_learning_rate=0.01))
    for t in range(3):
        drive.step(t)
    learners = drive.rtrrl.actor, drive.rtrrl.critic
    before = [tensor.clone() for one in learners for tensor in (one.flat, one.eligibility)]
    if where == 'reward':
        drive.rewards[3] = bad
    else:
        drive.d_means[3, 0] = bad
    update = drive.step(3)
    assert update.refused
    after = [tensor for one in learners for tensor in (one.flat, one.eligibility)]
    assert all(torch.equal(*pair) for pair in zip(before, after, strict=True))


def test_adam_takes_the_first_step_of_the_textbook() -> None:
    rate = 0.01
    drive = Drive(config(optimizer='adam', critic_learning_rate=rate, adam_epsilon=1e-12))
    drive.step(0)
    z, before = drive.rtrrl.critic.eligibility.clone(), drive.critic.flat.clone()
    update = drive.step(1)
    # bias-corrected moments of a single gradient g: g / |g|
    expected = before + rate * torch.sign(z * update.td_error)
    torch.testing.assert_close(drive.critic.flat, expected, atol=1e-6, rtol=0)


def test_obgd_never_steps_further_than_its_bound() -> None:
    drive = Drive(config(optimizer='obgd', critic_learning_rate=1.0))
    drive.step(0)
    z, before = drive.rtrrl.critic.eligibility.clone(), drive.critic.flat.clone()
    update = drive.step(1)
    bound = 2.0 * max(abs(update.td_error), 1.0) * float(z.abs().sum())
    expected = before + z * update.td_error / max(1.0, bound)
    torch.testing.assert_close(drive.critic.flat, expected)
