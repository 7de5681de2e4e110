"""Policies: their samples, and the two gradients that belong to a sample, against autograd."""

import numpy as np
import pytest
import torch

from rtrrl_ros.errors import UserError
from rtrrl_ros.learning.config import LearnerConfig
from rtrrl_ros.learning.policy import (
    CategoricalPolicy,
    GaussianPolicy,
    LearnedGaussianPolicy,
    make_policy,
)


@pytest.mark.parametrize('correlation', [0.0, 0.7])
def test_gradient_is_that_of_the_log_density_with_the_sample_a_constant(correlation) -> None:
    std = 0.2
    policy = GaussianPolicy(2, std, correlation, seed=4)
    noise = np.zeros(2)
    for _ in range(5):
        mean = np.array([0.1, -0.3])
        action = policy.sample(mean)
        variable = torch.tensor(mean, requires_grad=True)
        conditional = torch.distributions.Normal(
            variable + correlation * torch.tensor(noise), std * np.sqrt(1 - correlation**2)
        )
        log_prob = conditional.log_prob(torch.tensor(action, dtype=torch.float64)).sum()
        (expected,) = torch.autograd.grad(log_prob, variable)
        np.testing.assert_allclose(policy.log_prob_gradient, expected.numpy(), rtol=2e-5, atol=1e-5)
        noise = action - mean


@pytest.mark.parametrize('correlation', [0.0, 0.9])
def test_noise_has_the_stated_deviation_and_correlation(correlation) -> None:
    policy = GaussianPolicy(1, 0.1, correlation, seed=0)
    noise = np.array([policy.sample(np.zeros(1))[0] for _ in range(60_000)])[200:]
    assert noise.std() == pytest.approx(0.1, rel=0.05)
    assert np.corrcoef(noise[:-1], noise[1:])[0, 1] == pytest.approx(correlation, abs=0.02)


def check_gradients(policy, out: np.ndarray, distribution) -> None:
    """Both gradients of a sample against those of `distribution(out)`."""
    action = policy.sample(out)
    variable = torch.tensor(out, dtype=torch.float64, requires_grad=True)
    given = distribution(variable)
    log_prob = given.log_prob(torch.as_tensor(action)).sum()
    for scalar, got in (
        (log_prob, policy.log_prob_gradient),
        (given.entropy().sum(), policy.entropy_gradient),
    ):
        (expected,) = torch.autograd.grad(scalar, variable, retain_graph=True)
        np.testing.assert_allclose(got, expected.numpy(), rtol=2e-4, atol=2e-5)


def test_learned_deviation() -> None:
    policy = LearnedGaussianPolicy(2, std=0.5, seed=1)
    for out in np.random.default_rng(0).normal(scale=0.5, size=(10, 4)):
        check_gradients(
            policy, out, lambda v: torch.distributions.Normal(v[:2], 0.5 * torch.exp(v[2:]))
        )


def test_a_learned_deviation_has_bounds_and_no_gradient_beyond_them() -> None:
    policy = LearnedGaussianPolicy(1, std=0.5, seed=1)
    actions = [policy.sample(np.array([0.0, -50.0]))[0] for _ in range(100)]
    assert 0 < np.std(actions) < 0.03
    assert policy.log_prob_gradient[1] == policy.entropy_gradient[1] == 0.0


@pytest.mark.parametrize('actions', [2, 7])
def test_categorical(actions: int) -> None:
    policy = CategoricalPolicy(actions, seed=1)
    for out in np.random.default_rng(0).normal(scale=3, size=(20, actions)).astype(np.float32):
        check_gradients(policy, out, lambda v: torch.distributions.Categorical(logits=v))


def test_choices_come_as_often_as_their_probability_says() -> None:
    logits = np.log(np.array([0.5, 0.2, 0.3], np.float32))
    policy = CategoricalPolicy(3, seed=0)
    drawn = np.bincount([policy.sample(logits) for _ in range(20_000)], minlength=3) / 20_000
    np.testing.assert_allclose(drawn, [0.5, 0.2, 0.3], atol=0.015)
    assert policy.mode(logits) == 0


def test_huge_logits_neither_overflow_nor_surprise() -> None:
    policy = CategoricalPolicy(2, seed=0)
    assert policy.sample(np.array([-3e4, 3e4], np.float32)) == 1
    assert (
        np.isfinite(policy.log_prob_gradient).all() and np.isfinite(policy.entropy_gradient).all()
    )


def test_the_seed_decides_the_samples() -> None:
    one, two, other = (GaussianPolicy(2, 0.1, 0.0, seed=seed) for seed in (1, 1, 2))
    actions = [policy.sample(np.zeros(2)) for policy in (one, two, other)]
    assert np.array_equal(actions[0], actions[1])
    assert not np.array_equal(actions[0], actions[2])


def test_correlated_noise_of_a_learned_deviation_is_refused() -> None:
    config = LearnerConfig(exploration='learned', exploration_correlation=0.5)
    with pytest.raises(UserError, match='exploration_correlation'):
        make_policy(config, discrete=False, action_size=2, seed=0)
