"""All tasks by name."""

from functools import partial

from ..errors import UserError
from .contract import Task
from .masking import masked_tasks
from .memory_chain import MemoryChain

_ANSWER = '1 for the right answer at the end, -1 for the wrong one'


def _memory_chain(length: int) -> Task:
    return Task(
        name=f'MemoryChain-{length}',
        factory=partial(MemoryChain, length=length),
        observation_size=3,
        action_size=2,
        max_steps=length + 1,
        score=_ANSWER,
        best=1.0,
    )


TASKS: dict[str, Task] = {
    task.name: task
    for task in (
        *(_memory_chain(length) for length in (4, 8, 16, 32, 64)),
        *masked_tasks(),
    )
}


def make_task(name: str) -> Task:
    """Find the task of that name, or raise a UserError that lists them all."""
    try:
        return TASKS[name]
    except KeyError:
        raise UserError(f'no task is called {name!r}; there are: {", ".join(TASKS)}') from None
