"""Tasks are found by the names of the published tables."""

import pickle
import subprocess
import sys

import pytest

from rtrrl_ros.errors import UserError
from rtrrl_ros.tasks import TASKS, make_task

PUBLISHED = (
    *(f'MemoryChain-{length}' for length in (4, 8, 16, 32, 64)),
    *('CartPole-vel', 'CartPole-pos', 'UmbrellaChain', 'DeepSea-16', 'MountainCarContinuous'),
    *('StatelessCartPole', 'NoisyStatelessCartPole', 'MultiArmedBandit', 'RepeatFirst'),
    *('RepeatPrevious', 'Minesweeper', 'Catch', 'BernoulliBandit'),
)


@pytest.mark.parametrize('name', PUBLISHED)
def test_every_published_task_is_there(name):
    assert make_task(name).name == name
    assert make_task(name).score


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(UserError, match=r"'CartPole-v1'.*MemoryChain-4.*RepeatFirst"):
        make_task('CartPole-v1')


@pytest.mark.parametrize('name', TASKS)
def test_a_task_can_be_sent_to_another_process(name):
    assert pickle.loads(pickle.dumps(TASKS[name])).name == name


def test_tasks_need_neither_ros_nor_the_learner_nor_popgym():
    code = (
        'import sys, rtrrl_ros.tasks; '
        "print({m.partition('.')[0] for m in sys.modules} & {'torch', 'rclpy', 'popgym', 'numba'}, "
        "{m for m in sys.modules if m.startswith('rtrrl_ros.')} "
        "- {m for m in sys.modules if m.startswith('rtrrl_ros.tasks')})"
    )
    result = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True, check=True
    )
    assert result.stdout.split() == ['set()', "{'rtrrl_ros.errors'}"]
