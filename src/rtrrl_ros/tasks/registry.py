"""All tasks by name."""

from functools import partial

from ..errors import UserError
from .bernoulli_bandit import BernoulliBandit
from .catch import Catch
from .contract import Task
from .deep_sea import MOVE_COST, DeepSea
from .masking import masked_tasks
from .memory_chain import MemoryChain
from .popgym_tasks import popgym_tasks
from .umbrella_chain import UmbrellaChain


def _memory_chain(length: int) -> Task:
    return Task(
        name=f'MemoryChain-{length}',
        factory=partial(MemoryChain, length=length),
        observation_size=3,
        action_size=2,
        max_steps=length + 1,
        score='1 for the right answer at the end, -1 for the wrong one',
        best=1.0,
    )


def _deep_sea(size: int, mapped: bool = True) -> Task:
    return Task(
        name=f'DeepSea-{size}' if mapped else f'DeepSea-{size}-unmapped',
        factory=partial(DeepSea, size=size, mapped=mapped),
        observation_size=size * size,
        action_size=2,
        max_steps=size,
        score=f'1 for the treasure, -{MOVE_COST}/{size} per move to the right',
        best=1.0 - MOVE_COST,
    )


def _umbrella_chain(name: str, distractors: int) -> Task:
    return Task(
        name=name,
        factory=partial(UmbrellaChain, length=10, distractors=distractors),
        observation_size=3 + distractors,
        action_size=2,
        max_steps=10,
        score='1 or -1 at the end for the choice at the start, and nine coin tosses of 1 or -1',
        best=1.0,
    )


_CATCH = Task(
    name='Catch',
    factory=Catch,
    observation_size=50,
    action_size=3,
    max_steps=9,
    score='1 if the ball is caught, -1 if not',
    best=1.0,
)

_BERNOULLI_BANDIT = Task(
    name='BernoulliBandit',
    factory=BernoulliBandit,
    observation_size=4,
    action_size=2,
    max_steps=1000,
    score='1 whenever the chosen arm pays, in 1,000 steps',
    best=900.0,
)

TASKS: dict[str, Task] = {
    task.name: task
    for task in (
        *(_memory_chain(length) for length in (4, 8, 16, 32, 64)),
        *masked_tasks(),
        _umbrella_chain('UmbrellaChain', distractors=0),
        _umbrella_chain('UmbrellaChain-distractors', distractors=20),
        *(_deep_sea(size) for size in (4, 8, 16)),
        *(_deep_sea(size, mapped=False) for size in (4, 8, 16)),
        _CATCH,
        _BERNOULLI_BANDIT,
        *popgym_tasks(),
    )
}


def make_task(name: str) -> Task:
    """Find the task of that name, or raise a UserError that lists them all."""
    try:
        return TASKS[name]
    except KeyError:
        raise UserError(f'no task is called {name!r}; there are: {", ".join(TASKS)}') from None
