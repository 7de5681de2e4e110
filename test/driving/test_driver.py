"""Pairing by stamp: act first, learn after, never from half a step."""

from collections.abc import Iterator

import numpy as np
import pytest

from rtrrl_ros.driving.actuation import Actuation
from rtrrl_ros.driving.assembly import make_agent, make_networks
from rtrrl_ros.driving.driver import Driver, DriverReport, RewardSignal
from rtrrl_ros.learning.config import LearnerConfig
from rtrrl_ros.safety.command import Command
from rtrrl_ros.safety.modes import Mode
from rtrrl_ros.worlds.contract import StepType

SIZE = 4


class Rig:
    """A driver with a small agent, and the log of what it did in which order."""

    def __init__(self, lockstep: bool, seed: int = 0) -> None:
        networks = make_networks('lrcssm', SIZE, 6, seed=1)
        config = LearnerConfig(warmup_laps=0, actor_learning_rate=1e-3)
        self.agent = make_agent(networks, config, learn=True, explore=True, seed=seed)
        self.reports: list[DriverReport] = []
        self.log: list[str] = []
        self.driver = Driver(self.agent, Actuation(), lockstep=lockstep, on_report=self._on_report)

    def _on_report(self, report: DriverReport) -> None:
        self.reports.append(report)
        self.log.append(f'learned {report.signal.stamp_ns}')

    def take(self, commands: Iterator[Command]) -> list[int]:
        stamps = []
        for command in commands:
            stamps.append(command.stamp_ns)
            self.log.append(f'sent {command.stamp_ns}')
        return stamps

    def features(self, stamp: int) -> list[int]:
        data = np.full(SIZE, 0.1 * stamp, dtype=np.float32)
        return self.take(self.driver.on_features(stamp, data))

    def reward(
        self, stamp: int, step_type: StepType = StepType.MID, reward: float = 0.5, lap: int = 0
    ) -> list:
        last = step_type is StepType.LAST
        return self.take(
            self.driver.on_reward(
                RewardSignal(stamp, lap, step_type, False, last, reward, task_reward=reward)
            )
        )

    def executed(self, stamp: int, mode: Mode = Mode.PASSED) -> list[int]:
        return self.take(self.driver.on_executed(stamp, mode))


@pytest.mark.parametrize('lockstep', [True, False])
def test_the_action_is_sent_before_anything_is_learned(lockstep: bool) -> None:
    rig = Rig(lockstep)
    rig.reward(1, StepType.FIRST)
    rig.executed(1)
    rig.features(1)
    rig.reward(2)
    rig.features(2)
    assert rig.log == ['sent 1', 'learned 1', 'sent 2', 'learned 2']


def test_lock_step_defers_the_action_until_the_step_before_is_learned() -> None:
    rig = Rig(lockstep=True)
    rig.reward(1, StepType.FIRST)
    assert rig.features(1) == [1]
    assert rig.features(2) == [2]
    assert rig.features(3) == []  # nothing is known about 2 yet
    assert rig.reward(2) == []
    assert rig.executed(1) == [3]  # the last partner releases it


def test_without_lock_step_a_missing_partner_means_no_update() -> None:
    rig = Rig(lockstep=False)
    rig.reward(1, StepType.FIRST)
    rig.features(1)
    rig.executed(1)
    assert rig.features(2) == [2]
    before = rig.agent.networks['actor'].flat.clone()
    assert rig.features(3) == [3]  # the reward of 2 never came
    rig.reward(2)  # too late
    assert rig.agent.counters.missed == 1
    assert (rig.agent.networks['actor'].flat == before).all()
    rig.executed(2)
    rig.reward(3)
    assert rig.reports[-1].signal.stamp_ns == 3
    assert not rig.reports[-1].update.updated  # the link to 2 was cut
    rig.features(4)
    rig.executed(3)
    rig.reward(4)
    assert rig.reports[-1].update.updated


@pytest.mark.parametrize('mode', [Mode.TAKEOVER, Mode.STOPPED])
def test_nothing_is_learned_from_an_action_that_was_overruled(mode: Mode) -> None:
    rig = Rig(lockstep=True)
    rig.reward(1, StepType.FIRST)
    rig.features(1)
    rig.executed(1, mode)
    rig.reward(2)
    rig.features(2)
    assert not rig.reports[-1].update.updated
    rig.executed(2, Mode.LIMITED)
    rig.reward(3)
    rig.features(3)
    assert rig.reports[-1].update.updated


