"""Masked control tasks: what is seen, and what can be done without memory."""

import gymnasium
import numpy as np
import pytest

from rtrrl_ros.tasks import make_task

FULL = {
    'CartPole': ('CartPole-v1', (0, 2), (1, 3), 500),
    'Acrobot': ('Acrobot-v1', (0, 1, 2, 3), (4, 5), 500),
    'MountainCarContinuous': ('MountainCarContinuous-v0', (0,), (1,), 999),
}


@pytest.mark.parametrize('name', FULL)
def test_halves_are_the_positions_and_the_velocities_of_the_same_motion(name):
    _, positions, velocities, _ = FULL[name]
    whole, pos, vel = (make_task(name + part).make(3) for part in ('', '-pos', '-vel'))
    seen = [environment.reset(1) for environment in (whole, pos, vel)]
    for _ in range(8):
        action = [0.5] if name == 'MountainCarContinuous' else 1
        assert np.array_equal(seen[0][list(positions)], seen[1])
        assert np.array_equal(seen[0][list(velocities)], seen[2])
        seen = [environment.step(action)[0] for environment in (whole, pos, vel)]


@pytest.mark.parametrize('name', FULL)
def test_velocities_are_what_positions_change_by(name):
    """Guards the indices: a velocity is the difference of positions per step."""
    environment = make_task(name).make(0)
    first = environment.reset(0)
    action = [0.5] if name == 'MountainCarContinuous' else 1
    for _ in range(3):
        first, second = environment.step(action)[0], environment.step(action)[0]
        if name == 'CartPole':
            assert second[[0, 2]] - first[[0, 2]] == pytest.approx(0.02 * first[[1, 3]], abs=1e-5)
        elif name == 'Acrobot':
            angles = [np.arctan2(o[[1, 3]], o[[0, 2]]) for o in (first, second)]
            moved = (angles[1] - angles[0]) / 0.2
            assert np.all(moved > np.minimum(first[4:], second[4:]) - 0.1)
            assert np.all(moved < np.maximum(first[4:], second[4:]) + 0.1)
        else:
            assert second[0] - first[0] == pytest.approx(second[1], abs=1e-6)


@pytest.mark.parametrize('name', FULL)
def test_the_limit_of_steps_is_gymnasiums(name):
    identity, _, _, max_steps = FULL[name]
    assert make_task(name).max_steps == max_steps == gymnasium.spec(identity).max_episode_steps


def test_velocities_hold_a_pole_up_without_memory_and_positions_do_not(play):
    """So the published 455 and 57 of an agent without memory tell which half is which."""
    damping = np.array([0.1, 1.0])
    vel = make_task('CartPole-vel').make(0)
    assert play(vel, lambda seen: int(seen[-1] @ damping > 0), range(10)).mean() > 400
    pos = make_task('CartPole-pos').make(0)
    best = max(
        play(pos, lambda seen, w=w: int(seen[-1] @ w > 0), range(5)).mean()
        for angle in np.linspace(0, 2 * np.pi, 24, endpoint=False)
        for w in [np.array([np.cos(angle), np.sin(angle)])]
    )
    assert best < 80


def test_remembering_one_position_is_enough_to_balance(play):
    """The difference of two positions stands for the velocity, so memory solves CartPole-pos."""

    def act(seen):
        x, angle = seen[-1]
        dx, turn = (seen[-1] - seen[-2]) / 0.02 if len(seen) > 1 else (0.0, 0.0)
        return int(0.1 * x + 0.2 * dx + 3 * angle + 1.0 * turn > 0)

    assert np.all(play(make_task('CartPole-pos').make(0), act, range(10)) == 500.0)


def test_a_pole_that_is_held_up_is_truncated_and_one_that_falls_terminates():
    environment = make_task('CartPole').make(0)
    observation = environment.reset(0)
    for step in range(1, 501):
        action = int(observation @ [0.1, 0.2, 3, 1] > 0)
        observation, reward, terminated, truncated = environment.step(action)
        assert (reward, terminated, truncated) == (1.0, False, step == 500)
    environment.reset(0)
    over = [environment.step(1)[2:] for _ in range(8)]
    while over[-1] == (False, False):
        over.append(environment.step(1)[2:])
    assert over[-1] == (True, False)


def test_full_force_along_the_velocity_brings_the_car_up(play):
    def along(seen):
        return [1.0 if seen[-1][-1] >= 0 else -1.0]

    for name in ('MountainCarContinuous', 'MountainCarContinuous-vel'):
        assert play(make_task(name).make(0), along, range(5)).min() > 80
    assert play(make_task('MountainCarContinuous').make(0), lambda _: [0.0], [0]) == [0.0]


def test_force_beyond_the_range_counts_and_costs_as_full_force():
    results = []
    for force in (1.0, 30.0):
        environment = make_task('MountainCarContinuous').make(0)
        environment.reset(0)
        results.append(environment.step([force])[:2])
    assert np.array_equal(results[0][0], results[1][0])
    assert results[0][1] == results[1][1] == pytest.approx(-0.1)


def test_pumping_swings_the_acrobot_up(play):
    def pump(seen):
        return 2 if seen[-1][5] > seen[-1][4] else 0

    assert play(make_task('Acrobot').make(0), pump, range(3)).mean() > -200
    assert play(make_task('Acrobot').make(0), lambda _: 1, [0]) == [-500.0]
