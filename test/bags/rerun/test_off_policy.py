"""Actions that another policy took: the same gradients and densities as if they were one's own."""

import numpy as np
import pytest

from rtrrl_ros.bags.rerun.off_policy import TakenActions, log_density, sampled_log_density
from rtrrl_ros.learning.config import LearnerConfig
from rtrrl_ros.learning.policy import make_policy

CONFIG = LearnerConfig(exploration_std=0.1, exploration_correlation=0.6)


@pytest.mark.parametrize('effort', [1.0, 0.3])
def test_ones_own_actions_give_ones_own_gradients_with_weight_one(effort):
    driver, inner = (make_policy(CONFIG, discrete=False, action_size=2, seed=1) for _ in range(2))
    taken = TakenActions(inner)
    driver.effort = taken.effort = effort
    for step in range(20):
        out = np.array([0.1 * step, -0.2], np.float32)
        action = driver.sample(out)
        taken.taken = action
        taken.taken_log_density = sampled_log_density(driver, action, action)
        assert np.array_equal(taken.sample(out), action)
        assert taken.weight == pytest.approx(1.0, abs=1e-3)
        assert np.allclose(taken.log_prob_gradient, driver.log_prob_gradient, rtol=1e-2, atol=1e-2)


def test_the_density_is_that_of_the_effort_that_the_action_was_sampled_with():
    driver = make_policy(CONFIG, discrete=False, action_size=1, seed=1)
    driver.effort = 0.25
    action = driver.sample(np.zeros(1, np.float32))
    surprise = driver.log_prob_gradient * driver.newest_std
    driver.effort = 1.0  # what comes next is of no account
    expected = log_density(surprise, np.array([driver.newest_std]))
    assert sampled_log_density(driver, action, action) == pytest.approx(expected)
    assert driver.newest_std == pytest.approx(0.25 * driver.innovation_std)