def test_a_known_stamp_gets_the_same_command_again_and_is_not_acted_on_twice() -> None:
    rig = Rig(lockstep=True)
    data = np.zeros(SIZE, dtype=np.float32)
    rig.reward(1, StepType.FIRST)
    (first,) = rig.driver.on_features(1, data)
    (again,) = rig.driver.on_features(1, data)
    assert first == again
    assert rig.agent.counters.steps == 1


def test_the_order_in_which_messages_arrive_does_not_change_the_numbers() -> None:
    def run(swap: bool) -> tuple[list[float], np.ndarray]:
        rig = Rig(lockstep=True)
        rig.reward(1, StepType.FIRST)
        rig.features(1)
        for stamp in range(2, 12):
            kind = StepType.LAST if stamp == 6 else StepType.FIRST if stamp == 7 else StepType.MID
            steps = [
                lambda s=stamp: rig.executed(s - 1),
                lambda s=stamp, k=kind: rig.reward(s, k, reward=0.1 * s),
                lambda s=stamp: rig.features(s),
            ]
            for step in reversed(steps) if swap else steps:
                step()
        errors = [r.update.td_error for r in rig.reports]
        return errors, rig.agent.networks['actor'].flat.numpy().copy()

    errors, weights = run(swap=False)
    swapped_errors, swapped_weights = run(swap=True)
    assert errors == swapped_errors
    assert np.array_equal(weights, swapped_weights)


def test_a_lap_ends_with_a_fresh_recurrent_state() -> None:
    rig = Rig(lockstep=True)
    rig.reward(1, StepType.FIRST)
    rig.features(1)
    rig.executed(1)
    rig.reward(2, StepType.LAST)
    rig.features(2)
    assert rig.reports[-1].lap_end is not None
    assert (rig.agent.rtrrl.actor.state == 0).all()


@pytest.mark.parametrize('bad', [np.nan, np.inf])
def test_non_finite_features_send_nothing(bad: float) -> None:
    rig = Rig(lockstep=False)
    data = np.zeros(SIZE, dtype=np.float32)
    data[1] = bad
    assert list(rig.driver.on_features(1, data)) == []
    assert rig.features(2) == [2]  # and the next good ones drive again


def in_the_middle_of_a_lap() -> Rig:
    """Real time, after three observations of lap 0; 4 is its last, 5 the first of lap 1."""
    rig = Rig(lockstep=False)
    for stamp in (1, 2, 3):
        rig.features(stamp)
        rig.reward(stamp, StepType.FIRST if stamp == 1 else StepType.MID)
        rig.executed(stamp)
    assert (rig.agent.rtrrl.actor.state != 0).any()
    return rig


def is_as_after(rig: Rig, *stamps: int) -> bool:
    """Whether the recurrent state is one that has seen these observations and nothing else."""
    fresh = Rig(lockstep=False)
    fresh.agent.networks['actor'].flat.copy_(rig.agent.networks['actor'].flat)
    for stamp in stamps:
        fresh.features(stamp)
    return bool((fresh.agent.rtrrl.actor.state == rig.agent.rtrrl.actor.state).all())


def test_a_lap_whose_end_was_lost_does_not_go_on_into_the_next() -> None:
    rig = in_the_middle_of_a_lap()
    rig.features(4)  # its reward, LAST, never comes
    rig.executed(4)
    assert rig.features(5) == [5]
    assert not is_as_after(rig, 5)  # nobody can know yet
    rig.reward(5, StepType.FIRST, lap=1)
    assert (rig.agent.rtrrl.actor.state == 0).all()
    assert rig.agent.laps == 0  # what it was worth is not known
    rig.executed(5)
    assert rig.features(6) == [6]
    assert is_as_after(rig, 6)
    rig.reward(6, lap=1)
    rig.executed(6)
    rig.features(7)
    rig.reward(7, StepType.LAST, lap=1)
    assert rig.reports[-1].lap_end is not None  # this lap ends as it should
    assert rig.agent.laps == 1


