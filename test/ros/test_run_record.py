"""What the monitor writes down: laps, rollbacks, latencies, and gaps that make it worthless."""

import pytest

from rtrrl_ros.driving.reward_signal import RewardSignal
from rtrrl_ros.nodes.run_record import PROGRESS, RunRecord, Step
from rtrrl_ros.safety.modes import Mode
from rtrrl_ros.worlds.contract import StepType

PERIOD_NS = 40_000_000


def reward(index: int, lap: int, step_type=StepType.MID, task_reward=1.5) -> RewardSignal:
    last = step_type is StepType.LAST
    error_m = -0.02 * (index % 4)
    return RewardSignal(index * PERIOD_NS, lap, step_type, last, False, 0.1, task_reward, error_m)


def step(index: int, lap: int, rollbacks=0) -> Step:
    return Step(
        stamp_ns=index * PERIOD_NS, lap=lap, step=index, td_error=-0.2, drift=0.5,
        act_latency_s=0.001 * index, learn_latency_s=0.002, updates=index, refused=0, missed=0,
        rollbacks=rollbacks, frozen=False,
    )  # fmt: skip


def two_laps(record: RunRecord) -> None:
    kinds = [StepType.FIRST, StepType.MID, StepType.MID, StepType.LAST]
    for index in range(8):
        record.on_reward(reward(index + 1, index // 4, kinds[index % 4]))
        record.on_step(step(index + 1, index // 4, rollbacks=int(index >= 3)))
        record.on_executed(Mode.LIMITED if index % 2 else Mode.PASSED)


def test_laps_learner_and_latencies():
    record = RunRecord(laps=2)
    assert not record.complete
    two_laps(record)
    assert record.complete
    result = record.to_json()
    lap = {'steps': 3, 'return': 4.5, 'interventions': 1}
    errors_m = [lap.pop('mean_abs_lateral_error_m') for lap in result['laps']]
    assert errors_m == pytest.approx([0.1 / 3, 0.1 / 3])
    assert result['laps'] == [
        {'lap': 0, **lap, 'rolled_back': True}, {'lap': 1, **lap, 'rolled_back': False}
    ]  # fmt: skip
    assert result['decisions'] == 8
    assert result['act_latency_s']['max'] == pytest.approx(0.008)
    assert result['modes'] == {'passed': 4, 'limited': 4, 'takeover': 0, 'stopped': 0}
    assert result['learner']['updates'] == 8
    assert result['lost_rewards'] == 0


def test_a_lap_is_told_once_and_only_when_it_cannot_be_rolled_back_any_more():
    record = RunRecord(laps=2)
    record.on_reward(reward(1, 0, StepType.FIRST))
    record.on_step(step(1, 0))
    record.on_reward(reward(2, 0, StepType.LAST))
    assert record.news() == []
    record.on_step(step(2, 0, rollbacks=1))
    record.on_reward(reward(3, 1, StepType.FIRST))
    record.on_step(step(3, 1, rollbacks=1))
    (line,) = record.news()
    assert line.startswith('lap   1') and 'rolled back' in line and 'intervention' in line
    assert record.news() == []
    assert record.progress().startswith(PROGRESS + 'lap 2/2')


def test_the_last_lap_is_told_at_the_end():
    record = RunRecord(laps=2)
    two_laps(record)
    assert len(record.news()) == 2


def test_it_is_not_complete_before_the_last_observation_is_learned_from():
    record = RunRecord(laps=1)
    record.on_reward(reward(1, 0, StepType.FIRST))
    record.on_step(step(1, 0))
    record.on_reward(reward(2, 0, StepType.LAST))
    assert not record.complete
    record.on_step(step(2, 0))
    assert record.complete


def test_repeated_rewards_count_once_and_missing_ones_are_noticed():
    record = RunRecord(laps=1)
    for index in (1, 2, 2, 3, 1, 6):
        record.on_reward(reward(index, 0, StepType.FIRST if index == 1 else StepType.MID))
    assert record.lost == 2
    assert record.to_json()['lost_rewards'] == 2


def test_an_empty_record():
    record = RunRecord(laps=0)
    assert not record.complete and record.news() == []
    assert record.to_json()['laps'] == []
