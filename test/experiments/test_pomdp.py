"""The table and the curves of `rtrrl experiment pomdp`."""

import numpy as np

from rtrrl_ros.experiments.pomdp import Row, median_curve, plot, table


def test_a_run_that_stopped_early_keeps_its_last_score() -> None:
    curves = [[(1000, 0.0), (2010, 1.0)], [(1005, 0.5), (2000, 0.5), (3001, 0.9)], [(1001, 0.25)]]
    steps, medians = median_curve(curves)
    assert steps.tolist() == [1005, 2000, 3001]
    assert np.allclose(medians, [0.25, 0.5, 0.9])


def test_the_table_holds_the_median_every_seed_and_what_was_published(tmp_path) -> None:
    rows = [
        Row('MemoryChain-4', 'lru', [0.5, 1.0, 0.25], [0.4, 0.9, 0.2], [[(10, 0.5)]] * 3, 7),
        Row('MemoryChain-8', 'lru', [1.0, 1.0, 1.0], [1.0, 1.0, 1.0], [[(10, 1.0)]] * 3, 0),
    ]
    tasks = ['MemoryChain-4', 'MemoryChain-8']
    lines = table(rows, tasks, ['lru'], 3).splitlines()
    assert '| MemoryChain-4 | 0.50 (0.40) | 0.07 | 1.00 | 1.00 |  | 1.00 |' in lines
    assert '| MemoryChain-4 | lru | 0.50 1.00 0.25 | 7 |' in lines
    plot(rows, tasks, tmp_path / 'curves.png')
    assert (tmp_path / 'curves.png').stat().st_size > 1000
