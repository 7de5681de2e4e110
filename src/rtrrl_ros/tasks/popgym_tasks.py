"""Tasks of POPGym (Morad et al. 2023, arXiv 2303.01859), which is an optional dependency.

All are POPGym's "Easy" ones. Table 3 of arXiv 2311.04830 does not name a difficulty, but its
scores tell: an agent of 32 units reaches 1.00 in RepeatPrevious, which the Easy variant (the card
four back, one deck) allows and the Medium one (32 back) hardly does. POPGym 1.0.7 calls
StatelessCartPole PositionOnlyCartPole; we keep the published names.

POPGym scales rewards so that a return lies in [-1, 1]. Its bandits and its minesweeper do not say
what was chosen before: a policy needs the previous action among its inputs.
"""

import importlib
from functools import partial

import gymnasium

from ..errors import UserError
from .contract import Environment, Task
from .gymnasium_tasks import GymnasiumTask

_STANDING = '1/200 per step that the pole stands and the cart is on the track'
_CARDS = 'the share of right answers minus the share of wrong ones'


def popgym_tasks() -> list[Task]:
    """The six with published numbers; POPGym is imported when one is made, not before."""
    return [
        _task(
            'StatelessCartPole',
            'position_only_cartpole:PositionOnlyCartPoleEasy',
            sizes=(2, 2, 200),
            score=_STANDING,
        ),
        _task(
            'NoisyStatelessCartPole',
            'noisy_position_only_cartpole:NoisyPositionOnlyCartPoleEasy',
            sizes=(2, 2, 200),
            score=_STANDING,
        ),
        _task(
            'MultiArmedBandit',
            'multiarmed_bandit:MultiarmedBanditEasy',
            sizes=(2, 10, 200),
            score='the share of steps in which the chosen arm pays minus the share of others',
            best=9 / 11,  # the best of ten arms pays with a probability of 10/11 on average
            needs_previous_action=True,
        ),
        _task('RepeatFirst', 'repeat_first:RepeatFirstEasy', sizes=(4, 4, 51), score=_CARDS),
        _task(
            'RepeatPrevious', 'repeat_previous:RepeatPreviousEasy', sizes=(4, 4, 51), score=_CARDS
        ),
        _task(
            'Minesweeper',
            'minesweeper:MineSweeperEasy',
            sizes=(3, 16, 14),
            score='1/14 for a free square, -1/24 for one seen before, -1/2 - 1/14 for a mine',
            needs_previous_action=True,
        ),
    ]


def _task(
    name: str,
    where: str,
    sizes: tuple[int, int, int],
    score: str,
    best: float = 1.0,
    needs_previous_action: bool = False,
) -> Task:
    observation_size, action_size, max_steps = sizes
    return Task(
        name=name,
        factory=partial(_make, name=name, where=where, max_steps=max_steps),
        observation_size=observation_size,
        action_size=action_size,
        max_steps=max_steps,
        score=score,
        best=best,
        needs_previous_action=needs_previous_action,
    )


def _make(seed: int, name: str, where: str, max_steps: int) -> Environment:
    module, _, environment = where.partition(':')

    def make() -> gymnasium.Env:
        try:
            return getattr(importlib.import_module(f'popgym.envs.{module}'), environment)()
        except ModuleNotFoundError as error:
            if (error.name or '').partition('.')[0] != 'popgym':
                raise
            raise UserError(
                f"the task {name} needs POPGym: pip install 'rtrrl_ros[pomdp]'"
            ) from error

    return GymnasiumTask(seed, make, max_steps)