def test_the_end_and_the_start_lost_the_lap_number_tells() -> None:
    rig = in_the_middle_of_a_lap()
    for stamp in (4, 5, 6):
        rig.features(stamp)
        rig.executed(stamp)
    rig.reward(6, lap=1)
    assert (rig.agent.rtrrl.actor.state == 0).all()


def test_a_first_reward_that_is_there_before_its_features_starts_afresh_at_once() -> None:
    rig = in_the_middle_of_a_lap()
    rig.features(4)
    rig.reward(5, StepType.FIRST, lap=1)
    assert rig.features(5) == [5]
    assert is_as_after(rig, 5)


def test_an_end_that_comes_late_is_judged_with_the_whole_return() -> None:
    rig = in_the_middle_of_a_lap()
    returns = []
    end_lap = rig.agent.end_lap
    rig.agent.end_lap = lambda value: returns.append(value) or end_lap(value)
    rig.features(4)
    rig.features(5)
    rig.reward(4, StepType.LAST)  # after the lap that follows was entered
    rig.reward(5, StepType.FIRST, lap=1)
    assert returns == [4 * 0.5]
    assert (rig.agent.rtrrl.actor.state == 0).all()


def laps_judged(rig: Rig, first: StepType = StepType.FIRST, by_hand: int = 0) -> list[float]:
    """Drive four observations and the end of a lap; returns what the guard was told."""
    returns: list[float] = []
    end_lap = rig.agent.end_lap
    rig.agent.end_lap = lambda value: returns.append(value) or end_lap(value)
    for stamp in (1, 2, 3, 4):
        rig.reward(stamp, {1: first, 4: StepType.LAST}.get(stamp, StepType.MID))
        rig.features(stamp)
        rig.executed(stamp, Mode.TAKEOVER if stamp == by_hand else Mode.PASSED)
    rig.reward(5, StepType.FIRST, lap=1)
    rig.features(5)
    rig.agent.end_lap = end_lap
    return returns


@pytest.mark.parametrize('lockstep', [True, False])
def test_only_a_whole_lap_of_the_policy_alone_is_judged(lockstep: bool) -> None:
    assert laps_judged(Rig(lockstep)) == [4 * 0.5]
    begun_in_the_middle = () if lockstep else ({'first': StepType.MID},)
    for options in ({'by_hand': 2}, *begun_in_the_middle):
        rig = Rig(lockstep)
        assert laps_judged(rig, **options) == []
        assert rig.agent.laps == 0
        assert is_as_after(rig, 5), 'the next lap begins anew all the same'
        for stamp in (6, 7):
            rig.executed(stamp - 1)
            rig.reward(stamp, StepType.LAST if stamp == 7 else StepType.MID, lap=1)
            rig.features(stamp)
        assert rig.agent.laps == 1, 'the next lap is judged'


@pytest.mark.parametrize('reward_first', [True, False])
@pytest.mark.parametrize('lockstep', [True, False])
def test_a_clock_that_was_set_back_does_not_silence_the_car(
    lockstep: bool, reward_first: bool
) -> None:
    hour = 3600 * 10**9
    rig = Rig(lockstep)
    for stamp in (hour, hour + 1):
        rig.reward(stamp, StepType.FIRST if stamp == hour else StepType.MID)
        rig.features(stamp)
        rig.executed(stamp)
    assert rig.features(hour - 1) == [], 'late by a moment: passed over'
    before = len(rig.reports)
    if reward_first:
        rig.reward(20, StepType.FIRST)
    assert rig.features(20) == [20]
    assert is_as_after(rig, 20)
    if not reward_first:
        rig.reward(20, StepType.FIRST)
    rig.executed(20)
    rig.reward(30)
    assert rig.features(30) == [30]
    assert len(rig.reports) == before + 2
    rig.executed(30)
    rig.reward(40, StepType.LAST)
    rig.features(40)
    assert rig.agent.laps == 1, 'a lap that was heard as a whole'


def test_a_reward_that_comes_twice_counts_once_in_the_return() -> None:
    rig = Rig(lockstep=True)
    returns = []
    rig.agent.end_lap = returns.append
    rig.reward(1, StepType.FIRST, reward=0.0)
    rig.features(1)
    rig.executed(1)
    rig.reward(2)
    rig.reward(2)
    rig.features(2)
    rig.executed(2)
    rig.features(3)
    rig.reward(3, StepType.LAST)
    assert returns == [1.0]
