"""Tasks as environments of gymnasium, by gymnasium's own checker."""

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

MODULE = 'rtrrl_ros.tasks.gymnasium_face'


@pytest.mark.filterwarnings('ignore:.*Box observation space:UserWarning')
@pytest.mark.parametrize('name', ['MemoryChain-4', 'DeepSea-8', 'Catch', 'MountainCarContinuous'])
def test_gymnasium_takes_the_task_for_one_of_its_own(name):
    check_env(gymnasium.make(f'{MODULE}:rtrrl_ros/{name}-v0').unwrapped, skip_render_check=True)


def test_a_seed_starts_its_episodes_anew_and_no_seed_goes_on():
    environment = gymnasium.make(f'{MODULE}:rtrrl_ros/MemoryChain-4-v0')
    episodes = [environment.reset(seed=4)[0][2]] + [environment.reset()[0][2] for _ in range(20)]
    assert len(set(episodes)) == 2
    again = [environment.reset(seed=4)[0][2]] + [environment.reset()[0][2] for _ in range(20)]
    assert np.array_equal(episodes, again)
