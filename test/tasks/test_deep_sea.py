"""DeepSea: who knows the map gets 0.99, and the map is another one for each seed."""

import itertools

import numpy as np
import pytest

from rtrrl_ros.tasks import TASKS, make_task
from rtrrl_ros.tasks.deep_sea import DeepSea

NAMES = [name for name in TASKS if name.startswith('DeepSea')]


def by_map(environment, wanted):
    """A policy that moves right where `wanted` says so (by step), knowing the map."""

    def act(seen):
        row, column = divmod(int(np.argmax(seen[-1])), environment.size)
        right = environment.right[row][column]
        return right if wanted(row) else 1 - right

    return act


@pytest.mark.parametrize('name', NAMES)
def test_always_right_gets_99_hundredths(name, play):
    environment = make_task(name).make(5)
    result = play(environment, by_map(environment, lambda row: True), [0, 1])
    assert result == pytest.approx([TASKS[name].best] * 2)
    assert TASKS[name].best == 0.99


def test_always_left_costs_and_wins_nothing(play):
    environment = make_task('DeepSea-8').make(5)
    assert play(environment, by_map(environment, lambda row: False), [0]) == [0.0]


def test_one_wrong_move_loses_the_treasure(play):
    environment = make_task('DeepSea-8').make(5)
    for wrong in range(8):
        result = play(environment, by_map(environment, lambda row, w=wrong: row != w), [0])
        assert result == pytest.approx([-0.01 * 7 / 8]), wrong


def test_of_all_sequences_of_actions_just_one_finds_the_treasure(play):
    environment = make_task('DeepSea-4').make(2)
    results = [
        play(environment, lambda seen, a=actions: a[len(seen) - 1], [0])[0]
        for actions in itertools.product((0, 1), repeat=4)
    ]
    assert sorted(results)[-2] <= 0.0
    assert max(results) == pytest.approx(0.99)


def test_the_map_belongs_to_the_seed_and_not_to_the_episode():
    one, same, other = DeepSea(1), DeepSea(1), DeepSea(2)
    before = [row.copy() for row in one.right]
    one.reset(7)
    assert one.right == before == same.right
    assert one.right != other.right
    assert 0.3 < np.mean(one.right) < 0.7


def test_unmapped_means_that_1_is_right_everywhere(play):
    environment = make_task('DeepSea-16-unmapped').make(9)
    assert play(environment, lambda _: 1, [0]) == pytest.approx([0.99])


def test_a_sea_without_depth_is_refused():
    with pytest.raises(ValueError, match='at least 1'):
        DeepSea(0, 0)
