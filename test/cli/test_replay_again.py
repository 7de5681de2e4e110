"""`rtrrl replay --exact` and `--learner`: exit status, text, JSON, picture, complaints."""

import argparse
import json

import pytest

from rtrrl_ros.bags.rerun.comparison import Comparison
from rtrrl_ros.bags.rerun.exact import ExactReport
from rtrrl_ros.cli import replay_exact, replay_what_if
from rtrrl_ros.cli.main import main


def report(different: bool) -> ExactReport:
    comparison = Comparison()
    comparison.check('value', 0.5, 0.5, 0, 10)
    comparison.check('value', 0.5, 0.25 if different else 0.5, 7, 70_000_000)
    return ExactReport(comparison, ['weights: why'], ['a remark'], 8, 2.0, 0.25)


def test_the_text_says_what_is_the_same_and_what_is_not():
    lines = replay_exact.text(report(different=False), 1, 1)
    assert lines[-1] == 'identical, bit for bit'
    assert '8.0 x real time' in lines[0]
    assert any('2 of 2 identical' in line for line in lines)
    lines = replay_exact.text(report(different=True), 1, 1)
    assert lines[-1] == (
        'NOT identical; first difference: value at step 7 (0.070 s): recorded 0.5, computed 0.25'
    )
    assert any('1 of 2 identical' in line for line in lines)
    assert {'  not checked: weights: why', '  note: a remark'} < set(lines)


def test_the_options_of_both_fit_one_parser():
    parser = argparse.ArgumentParser()
    replay_exact.add_arguments(parser)
    replay_what_if.add_arguments(parser)
    options = parser.parse_args(['--learner', 'a.yaml', '--learner', 'gamma=0.9', '--png', 'x.png'])
    assert options.learner == ['a.yaml', 'gamma=0.9'] and not options.exact
    assert parser.parse_args(['--exact', '--run', '2']).run_number == 2


@pytest.mark.parametrize(
    ('arguments', 'said'),
    [
        (['--exact'], 'no such file'),
        (['--learner', 'gamma=0.9'], 'no such file'),
        (['--exact', '--json', '/nowhere/x.json'], 'no such folder'),
    ],
)
def test_complaints_are_one_line(capsys, tmp_path, arguments, said):
    assert main(['replay', str(tmp_path / 'no-bag'), *arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line


def test_the_picture_and_the_json(tmp_path):
    import numpy as np

    from rtrrl_ros.bags.rerun.candidate import Candidate
    from rtrrl_ros.bags.rerun.outcome import COLUMNS, WhatIf
    from rtrrl_ros.bags.rerun.picture import draw
    from rtrrl_ros.checkpoint import Checkpoint
    from rtrrl_ros.driving.actuation import Actuation
    from rtrrl_ros.learning.config import LearnerConfig

    generator = np.random.default_rng(0)
    columns = {name: generator.standard_normal(400) for name in COLUMNS}
    columns['stamp_s'] = np.arange(400) * 0.01
    columns['lap'] = np.repeat([0.0, 1.0], 200)
    columns['recorded_value'][:] = np.nan  # not in the bag
    checkpoint = Checkpoint(tmp_path, {'task': 'line'}, {})
    learner = LearnerConfig(gamma=0.5)
    candidate = Candidate(checkpoint, learner, None, Actuation(), {'gamma': (0.95, 0.5)})
    result = WhatIf(candidate, columns, 0, ['a remark'], 1.0)
    draw(result, 'title', tmp_path / 'out.png')
    assert (tmp_path / 'out.png').read_bytes().startswith(b'\x89PNG')
    document = {'bag': 'b', **result.to_json()}
    json.dumps(document, allow_nan=False)
    assert document['value']['recorded'] is None
    lines = replay_what_if.text(document)
    assert '  gamma: 0.95 -> 0.5' in lines and '  note: a remark' in lines
