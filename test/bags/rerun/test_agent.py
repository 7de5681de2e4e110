"""In real time messages come late or never; the run comes out again all the same."""

import functools
import heapq
import itertools
import types

import numpy as np
import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from rtrrl_ros.bags.rerun.agent import RecordingGapError, Rerun
from rtrrl_ros.bags.rerun.steps import Executed, Step
from rtrrl_ros.checkpoint import load_checkpoint
from rtrrl_ros.driving.actuation import Actuation
from rtrrl_ros.driving.assembly import load_agent
from rtrrl_ros.driving.driver import Driver, RewardSignal
from rtrrl_ros.driving.learner_run import LAP, LEFT, begin_run, mark_run, weight_digests
from rtrrl_ros.learning.config import LearnerConfig
from rtrrl_ros.safety.command import Command
from rtrrl_ros.safety.modes import Mode
from rtrrl_ros.worlds.contract import StepType

PERIOD_NS = 10_000_000
LEARNER = LearnerConfig(
    actor_learning_rate=1e-3, critic_learning_rate=1e-3, warmup_laps=0, rollback_margin=0.0,
    rollback_laps=1, probation_laps=4,
)  # fmt: skip
ACTUATION = Actuation(max_steering_angle_rad=0.4)
#: of a reward or of what was executed, in periods; the last: never heard by the agent
DELAYS = (0.05, 0.4, 0.95, 1.3, 2.6, None)

delays = st.sampled_from(DELAYS)
modes = st.sampled_from([*Mode])
# per observation: delay of its reward, of its executed command, the mode
observation = st.tuples(delays, delays, modes)
# what begins and ends a lap is heard before the next observation: the order of later ones is lost
end_of_lap = st.tuples(st.sampled_from(DELAYS[:3]), delays, modes)
lap = st.builds(
    lambda first, middle, last: [first, *middle, last],
    end_of_lap, st.lists(observation, max_size=5), end_of_lap,
)  # fmt: skip


@functools.cache
def checkpoint(model):
    return load_checkpoint(model)


def fresh_agent(model, learn=True):
    return load_agent(checkpoint(model), LEARNER, learn=learn, explore=learn, seed=3)


def signal(stamp_ns: int, lap: int, index: int, length: int) -> RewardSignal:
    kind = StepType.FIRST if index == 0 else StepType.MID
    kind = StepType.LAST if index == length - 1 else kind
    reward = float(np.float32(np.sin(stamp_ns * 1e-7)))
    terminated = kind is StepType.LAST and lap % 2 == 0
    return RewardSignal(stamp_ns, lap, kind, terminated, not terminated, reward, reward)


class Drive:
    """The agent in real time; keeps what a recorder would have heard, as steps."""

    def __init__(self, model, laps, lockstep=False) -> None:
        self.agent = fresh_agent(model)
        self.start = begin_run(str(model), self.agent, ACTUATION, seed=3, lockstep=lockstep)
        self.driver = Driver(
            self.agent, ACTUATION, lockstep=lockstep, on_report=self._on_report,
            on_left=self._on_left,
        )  # fmt: skip
        self.marks: list = []
        self._order = itertools.count()
        self.steps: dict[int, Step] = {}
        self._queue: list = []
        self._delays: dict[int, tuple] = {}
        generator = np.random.default_rng(0)
        for number, observations in enumerate(laps):
            for index, (reward_delay, *rest) in enumerate(observations):
                period = 1 + len(self.steps)
                stamp_ns = period * PERIOD_NS
                features = generator.standard_normal(16).astype(np.float32)
                told = signal(stamp_ns, number, index, len(observations))
                self.steps[stamp_ns] = Step(stamp_ns, features, period - 1, signal=told)
                self._delays[stamp_ns] = tuple(rest)
                self._push(period, self.driver.on_features, stamp_ns, features)
                if reward_delay is not None:
                    self._push(period + reward_delay, self.driver.on_reward, told)
        while self._queue:
            self._now, _, call, arguments = heapq.heappop(self._queue)
            for command in call(*arguments):
                self._answer(command)

    def _push(self, when, call, *arguments) -> None:
        heapq.heappush(self._queue, (when, next(self._order), call, arguments))

    def _answer(self, command: Command) -> None:
        step = self.steps[command.stamp_ns]
        if step.proposal is not None:
            return
        step.proposal = command
        delay, mode = self._delays[command.stamp_ns]
        step.executed = Executed(command, mode)
        if delay is not None:
            self._push(self._now + delay, self.driver.on_executed, command.stamp_ns, mode)

    def _on_report(self, report) -> None:
        if report.lap_end is not None:
            signal, judged = report.signal, report.lap_return
            self.marks.append(
                mark_run(LAP, signal.stamp_ns, signal.lap, self.agent, lap_return=judged)
            )
        self.steps[report.signal.stamp_ns].status = types.SimpleNamespace(
            value=report.update.value, td_error=report.update.td_error,
            missed=self.agent.counters.missed,
        )  # fmt: skip

    def _on_left(self, left) -> None:
        how = {'acted': left.acted, 'lap_return': left.lap_return}
        self.marks.append(mark_run(LEFT, left.stamp_ns, left.lap, self.agent, **how))


