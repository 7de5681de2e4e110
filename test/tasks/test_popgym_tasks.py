"""POPGym's tasks: the score of a policy that remembers what there is to remember."""

import importlib.util
import sys

import numpy as np
import pytest

from rtrrl_ros.errors import UserError
from rtrrl_ros.tasks import make_task
from rtrrl_ros.tasks.popgym_tasks import popgym_tasks

needs_popgym = pytest.mark.skipif(importlib.util.find_spec('popgym') is None, reason='needs POPGym')


@needs_popgym
def test_stateless_cart_pole_is_solved_by_remembering_one_position(play):
    def act(seen):
        x, angle = seen[-1]
        dx, turn = (seen[-1] - seen[-2]) / 0.02 if len(seen) > 1 else (0.0, 0.0)
        return int(0.1 * x + 0.2 * dx + 3 * angle + 1.0 * turn > 0)

    result = play(make_task('StatelessCartPole').make(0), act, range(5))
    assert result == pytest.approx(np.ones(5))
    assert play(make_task('NoisyStatelessCartPole').make(0), act, range(5)).mean() < 0.5


@needs_popgym
def test_noise_is_what_tells_the_noisy_cart_pole():
    noisy, clean = (make_task(name).make(0) for name in ('NoisyStatelessCartPole', 'CartPole-pos'))
    differences = [noisy.reset(k)[0] for k in range(200)], [clean.reset(k)[0] for k in range(200)]
    assert np.std(differences[0]) == pytest.approx(0.1, abs=0.02)
    assert np.std(differences[1]) < 0.05


@needs_popgym
def test_repeat_first_is_solved_by_remembering_the_first_card(play):
    environment = make_task('RepeatFirst').make(0)
    result = play(environment, lambda seen: int(np.argmax(seen[0])), range(5))
    assert result == pytest.approx(np.ones(5))
    assert play(environment, lambda _: 0, range(200)).mean() == pytest.approx(-0.5, abs=0.1)


@needs_popgym
def test_repeat_previous_is_solved_by_remembering_four_cards(play):
    def fourth_last(back):
        return lambda seen: int(np.argmax(seen[-back])) if len(seen) >= back else 0

    environment = make_task('RepeatPrevious').make(0)
    assert play(environment, fourth_last(4), range(5)) == pytest.approx(np.ones(5))
    assert play(environment, fourth_last(3), range(20)).mean() < 0.0


@needs_popgym
def test_bandits_are_worth_finding_the_best_arm(play):
    def explore_then_stay(seen):
        step = len(seen) - 1
        if step < 50:
            return step % 10
        paid = [sum(seen[1 + arm + 10 * turn][1] for turn in range(5)) for arm in range(10)]
        return int(np.argmax(paid))

    environment = make_task('MultiArmedBandit').make(0)
    assert abs(play(environment, lambda _: 3, range(50)).mean()) < 0.25
    assert play(environment, explore_then_stay, range(20)).mean() > 0.3


@needs_popgym
def test_minesweeper_takes_one_number_for_a_square_and_punishes_mines_and_repetitions():
    environment = make_task('Minesweeper').make(0)
    firsts = []
    for square in range(16):
        environment.reset(0)
        firsts.append(environment.step(square)[1:3])
    mines = [square for square, (_, terminated) in enumerate(firsts) if terminated]
    assert len(mines) == 2
    assert all(firsts[mine][0] == pytest.approx(-0.5 - 1 / 14) for mine in mines)
    environment.reset(0)
    total = 0.0
    for square in set(range(16)) - set(mines):
        *_, reward, terminated, truncated = environment.step(square)
        total += reward
    assert total == pytest.approx(make_task('Minesweeper').best)
    assert terminated and not truncated
    environment.reset(0)
    free = next(square for square in range(16) if square not in mines)
    assert environment.step(free)[1] == pytest.approx(1 / 14)
    assert environment.step(free)[1] == pytest.approx(-0.5 / 12)


def test_tasks_whose_observation_hides_the_action_say_so():
    assert {task.name for task in popgym_tasks() if task.needs_previous_action} == {
        'MultiArmedBandit',
        'Minesweeper',
    }


def test_without_popgym_one_is_told_how_to_get_it(monkeypatch):
    for name in [name for name in sys.modules if name.partition('.')[0] == 'popgym']:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, 'popgym', None)
    with pytest.raises(UserError, match=r"RepeatFirst.*pip install 'rtrrl_ros\[pomdp\]'"):
        make_task('RepeatFirst').make(0)
