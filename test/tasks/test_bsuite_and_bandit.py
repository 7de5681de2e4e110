"""UmbrellaChain, Catch and BernoulliBandit: the score of who knows, and of who does not."""

import numpy as np
import pytest

from rtrrl_ros.tasks import make_task
from rtrrl_ros.tasks.bernoulli_bandit import BernoulliBandit
from rtrrl_ros.tasks.catch import Catch
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


def test_catch_is_won_by_going_to_the_ball_and_not_by_standing(play):
    environment = make_task('Catch').make(0)

    def follow(seen):
        ball = int(np.argmax(seen[0]))
        paddle = int(np.argmax(seen[-1].reshape(10, 5)[-1]))
        return 1 + int(np.sign(ball - paddle))

    assert np.all(play(environment, follow, range(50)) == 1.0)
    assert play(environment, lambda _: 1, range(500)).mean() == pytest.approx(-0.6, abs=0.1)


def test_catch_takes_as_many_steps_as_the_ball_falls_rows():
    environment = Catch(0, rows=10)
    board = environment.reset(0).reshape(10, 5)
    assert board[0].sum() == 1.0 and list(board[9]) == [0, 0, 1, 0, 0]
    for step in range(1, 10):
        observation, _, terminated, _ = environment.step(1)
        assert observation.reshape(10, 5)[step].any()
        assert terminated == (step == 9)


def test_the_better_arm_is_worth_900_and_one_finds_it_by_what_pays(play):
    environment = make_task('BernoulliBandit').make(0)

    def win_stay_lose_shift(seen):
        reward, _, arm, _ = seen[-1]
        return int(arm) if reward else 1 - int(arm)

    def stay_with_what_paid_more(seen):
        if len(seen) < 21:
            return len(seen) % 2
        paid = sum(o[0] * (2 * o[2] - 1) for o in seen[1:21])
        return int(paid > 0)

    assert play(environment, lambda _: 0, range(40)).mean() == pytest.approx(500, abs=200)
    assert play(environment, win_stay_lose_shift, range(10)).mean() == pytest.approx(820, abs=20)
    assert play(environment, stay_with_what_paid_more, range(10)).mean() > 880


def test_the_bandit_shows_what_was_done_and_paid():
    environment = BernoulliBandit(0, steps=4)
    assert list(environment.reset(0)) == [0, 0, 0, -1]
    for step, action in enumerate((0, 1, 1, 0), 1):
        observation, reward, terminated, truncated = environment.step(action)
        assert list(observation) == [reward, 1 - action, action, step / 2 - 1]
        assert (terminated, truncated) == (False, step == 4)


@pytest.mark.parametrize(
    'make',
    [
        lambda: UmbrellaChain(0, length=0),
        lambda: UmbrellaChain(0, distractors=-1),
        lambda: Catch(0, rows=1),
        lambda: Catch(0, columns=0),
        lambda: BernoulliBandit(0, steps=0),
        lambda: BernoulliBandit(0, good=0.2),
    ],
)
def test_sizes_that_make_no_task_are_refused(make):
    with pytest.raises(ValueError, match=r'at least|arm'):
        make()