def repeat(drive: Drive, model) -> Rerun:
    """Run it again from the steps and compare each of them."""
    rerun = Rerun(drive.start, checkpoint(model), drive.marks)
    for stamp_ns, step in sorted(drive.steps.items()):
        outcome = rerun.advance(step)
        assert outcome.proposal == step.proposal, stamp_ns
        assert (outcome.report is None) == (step.status is None), stamp_ns
        if outcome.report is not None:
            assert outcome.report.update.td_error == step.status.td_error
            assert outcome.report.update.value == step.status.value
    return rerun


LATE = (1.3, 0.05, Mode.PASSED)
PROMPT = (0.05, 0.05, Mode.PASSED)
#: a lap's end that is heard after the next lap has begun; and after the one after that
LATE_ENDS = [[[PROMPT] * 2, [PROMPT, LATE], [PROMPT] * 2]]
LATE_ENDS += [[[(0.05, 2.6, Mode.PASSED), PROMPT], [LATE] * 2, [PROMPT] * 2]]


@settings(max_examples=25, deadline=None, phases=[Phase.explicit, Phase.generate])
@example(laps=LATE_ENDS[0])
@example(laps=LATE_ENDS[1])
@given(laps=st.lists(lap, min_size=1, max_size=6))
def test_a_run_in_real_time_comes_out_again(untrained_line_model, laps):
    drive = Drive(untrained_line_model, laps)
    rerun = repeat(drive, untrained_line_model)
    assert weight_digests(rerun.agent) == weight_digests(drive.agent)


@settings(max_examples=10, deadline=None)
@given(laps=st.lists(lap, min_size=1, max_size=3))
def test_a_run_in_lock_step_comes_out_again(untrained_line_model, laps):
    prompt = [[(0.05, 0.05, mode) for *_, mode in observations] for observations in laps]
    drive = Drive(untrained_line_model, prompt, lockstep=True)
    rerun = repeat(drive, untrained_line_model)
    assert weight_digests(rerun.agent) == weight_digests(drive.agent)
    assert all(step.status is not None for step in drive.steps.values())


@pytest.mark.parametrize('lockstep', [False, True])
def test_a_run_that_came_to_rest_comes_out_again(untrained_line_model, lockstep):
    drive = Drive(untrained_line_model, [[(0.05, 0.05, Mode.PASSED)] * 6] * 4, lockstep=lockstep)
    assert drive.agent.resting
    rerun = repeat(drive, untrained_line_model)
    assert rerun.agent.resting
    assert weight_digests(rerun.agent) == weight_digests(drive.agent)


def test_what_the_agent_never_got_is_told_from_what_the_bag_lacks(untrained_line_model):
    drive = Drive(untrained_line_model, [[(0.05, 0.05, Mode.PASSED)] * 6])
    steps = [step for _, step in sorted(drive.steps.items())]
    steps[3].signal = None  # but there is a status: the agent had it
    rerun = Rerun(drive.start, checkpoint(untrained_line_model))
    for step in steps[:3]:
        rerun.advance(step)
    with pytest.raises(RecordingGapError, match=r'lacks the reward of 0\.040 s'):
        rerun.advance(steps[3])
