"""What `rtrrl experiment line-shift` counts as adapted, better and forgotten."""

import pytest

from rtrrl_ros.experiments.line_shift import Outcome, plot, table


def outcome(seed: int = 0, cell: str = 'lrcssm', **values) -> Outcome:
    """Ten laps that adapt from 5 cm to 1.4 cm, two that remember."""
    given = {
        'unshifted': [0.01] * 12,
        'frozen': [0.06] * 12,
        'tuned': [0.05, *[0.03] * 6, 0.013, 0.014, 0.015, 0.02, 0.02],
        'frozen_crashes': 2,
        'tuned_crashes': 0,
    }
    return Outcome(cell=cell, shift='light=4', seed=seed, **{**given, **values})


def test_the_goal_is_a_ratio_but_never_below_what_cannot_be_seen() -> None:
    assert outcome().goal_m == pytest.approx(0.015)
    assert outcome(unshifted=[0.02] * 12).goal_m == pytest.approx(0.03)


def test_laps_8_to_10_decide_and_a_crash_anywhere_spoils() -> None:
    assert outcome().last_m == pytest.approx(0.014)
    assert outcome().reached
    assert not outcome(tuned_crashes=1).reached
    assert not outcome(tuned=[0.01] * 9 + [0.05] + [0.01] * 2).reached


def test_the_first_lap_is_compared_with_the_same_lap_of_the_frozen_policy() -> None:
    assert outcome().first_better
    assert not outcome(frozen=[0.04, *[0.06] * 11]).first_better


def test_forgotten_are_later_laps_worse_than_the_frozen_policy() -> None:
    assert outcome().forgotten == (0, 0, 0, 0)
    best, mean, worst = [0.06] * 11 + [0.019], [0.018] * 9 + [0.03] * 3, [0.018] * 12
    assert outcome(frozen=best).forgotten == (1, 0, 0, 2), 'than its best, and one than the same'
    assert outcome(frozen=mean).forgotten == (0, 0, 0, 2)
    assert outcome(frozen=[0.018] * 11 + [0.03]).forgotten == (1, 0, 2, 2), 'than its mean'
    assert outcome(frozen=worst).forgotten == (2, 2, 2, 2), 'than its worst'
    assert outcome(tuned=[0.07] * 10 + [0.02] * 2).forgotten == (0, 0, 0, 0), 'after the tenth'
    assert outcome(frozen=[0.02] * 12).forgotten == (0, 0, 0, 0), 'equal is not worse'


def test_the_table_has_means_spreads_and_every_seed(tmp_path) -> None:
    outcomes = [
        outcome(), outcome(1, tuned_crashes=1, tuned=[0.07] + [0.02] * 11),
        outcome(0, cell='lru'), outcome(1, cell='lru'),
    ]  # fmt: skip
    lines = table(outcomes).splitlines()
    assert (
        '| light=4 | lrcssm | 1.00 (1.00 to 1.00) | 6.00 (6.00 to 6.00) | 6.00 (5.00 to 7.00) | '
        '1.70 (1.40 to 2.00) | 1.65 (1.30 to 2.00) | 1 of 2 | 1 of 2 | 4, 1 |'
    ) in lines
    assert (
        '| light=4 | lru | 1 | 1.00 | 6.00 | 5.00 | 1.40 | 1.50 | yes | 2, 0 | 0, 0, 0, 0 of 2 |'
        in lines
    )
    plot(outcomes, tmp_path / 'laps.png')
    assert (tmp_path / 'laps.png').stat().st_size > 1000
