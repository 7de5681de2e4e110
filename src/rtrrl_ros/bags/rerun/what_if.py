"""Another learner over the same drive, off-policy: what it would have done, and what it learns.

The car's way is the recorded one: what was executed is what was done. The candidate sees the same
observations, says what it would do, and learns from the executed actions and their rewards; its
actor weighs them by how likely it would have taken them (see `off_policy`). Its guard judges the
recorded laps, which it did not drive.
"""

import array
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from ...checkpoint import Checkpoint
from ...driving.actuation import Actuation
from ...driving.assembly import load_agent
from ...errors import UserError
from ...learning.policy import GaussianPolicy, LearnedGaussianPolicy
from ...safety.modes import Mode
from ...worlds.rewards import RewardFunction
from ..reading import Bag, require
from .agent import RecordingGapError, Rerun
from .calibration import Returns
from .candidate import Candidate
from .off_policy import TakenActions, sampled_log_density
from .outcome import COLUMNS, WhatIf
from .runs import RecordedRun
from .sight import Sight, make_sight, sees
from .steps import TYPES, Step, recorded_steps

_NAN = float('nan')


def what_if(
    bag: Bag, run: RecordedRun, candidate: Candidate, recorded: Checkpoint | None, *,
    stamp_offset_s: float = 0.0, on_step: Callable[[int], None] = lambda index: None,
) -> WhatIf:  # fmt: skip
    """Run a candidate over a recorded run.

    Parameters
    ----------
    recorded : the model that drove, if it is known
    on_step : told the index of each step

    Raises
    ------
    UserError
        the bag lacks what is needed, or the candidate does not fit its model
    """
    began_s = time.perf_counter()
    needed = ['/reward', '/executed', *(['/world_state'] if candidate.reward else [])]
    require(bag, {topic: TYPES[topic] for topic in needed})
    trial = _Trial(bag, run, candidate, recorded, stamp_offset_s)
    for index, step in enumerate(recorded_steps(bag, run, trial.sight, trial.remarks)):
        trial.step(step)
        on_step(index)
    columns, remarks = trial.finish()
    if not len(columns['stamp_s']):
        raise UserError(f'{bag.path}: not a single observation with features and a reward')
    return WhatIf(
        candidate, columns, trial.agent.counters.rollbacks, remarks,
        time.perf_counter() - began_s,
    )  # fmt: skip


