"""The Gaussian policy: its samples and the gradient of its log-probability."""

import numpy as np
import pytest
import torch

from rtrrl_ros.learning.policy import GaussianExploration


@pytest.mark.parametrize('correlation', [0.0, 0.7])
def test_gradient_is_that_of_the_log_density_with_the_sample_a_constant(correlation) -> None:
    std = 0.2
    exploration = GaussianExploration(2, std, correlation, seed=4)
    noise = np.zeros(2)
    for _ in range(5):
        mean = np.array([0.1, -0.3])
        sample = exploration.sample(mean)
        variable = torch.tensor(mean, requires_grad=True)
        conditional = torch.distributions.Normal(
            variable + correlation * torch.tensor(noise), std * np.sqrt(1 - correlation**2)
        )
        log_prob = conditional.log_prob(torch.tensor(sample.action, dtype=torch.float64)).sum()
        (expected,) = torch.autograd.grad(log_prob, variable)
        np.testing.assert_allclose(sample.log_prob_gradient, expected.numpy(), rtol=2e-5, atol=1e-5)
        noise = sample.action - mean


@pytest.mark.parametrize('correlation', [0.0, 0.9])
def test_noise_has_the_stated_deviation_and_correlation(correlation) -> None:
    exploration = GaussianExploration(1, 0.1, correlation, seed=0)
    noise = np.array([exploration.sample(np.zeros(1)).action[0] for _ in range(60_000)])[200:]
    assert noise.std() == pytest.approx(0.1, rel=0.05)
    assert np.corrcoef(noise[:-1], noise[1:])[0, 1] == pytest.approx(correlation, abs=0.02)


def test_the_seed_decides_the_samples() -> None:
    one, two, other = (GaussianExploration(2, 0.1, 0.0, seed=seed) for seed in (1, 1, 2))
    actions = [exploration.sample(np.zeros(2)).action for exploration in (one, two, other)]
    assert np.array_equal(actions[0], actions[1])
    assert not np.array_equal(actions[0], actions[2])
