"""The guard: when it rolls back, to what, and when it gives up."""

import torch

from rtrrl_ros.learning.config import LearnerConfig
from rtrrl_ros.learning.guard import Guard

PRETRAINED = torch.zeros(3)


def guard(**options) -> Guard:
    values = {'rollback_margin': 0.2, 'rollback_laps': 2, 'max_rollbacks': 2}
    made = Guard(LearnerConfig(**{**values, **options}), PRETRAINED)
    made.end_lap(100.0, trained=False, weights=PRETRAINED)  # the baseline
    return made


def weights(value: float) -> torch.Tensor:
    return torch.full((3,), value)


def test_one_bad_lap_is_not_enough_two_in_a_row_are() -> None:
    watch = guard()
    assert not watch.end_lap(50.0, trained=True, weights=weights(1)).rolled_back
    assert not watch.end_lap(90.0, trained=True, weights=weights(2)).rolled_back
    assert not watch.end_lap(50.0, trained=True, weights=weights(3)).rolled_back
    verdict = watch.end_lap(50.0, trained=True, weights=weights(4))
    assert verdict.rolled_back
    assert torch.equal(verdict.weights, PRETRAINED)


def test_it_goes_back_to_the_weights_that_started_the_best_lap() -> None:
    watch = guard()
    watch.end_lap(110.0, trained=True, weights=weights(1))
    watch.end_lap(150.0, trained=True, weights=weights(2))  # driven from weights 1 on
    watch.end_lap(120.0, trained=True, weights=weights(3))
    watch.end_lap(10.0, trained=True, weights=weights(4))
    verdict = watch.end_lap(10.0, trained=True, weights=weights(5))
    assert torch.equal(verdict.weights, weights(1))


def test_after_repeated_roll_backs_the_actor_is_frozen() -> None:
    watch = guard()
    verdicts = [watch.end_lap(0.0, trained=True, weights=weights(n)) for n in range(4)]
    assert [verdict.rolled_back for verdict in verdicts] == [False, True, False, True]
    assert [verdict.frozen for verdict in verdicts] == [False, False, False, True]


def test_a_negative_baseline_still_has_a_margin_below_it() -> None:
    watch = Guard(LearnerConfig(rollback_laps=1), PRETRAINED)
    watch.end_lap(-100.0, trained=False, weights=PRETRAINED)
    assert not watch.end_lap(-110.0, trained=True, weights=weights(1)).rolled_back
    assert watch.end_lap(-130.0, trained=True, weights=weights(2)).rolled_back


def test_switched_off_it_only_watches() -> None:
    watch = guard(guard=False)
    assert not any(
        watch.end_lap(0.0, trained=True, weights=weights(n)).rolled_back for n in range(8)
    )


def test_without_laps_of_a_standing_actor_the_first_lap_is_the_baseline() -> None:
    watch = Guard(LearnerConfig(rollback_laps=1), PRETRAINED)
    assert not watch.end_lap(100.0, trained=True, weights=weights(1)).rolled_back
    assert watch.baseline == 100.0
    assert not watch.end_lap(90.0, trained=True, weights=weights(2)).rolled_back
    assert watch.end_lap(70.0, trained=True, weights=weights(3)).rolled_back


def test_only_a_better_lap_than_any_before_makes_a_snapshot() -> None:
    watch = guard()
    laps = (90.0, 110.0, 105.0, 111.0)
    verdicts = [watch.end_lap(lap, trained=True, weights=weights(1)) for lap in laps]
    assert [verdict.improved for verdict in verdicts] == [False, True, False, True]


def against_best(**options) -> Guard:
    return guard(rollback_reference='best', rollback_margin=0.1, rollback_laps=1, **options)


def test_against_the_best_a_lap_may_be_bad_that_is_better_than_the_baseline() -> None:
    watch = against_best()
    watch.end_lap(200.0, trained=True, weights=weights(1))
    assert not watch.end_lap(185.0, trained=True, weights=weights(2)).rolled_back
    verdict = watch.end_lap(150.0, trained=True, weights=weights(3))
    assert verdict.rolled_back
    assert torch.equal(verdict.weights, PRETRAINED)  # those that drove the lap of 200


def test_a_lucky_lap_does_not_hold_the_learner_up() -> None:
    watch = against_best(max_rollbacks=100)
    watch.end_lap(200.0, trained=True, weights=weights(1))
    verdicts = [watch.end_lap(150.0, trained=True, weights=weights(n)) for n in range(2, 12)]
    rolled_back = [verdict.rolled_back for verdict in verdicts]
    assert rolled_back[0] and not rolled_back[-1]
    assert rolled_back == sorted(rolled_back, reverse=True)
    assert not verdicts[-1].frozen


def test_against_the_best_only_roll_backs_in_a_row_freeze() -> None:
    watch = against_best(max_rollbacks=2)
    watch.end_lap(200.0, trained=True, weights=weights(1))
    for n in range(2, 8):
        assert not watch.end_lap(150.0, trained=True, weights=weights(n)).frozen
        watch.end_lap(200.0, trained=True, weights=weights(n))
    watch.end_lap(0.0, trained=True, weights=weights(8))
    assert watch.end_lap(0.0, trained=True, weights=weights(9)).frozen
