"""UmbrellaChain: the first choice decides, whatever the tosses on the way."""

import numpy as np
import pytest

from rtrrl_ros.tasks import make_task
from rtrrl_ros.tasks.umbrella_chain import UmbrellaChain


def last_rewards(environment, policy, episodes):
    rewards = []
    for episode in episodes:
        seen, over = [environment.reset(episode)], False
        while not over:
            observation, reward, over, _ = environment.step(policy(seen))
            seen.append(observation)
        rewards.append(reward)
    return np.array(rewards)


@pytest.mark.parametrize('name', ['UmbrellaChain', 'UmbrellaChain-distractors'])
def test_umbrella_taken_when_needed_is_rewarded_at_the_end(name, play):
    environment = make_task(name).make(0)
    assert np.all(last_rewards(environment, lambda seen: int(seen[0][0]), range(200)) == 1.0)
    assert np.all(last_rewards(environment, lambda seen: 1 - int(seen[0][0]), range(200)) == -1.0)
    assert play(environment, lambda seen: int(seen[0][0]), range(3000)).mean() == pytest.approx(
        1.0, abs=0.25
    )


def test_only_the_first_choice_takes_the_umbrella():
    environment = UmbrellaChain(0)
    for episode in range(20):
        needed = int(environment.reset(episode)[0])
        environment.step(needed)
        seen = [environment.step(1 - needed)[0] for _ in range(9)]
        assert all(observation[1] == needed for observation in seen)


def test_rewards_on_the_way_are_tosses_that_no_action_changes():
    rewards = []
    for action in (0, 1):
        environment = UmbrellaChain(0)
        rewards.append([])
        for episode in range(300):
            environment.reset(episode)
            rewards[-1] += [environment.step(action)[1] for _ in range(9)]
    assert rewards[0] == rewards[1]
    assert set(rewards[0]) == {-1.0, 1.0}
    assert abs(np.mean(rewards[0])) < 0.1


def test_distractors_are_tossed_anew_in_every_step():
    environment = UmbrellaChain(0, distractors=20)
    tosses = np.array([environment.reset(0)] + [environment.step(0)[0] for _ in range(10)])[:, 3:]
    assert set(tosses.ravel()) == {0.0, 1.0}
    assert len({tuple(toss) for toss in tosses}) == 11


@pytest.mark.parametrize(
    'make',
    [
        lambda: UmbrellaChain(0, length=0),
        lambda: UmbrellaChain(0, distractors=-1),
    ],
)
def test_a_chain_that_cannot_be_is_refused(make):
    with pytest.raises(ValueError, match='at least 1'):
        make()
