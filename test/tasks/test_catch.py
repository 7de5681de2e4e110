"""Catch: won by going where the ball falls."""

import numpy as np
import pytest

from rtrrl_ros.tasks import make_task
from rtrrl_ros.tasks.catch import Catch


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


@pytest.mark.parametrize(
    'make',
    [
        lambda: Catch(0, rows=1),
        lambda: Catch(0, columns=0),
    ],
)
def test_a_board_that_is_too_small_is_refused(make):
    with pytest.raises(ValueError, match='at least 2 rows'):
        make()
