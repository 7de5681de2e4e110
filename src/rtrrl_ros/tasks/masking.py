"""CartPole, Acrobot and MountainCarContinuous, of which one sees only a part.

What the suffixes mean: `-pos` shows the positions and hides the velocities, `-vel` shows the
velocities and hides the positions. What is hidden is left out, not set to zero. The appendix of
arXiv 2311.04830 names the tasks but does not say which half is shown. Two things do: the authors'
code masks by keeping the even components (0 and 2 of CartPole, the positions) or the odd ones (the
velocities), and their linear agent without memory reaches 455 of 500 steps in CartPole-vel and 57
in CartPole-pos. The best linear policy of the velocities holds the pole for about 470 steps, that
of the positions for about 50 (test/tasks/test_masking.py): so what the suffix names is what is
seen. POPGym's StatelessCartPole shows the positions, too.

The environments are gymnasium's CartPole-v1 (500 steps), Acrobot-v1 (500 steps) and
MountainCarContinuous-v0 (999 steps).
"""

from functools import partial

import gymnasium

from .contract import Task
from .gymnasium_tasks import GymnasiumTask

_CART_POLE = 'one per step that the pole stands and the cart is on the track, 500 steps at most'
_ACROBOT = 'minus one per step until the tip is up, 500 steps at most'
_MOUNTAIN_CAR = '100 at the goal, minus a tenth of the squared force in every step'

#: parts of gymnasium's observations: [x, dx/dt, angle, its rate]; [cos a, sin a, cos b, sin b, rate
#: of a, rate of b]; [position, velocity]
_SEEN: dict[str, dict[str, tuple[int, ...]]] = {
    'CartPole': {'': (0, 1, 2, 3), '-pos': (0, 2), '-vel': (1, 3)},
    'Acrobot': {'': (0, 1, 2, 3, 4, 5), '-pos': (0, 1, 2, 3), '-vel': (4, 5)},
    'MountainCarContinuous': {'': (0, 1), '-pos': (0,), '-vel': (1,)},
}


def masked_tasks() -> list[Task]:
    """All three, whole and in halves."""
    return [
        *_tasks('CartPole', 'CartPole-v1', 2, 500, _CART_POLE, 500.0),
        *_tasks('Acrobot', 'Acrobot-v1', 3, 500, _ACROBOT, 0.0),
        *_tasks(
            'MountainCarContinuous',
            'MountainCarContinuous-v0',
            1,
            999,
            _MOUNTAIN_CAR,
            100.0,
            discrete=False,
        ),
    ]


def _tasks(
    name: str,
    gymnasium_id: str,
    action_size: int,
    max_steps: int,
    score: str,
    best: float,
    discrete: bool = True,
) -> list[Task]:
    make = partial(gymnasium.make, gymnasium_id)
    return [
        Task(
            name=name + suffix,
            factory=partial(GymnasiumTask, make=make, max_steps=max_steps, kept=kept),
            observation_size=len(kept),
            action_size=action_size,
            max_steps=max_steps,
            score=score,
            best=best,
            discrete=discrete,
        )
        for suffix, kept in _SEEN[name].items()
    ]
