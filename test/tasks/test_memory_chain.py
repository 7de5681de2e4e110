"""MemoryChain: whoever remembers always wins, and nobody else can."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtrrl_ros.tasks import make_task
from rtrrl_ros.tasks.memory_chain import MemoryChain

LENGTHS = (4, 8, 16, 32, 64)


@pytest.mark.parametrize('length', LENGTHS)
def test_remembering_the_first_observation_always_wins(length, play):
    environment = make_task(f'MemoryChain-{length}').make(0)
    assert np.all(play(environment, lambda seen: int(seen[0][2] > 0), range(100)) == 1.0)


@pytest.mark.parametrize('length', LENGTHS)
def test_the_opposite_answer_always_loses(length, play):
    environment = make_task(f'MemoryChain-{length}').make(0)
    assert np.all(play(environment, lambda seen: int(seen[0][2] < 0), range(20)) == -1.0)


@pytest.mark.parametrize('answer', [0, 1])
def test_without_the_context_nothing_is_won_on_average(answer, play):
    environment = make_task('MemoryChain-4').make(0)
    assert abs(play(environment, lambda _: answer, range(2000)).mean()) < 0.1


def test_the_present_observation_tells_nothing_when_the_answer_is_due(play):
    environment = make_task('MemoryChain-4').make(0)
    last = set()

    def note(seen):
        if len(seen) == 5:
            last.add(tuple(seen[-1]))
        return 0

    play(environment, note, range(50))
    assert last == {(0.25, 0.0, 0.0)}


def test_only_the_last_action_has_an_effect(play):
    environment = make_task('MemoryChain-8').make(1)
    random = np.random.default_rng(0)

    def answer_last(seen):
        return int(seen[0][2] > 0) if len(seen) == 9 else int(random.integers(2))

    assert np.all(play(environment, answer_last, range(100)) == 1.0)


def test_time_line_is_that_of_bsuite():
    """The observation of t = 0 twice, then 1 - t/N, then the end: N + 1 actions."""
    environment = MemoryChain(seed=0, length=4)
    context = environment.reset(0)[2]
    transitions = [environment.step(0) for _ in range(5)]
    assert [tuple(observation) for observation, *_ in transitions] == [
        (1.0, 0.0, context),
        (0.75, 0.0, 0.0),
        (0.5, 0.0, 0.0),
        (0.25, 0.0, 0.0),
        (0.0, 0.0, 0.0),
    ]
    assert [reward for _, reward, *_ in transitions[:-1]] == [0.0] * 4
    assert [terminated for _, _, terminated, _ in transitions] == [False] * 4 + [True]


@given(length=st.integers(1, 40), seed=st.integers(0, 2**32), episode=st.integers(0, 2**32))
def test_shown_once_means_once(length, seed, episode):
    environment = MemoryChain(seed, length, shown_once=True)
    observations, over = [environment.reset(episode)], False
    answer = int(observations[0][2] > 0)
    while not over:
        observation, reward, over, _ = environment.step(answer)
        observations.append(observation)
    assert reward == 1.0
    assert len(observations) == length + 1
    assert [abs(context) for _, _, context in observations] == [1.0] + [0.0] * length


def test_a_chain_without_a_link_is_refused():
    with pytest.raises(ValueError, match='at least 1'):
        MemoryChain(0, 0)
