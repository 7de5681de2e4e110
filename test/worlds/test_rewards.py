import numpy as np
import pytest

from rtrrl_ros.errors import UserError
from rtrrl_ros.worlds.contract import StepType, WorldState
from rtrrl_ros.worlds.rewards import KINDS, RewardConfig, RewardFunction


def state(step_type=StepType.MID, terminated=False, truncated=False, **values) -> WorldState:
    fields = {
        'task_reward': 0.0,
        'lateral_error_m': 0.0,
        'heading_error_rad': 0.0,
        'speed_m_s': 0.0,
        'progress_m': 0.0,
    }
    return WorldState(1, 0, step_type, terminated, truncated, **{**fields, **values})


def reward(of: WorldState, **config) -> float:
    return RewardFunction(RewardConfig(**config)).reward(of)


@pytest.mark.parametrize('kind', KINDS)
def test_the_first_observation_is_worth_nothing(kind):
    first = state(StepType.FIRST, task_reward=5.0, progress_m=1.0, lateral_error_m=3.0)
    assert reward(first, kind=kind) == 0.0


@pytest.mark.parametrize('kind', KINDS)
def test_an_intervention_costs_the_penalty_and_a_truncation_does_not(kind):
    config = {'kind': kind, 'scale': 0.5, 'intervention_penalty': 8.0}
    plain = reward(state(task_reward=3.0, progress_m=1.0), **config)
    stopped = state(StepType.LAST, terminated=True, task_reward=3.0, progress_m=1.0)
    ended = state(StepType.LAST, truncated=True, task_reward=3.0, progress_m=1.0)
    assert reward(stopped, **config) == pytest.approx(plain - 4.0)
    assert reward(ended, **config) == plain


def test_task_is_the_scaled_score():
    assert reward(state(task_reward=6.4), kind='task', scale=0.1) == np.float32(0.64)
    assert reward(state(task_reward=-0.2), kind='task', scale=0.1) == np.float32(-0.02)


def test_the_tasks_own_penalty_is_not_counted_twice():
    stopped = state(StepType.LAST, terminated=True, task_reward=-100.0)
    assert reward(stopped, kind='task', scale=1.0, intervention_penalty=20.0) == -20.0


def test_line_prefers_progress_and_the_middle():
    def line(**values):
        return reward(state(**values), kind='line')

    assert line(progress_m=2.0) > line(progress_m=1.0) > line() > line(progress_m=-1.0)
    assert line() > line(lateral_error_m=1.0) > line(lateral_error_m=-3.0)
    assert line(lateral_error_m=2.0) == line(lateral_error_m=-2.0)


def test_line_has_the_documented_values():
    got = reward(
        state(progress_m=3.0, lateral_error_m=-2.0),
        kind='line',
        scale=2.0,
        nominal_progress_m=1.5,
        progress_weight=0.5,
        lateral_weight=0.25,
        half_width_m=4.0,
    )
    assert got == pytest.approx(2.0 * (0.5 * 3.0 / 1.5 - 0.25 * 0.25))


def test_far_away_is_no_worse_than_off_the_road():
    away = [reward(state(lateral_error_m=x), kind='line', half_width_m=4.0) for x in (6.0, 600.0)]
    assert away[0] == away[1]


def test_rewards_are_float32():
    for kind in KINDS:
        got = reward(state(task_reward=0.1, progress_m=0.3, lateral_error_m=0.7), kind=kind)
        assert type(got) is float and float(np.float32(got)) == got


@pytest.mark.parametrize('bad', [{'kind': 'speed'}, {'scale': 0.0}, {'half_width_m': -1.0}])
def test_bad_parameters_are_refused(bad):
    with pytest.raises(UserError, match=next(iter(bad))):
        RewardConfig(**bad)


def test_closeness_has_the_documented_values():
    def value(lateral_m):
        return reward(state(lateral_error_m=lateral_m), kind='closeness', scale=0.1)

    assert [value(e) for e in (0.0, 0.075, -0.075, 0.15)] == pytest.approx([0.1, 0.05, 0.05, 0.0])
    assert value(0.3) == value(5.0) == pytest.approx(-0.1), 'one bad step cannot swamp the rest'
