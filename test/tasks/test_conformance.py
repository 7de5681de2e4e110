"""Every task keeps the contract, and the contract's tests fail for tasks that do not."""

import dataclasses
import importlib.util
from typing import Any

import numpy as np
import pytest

from rtrrl_ros.tasks import TASKS, Environment, Task
from rtrrl_ros.tasks.conformance import TaskConformance
from rtrrl_ros.tasks.contract import choice
from rtrrl_ros.tasks.popgym_tasks import popgym_tasks

_OPTIONAL = {task.name for task in popgym_tasks()}
_NO_POPGYM = pytest.mark.skipif(importlib.util.find_spec('popgym') is None, reason='needs POPGym')

for _task in TASKS.values():
    _class = 'Test' + _task.name.replace('-', '_')
    _members: dict[str, Any] = {'task': _task, 'VARIES': not _task.name.endswith('-unmapped')}
    if _task.name in _OPTIONAL:
        _members['pytestmark'] = _NO_POPGYM
    globals()[_class] = type(_class, (TaskConformance,), _members)


class Toy(Environment):
    """Guess a number for five steps; right is 1."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed, 5)

    def _begin(self, random):
        self.number = int(random.integers(3))
        return np.array([self.number, 0], np.float32)

    def _advance(self, action):
        hit = choice(action, 3) == self.number
        return np.array([self.number, hit], np.float32), float(hit), False, False


class Remembers(Toy):
    def _begin(self, random):
        self.played = getattr(self, 'played', 0) + 1
        self.number = self.played % 3
        return np.array([self.number, 0], np.float32)


class Unseeded(Toy):
    def _begin(self, random):
        return super()._begin(np.random.default_rng())


class Constant(Toy):
    def _begin(self, random):
        return super()._begin(np.random.default_rng(0))


class DoublePrecision(Toy):
    def _begin(self, random):
        return super()._begin(random).astype(float)


class OneBuffer(Toy):
    def _begin(self, random):
        self.buffer = super()._begin(random)
        return self.buffer

    def _advance(self, action):
        self.buffer[:], *rest = super()._advance(action)
        return self.buffer, *rest


class NumpyReward(Toy):
    def _advance(self, action):
        observation, reward, *rest = super()._advance(action)
        return observation, np.float32(reward), *rest


class NotFinite(Toy):
    def _advance(self, action):
        return np.array([np.nan, 0], np.float32), *super()._advance(action)[1:]


class TakesAnything(Toy):
    def _advance(self, action):
        return np.zeros(2, np.float32), 0.0, False, False


class ChangesThenRefuses(Toy):
    def _advance(self, action):
        self.number = (self.number + 1) % 3
        return super()._advance(action)


class OnlyPythonActions(Toy):
    def _advance(self, action):
        if type(action) is not int:
            raise ValueError(action)
        return super()._advance(action)


class NeverOver(Toy):
    def step(self, action):
        return *super().step(action)[:3], False


class EndsTwice(Toy):
    def step(self, action):
        observation, reward, _, truncated = super().step(action)
        return observation, reward, truncated, truncated


class NoResetNeeded(Toy):
    number = 0

    def step(self, action):
        if self._left == 0:
            return self.reset(0), 0.0, False, False
        return super().step(action)


TOY = Task('Toy', Toy, observation_size=2, action_size=3, max_steps=5, score='hits', best=5.0)
TESTS = [name for name in vars(TaskConformance) if name.startswith('test_')]


def failures(task: Task) -> set[str]:
    conformance = type('Conformance', (TaskConformance,), {'task': task})()
    failed = set()
    for name in TESTS:
        try:
            getattr(conformance, name)()
        except Exception:
            failed.add(name)
    return failed


def test_a_sound_task_passes():
    assert failures(TOY) == set()


@pytest.mark.parametrize(
    ('broken', 'test'),
    [
        (Remembers, 'an_episode_does_not_depend_on_what_was_played_before'),
        (Unseeded, 'same_seed_and_actions_give_the_same_bits'),
        (Constant, 'seeds_and_episodes_differ'),
        (DoublePrecision, 'observations_and_rewards_have_the_types_and_sizes_of_the_contract'),
        (NumpyReward, 'observations_and_rewards_have_the_types_and_sizes_of_the_contract'),
        (NotFinite, 'observations_and_rewards_have_the_types_and_sizes_of_the_contract'),
        (OneBuffer, 'an_observation_stays_as_it_was_and_may_be_written_to'),
        (TakesAnything, 'a_bad_action_is_refused_and_changes_nothing'),
        (ChangesThenRefuses, 'a_bad_action_is_refused_and_changes_nothing'),
        (OnlyPythonActions, 'numpy_actions_are_actions'),
        (NeverOver, 'only_the_last_step_ends_the_episode_and_in_one_way'),
        (EndsTwice, 'only_the_last_step_ends_the_episode_and_in_one_way'),
        (NoResetNeeded, 'step_needs_a_reset_first_and_after_the_end'),
    ],
)
def test_a_broken_task_fails(broken, test):
    assert f'test_{test}' in failures(dataclasses.replace(TOY, factory=broken))


@pytest.mark.parametrize('wrong', [{'observation_size': 3}, {'action_size': 2}, {'max_steps': 4}])
def test_a_wrong_description_fails(wrong):
    assert failures(dataclasses.replace(TOY, **wrong))
