"""A return counts only if the lap was heard as a whole and is the policy's own."""

from rtrrl_ros.driving.lap_returns import LAPS, LapReturns
from rtrrl_ros.driving.reward_signal import RewardSignal
from rtrrl_ros.worlds.contract import StepType


def signal(lap: int, step_type: StepType, task_reward: float = 1.0) -> RewardSignal:
    return RewardSignal(
        stamp_ns=0, lap=lap, step_type=step_type, reward=-9.0, task_reward=task_reward,
        terminated=False, truncated=False,
    )  # fmt: skip


def drive(returns: LapReturns, lap: int) -> None:
    for step_type in (StepType.FIRST, StepType.MID, StepType.LAST):
        returns.add(signal(lap, step_type))


def test_a_whole_lap_counts_what_the_task_rewards() -> None:
    returns = LapReturns()
    assert returns.newest is None and returns.over is None
    returns.add(signal(3, StepType.FIRST, 0.5))
    returns.add(signal(3, StepType.MID, 0.25))
    assert returns.over is None
    returns.add(signal(3, StepType.LAST, 1.0))
    assert (returns.newest, returns.over, returns.of_policy(3)) == (3, 3, 1.75)


def test_laps_heard_in_part_or_driven_by_a_person_do_not() -> None:
    returns = LapReturns()
    returns.add(signal(0, StepType.MID))
    drive(returns, 1)
    returns.disown(1)
    assert [returns.of_policy(lap) for lap in (0, 1, 2)] == [None, None, None]
    drive(returns, 1)  # again, from the beginning, and alone
    assert returns.of_policy(1) == 3.0


def test_a_clock_set_back_leaves_what_began_after_it() -> None:
    returns = LapReturns()
    drive(returns, 1)
    begun = signal(2, StepType.FIRST)
    returns.add(begun)
    returns.begin_anew([signal(1, StepType.LAST), begun])
    assert (returns.over, returns.of_policy(1), returns.of_policy(2)) == (None, None, 1.0)


def test_old_laps_are_forgotten() -> None:
    returns, laps = LapReturns(), range(3 * LAPS)
    for lap in laps:
        drive(returns, lap)
    assert [lap for lap in laps if returns.of_policy(lap) is not None] == [*laps][-LAPS:]
    returns.begin_anew(signal(lap, StepType.FIRST) for lap in laps)
    assert returns.of_policy(0) is None
