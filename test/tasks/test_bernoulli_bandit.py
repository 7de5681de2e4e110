"""BernoulliBandit: the score of who finds the better arm, and of who does not."""

import pytest

from rtrrl_ros.tasks import make_task
from rtrrl_ros.tasks.bernoulli_bandit import BernoulliBandit


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
        lambda: BernoulliBandit(0, steps=0),
        lambda: BernoulliBandit(0, good=0.2),
    ],
)
def test_a_bandit_without_a_better_arm_is_refused(make):
    with pytest.raises(ValueError, match='an arm that pays'):
        make()
