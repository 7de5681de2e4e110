"""Probation: when learning has paid, when the weights from before drive on, and until when."""

import numpy as np
import pytest
import torch

from rtrrl_ros.errors import UserError
from rtrrl_ros.learning.config import LearnerConfig
from rtrrl_ros.learning.probation import Probation, clearly_better

BEFORE, LEARNED = torch.zeros(3), torch.ones(3)
#: returns of ten laps that scatter by about 1 around 90
LEVEL = [90.3, 89.1, 90.9, 89.8, 90.1, 89.4, 90.6, 90.0, 89.5, 90.4]


def probation(**options) -> Probation:
    values = {'probation_laps': 10, 'rollback_margin': 0.03, 'rollback_laps': 1, **options}
    return Probation(LearnerConfig(**values), BEFORE)


def drive(judge: Probation, returns: list[float]) -> list[torch.Tensor | None]:
    return [judge.end_lap(lap_return, LEARNED) for lap_return in returns]


def test_laps_that_only_scatter_end_in_a_rest_with_the_weights_from_before() -> None:
    judge = probation()
    turns = drive(judge, LEVEL)
    assert turns[:-1] == [None] * 9
    assert torch.equal(turns[-1], BEFORE)
    assert judge.resting and not judge.over


def test_laps_that_get_better_end_the_probation() -> None:
    judge = probation()
    assert drive(judge, [value + 1.0 * n for n, value in enumerate(LEVEL)]) == [None] * 10
    assert judge.over and not judge.resting
    assert drive(judge, [0.0] * 30) == [None] * 30, 'bad laps are then for the guard'


def test_laps_that_get_worse_end_in_a_rest() -> None:
    judge = probation()
    drive(judge, [value - 1.0 * n for n, value in enumerate(LEVEL)])
    assert judge.resting


@pytest.mark.parametrize('turn', [2, 3, 6])
def test_one_great_step_is_clear(turn: int) -> None:
    assert clearly_better([v - (30.0 if n < turn else 0.0) for n, v in enumerate(LEVEL)])


def test_chance_passes_for_progress_in_few_probations() -> None:
    generator = np.random.default_rng(0)
    passed = sum(clearly_better(list(generator.normal(90.0, 1.0, 10))) for _ in range(4000))
    assert passed / 4000 < 0.02


def test_a_rise_of_four_deviations_is_hardly_ever_missed() -> None:
    generator = np.random.default_rng(0)
    rise = np.repeat([0.0, 4.0], 5)
    passed = sum(clearly_better(list(generator.normal(90.0, 1.0, 10) + rise)) for _ in range(2000))
    assert passed / 2000 > 0.95


def test_good_laps_at_rest_go_on_and_a_change_begins_a_new_probation() -> None:
    judge = probation()
    drive(judge, LEVEL)
    assert drive(judge, [89.0, 91.0, 88.0, 90.0, 91.0]) == [None] * 5
    assert judge.resting
    assert drive(judge, [70.0]) == [None], 'the weights from before stay'
    assert not judge.resting and not judge.over
    assert torch.equal(drive(judge, LEVEL)[-1], BEFORE)
    assert judge.resting


def test_where_the_weights_from_before_are_worse_those_learned_come_back() -> None:
    judge = probation()
    drive(judge, LEVEL)
    _, turn = drive(judge, [90.0, 70.0])
    assert torch.equal(turn, LEARNED)
    assert judge.over and not judge.resting


def test_what_was_learned_at_once_comes_back_when_the_laps_at_rest_are_clearly_worse() -> None:
    judge = probation()
    drive(judge, LEVEL)
    *turns, last = drive(judge, [value - 1.7 for value in LEVEL[:5]])  # none below the margin
    assert turns == [None] * 4
    assert torch.equal(last, LEARNED)
    assert judge.over and not judge.resting


def test_laps_at_rest_that_are_as_good_as_the_last_ones_of_the_probation_go_on() -> None:
    judge = probation()
    drive(judge, LEVEL)
    assert drive(judge, LEVEL * 3) == [None] * 30
    assert judge.resting


def test_it_takes_as_many_bad_laps_in_a_row_as_for_a_roll_back() -> None:
    judge = probation(rollback_laps=2)
    drive(judge, LEVEL)
    assert drive(judge, [70.0, 90.0, 70.0]) == [None] * 3
    assert judge.resting
    drive(judge, [70.0])
    assert not judge.resting


def test_without_probation_nothing_is_judged() -> None:
    judge = probation(probation_laps=0)
    assert judge.over
    assert drive(judge, LEVEL * 3) == [None] * 30


def test_what_was_learned_is_contested_only_while_the_weights_from_before_are_on_trial() -> None:
    judge = probation()
    drive(judge, LEVEL[:-1])
    assert judge.contested is None
    drive(judge, LEVEL[-1:])
    assert torch.equal(judge.contested, LEARNED)
    drive(judge, LEVEL[:4])
    assert torch.equal(judge.contested, LEARNED)
    drive(judge, LEVEL[4:5])
    assert judge.resting and judge.contested is None


@pytest.mark.parametrize(
    'returns',
    [[value + n for n, value in enumerate(LEVEL)], [*LEVEL, 70.0]],
    ids=['at once', 'after all'],
)
def test_nothing_is_contested_once_learning_has_paid(returns: list[float]) -> None:
    judge = probation()
    drive(judge, returns)
    assert judge.over and judge.contested is None


@pytest.mark.parametrize('laps', [1, 2, 3])
def test_too_few_laps_are_refused(laps: int) -> None:
    with pytest.raises(UserError, match='4 or greater'):
        probation(probation_laps=laps)