class _Trial:
    """The candidate, step by step, and beside it the policy that drove."""

    def __init__(
        self, bag: Bag, run: RecordedRun, candidate: Candidate, recorded: Checkpoint | None,
        stamp_offset_s: float,
    ) -> None:  # fmt: skip
        self.remarks = [bag.incomplete] if bag.incomplete else []
        self._candidate, self._actuation = candidate, candidate.actuation
        self.sight = self._make_sight(bag, recorded, stamp_offset_s)
        self.agent = load_agent(
            candidate.checkpoint, candidate.learner, learn=True, explore=True, seed=0
        )
        inner = self.agent.policy
        assert isinstance(inner, GaussianPolicy | LearnedGaussianPolicy)
        self._policy = TakenActions(inner)
        self.agent.policy = self.agent.rtrrl.policy = self._policy
        self._behaviour: Rerun | None = None
        self._fallen_back = False
        if run.start is not None and recorded is not None:
            self._behaviour = Rerun(run.start, recorded, run.marks)
            if not run.start.explore:
                self._fall_back('the recorded policy did not explore')
        else:
            self._fall_back('the recorded learner is not known')
        self._reward = None if candidate.reward is None else RewardFunction(candidate.reward).reward
        gamma = candidate.learner.gamma if run.start is None else run.start.learner.gamma
        self._returns, self._recorded_returns = Returns(candidate.learner.gamma), Returns(gamma)
        self._rows = {name: array.array('d') for name in COLUMNS}
        self._lap_return = 0.0
        self._lap_open = False
        self._previous: Step | None = None
        if candidate.reward is not None:
            self.remarks.append('rewards are computed again from /world_state')
        if candidate.learner.scale_rewards:
            self.remarks.append('the candidate scales rewards: its values are in units of its own')

    def _make_sight(
        self, bag: Bag, recorded: Checkpoint | None, stamp_offset_s: float
    ) -> Sight | None:
        """None where the recorded features are those of the candidate's own encoder."""
        same = recorded is not None and _same_encoder(recorded, self._candidate.checkpoint)
        if same and '/features' in bag.topics:
            return None
        sight = make_sight(self._candidate.checkpoint, stamp_offset_s)
        if not sees(bag, sight):
            raise UserError(
                f'{bag.path}: without {sight.topic} only a model with the encoder of the recorded '
                'one can be tried'
            )
        return sight

    def _fall_back(self, reason: str) -> None:
        if not self._fallen_back:
            self.remarks.append(
                f'{reason}: an executed action counts as if the candidate had preferred it'
            )
        self._fallen_back = True

    def step(self, step: Step) -> None:
        """Show the candidate one observation."""
        features = step.features if self.sight is None else step.encoded
        if features is None or step.signal is None:
            if step.features is not None or step.encoded is not None:
                self.agent.skip()
                self._previous = None
            return
        if step.first and self._lap_open:
            self._end_lap(terminated=False, judged=False)
        self._lap_open = True
        proposed, recorded_mean = self._follow(step)
        self._policy.taken = self._taken(step)
        self._policy.taken_log_density = None
        if proposed is not None and self._policy.taken is not None and self._drove(step):
            assert self._behaviour is not None
            self._policy.taken_log_density = sampled_log_density(
                self._behaviour.agent.policy, proposed, self._policy.taken
            )
        acted = self.agent.act(features) is not None
        reward = step.signal.reward
        if self._reward is not None and step.state is not None:
            reward = self._reward(step.state)
        update = self.agent.learn(
            reward=reward, first=step.first, terminated=step.signal.terminated,
            executed=self._previous is not None and _was_executed(self._previous),
        )  # fmt: skip
        self._returns.add(reward)
        self._recorded_returns.add(step.signal.reward)
        wanted = self._actuation.command(step.stamp_ns, self._policy.mean.clip(-1.0, 1.0))
        status = step.status
        done = None if step.executed is None else step.executed.command
        self._add(
            stamp_s=step.stamp_ns * 1e-9, lap=step.signal.lap,
            steering=wanted.steering_angle_rad if acted else _NAN,
            acceleration=wanted.acceleration_m_s2 if acted else _NAN,
            executed_steering=_NAN if done is None else done.steering_angle_rad,
            executed_acceleration=_NAN if done is None else done.acceleration_m_s2,
            recorded_steering=recorded_mean,
            td_error=update.td_error if update.updated else _NAN,
            recorded_td_error=status.td_error if status and not step.first else _NAN,
            value=update.value if acted and not update.refused else _NAN,
            recorded_value=status.value if status else _NAN,
            weight=self._policy.weight if self._policy.taken is not None else _NAN,
            drift=self.agent.drift(), learned=float(update.updated),
        )  # fmt: skip
        self._lap_return += step.signal.task_reward
        self._previous = step
        if step.last:
            self._end_lap(step.signal.terminated, judged=True)

    def _follow(self, step: Step) -> tuple[np.ndarray | None, float]:
        """What the policy that drove proposed, in units of action, and its mean steering angle."""
        if self._behaviour is None:
            return None, _NAN
        try:
            outcome = self._behaviour.advance(step)
        except RecordingGapError as error:
            self._fall_back(str(error))
            self._behaviour = None
            return None, _NAN
        if outcome.proposal is None:
            return None, _NAN
        proposed = _action(self._actuation, outcome.proposal, self._size)
        agent = self._behaviour.agent
        mean = np.asarray(agent.policy.mode(agent.rtrrl.head))
        wanted = self._actuation.command(step.stamp_ns, mean.clip(-1.0, 1.0))
        return proposed, wanted.steering_angle_rad

    def _drove(self, step: Step) -> bool:
        """Whether what was executed came from the recorded policy, by chance that is known."""
        own = step.executed is not None and step.executed.mode in (Mode.PASSED, Mode.LIMITED)
        if self._behaviour is not None and self._behaviour.agent.resting:
            return False  # no chance: it took what it thought best
        return own and not self._fallen_back

    @property
    def _size(self) -> int:
        head = self.agent.networks['actor'].head_size
        return head // 2 if self._candidate.learner.exploration == 'learned' else head

    def _taken(self, step: Step) -> np.ndarray | None:
        if step.executed is None or not _was_executed(step):
            return None
        return _action(self._actuation, step.executed.command, self._size)

    def _end_lap(self, terminated: bool, judged: bool) -> None:
        if judged:
            self.agent.end_lap(self._lap_return)
        else:
            self.agent.restart()
        self._returns.end_lap(terminated)
        self._recorded_returns.end_lap(terminated)
        self._lap_return, self._lap_open, self._previous = 0.0, False, None

    def _add(self, **numbers: float) -> None:
        for name, number in numbers.items():
            self._rows[name].append(number)

    def finish(self) -> tuple[dict[str, np.ndarray], list[str]]:
        """The columns and remarks, when all steps were seen."""
        columns = {
            name: np.array(rows) for name, rows in self._rows.items() if 'return' not in name
        }
        for prefix, returns in (('', self._returns), ('recorded_', self._recorded_returns)):
            numbers, known = returns.arrays()
            columns |= {f'{prefix}return': numbers, f'{prefix}return_known': known.astype(float)}
        if self.sight is not None:
            self.remarks += self.sight.remarks()
        return columns, self.remarks


def _was_executed(step: Step) -> bool:
    return step.executed is not None and step.executed.mode is not Mode.STOPPED


def _action(actuation: Actuation, command: Any, size: int) -> np.ndarray:
    """(size,) the action that a command came from."""
    action = [command.steering_angle_rad / actuation.max_steering_angle_rad]
    if size > 1:
        action.append(command.acceleration_m_s2 / actuation.max_acceleration_m_s2)
    return np.array(action, np.float32)


def _same_encoder(one: Checkpoint, other: Checkpoint) -> bool:
    """Whether two models make the same features of the same observation."""
    first, second = one.part('encoder.'), other.part('encoder.')
    keys = ('sensor', 'window', 'frame', 'image_size', 'width', 'height')
    return (
        first.keys() == second.keys()
        and all(one.config.get(key) == other.config.get(key) for key in keys)
        and all(torch.equal(tensor, second[name]) for name, tensor in first.items())
    )
