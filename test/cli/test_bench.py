"""`rtrrl bench` as a user runs it, on networks that are small and quick to compile."""

import json
from pathlib import Path

import pytest

from rtrrl_ros.cli.main import main

PERCENTILES = ('p50_us', 'p99_us', 'p999_us', 'max_us')


@pytest.fixture(scope='module')
def outcome(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict, str]:
    """The JSON and what was printed."""
    file = tmp_path_factory.mktemp('bench') / 'bench.json'
    with pytest.MonkeyPatch.context() as patch:
        printed: list[str] = []
        patch.setattr('sys.stdout.write', printed.append)
        status = main(
            ['bench', '--cell', 'ctrnn', '--size', '5,4', '3,4', '--steps', '1200', '--reference',
             '--json', str(file)]
        )  # fmt: skip
    assert status == 0
    return json.loads(file.read_text()), ''.join(printed)


def test_the_json_has_the_documented_keys(outcome: tuple[dict, str]) -> None:
    result, _ = outcome
    assert set(result) == {'conditions', 'networks', 'agents', 'encoder', 'memory', 'goals'}
    assert set(result['conditions']) == {
        'machine', 'processor', 'python', 'numpy', 'torch', 'numba', 'core', 'load_before',
        'load_after', 'preemptions',
    }  # fmt: skip
    assert [network['optimizer'] for network in result['networks']] == ['adam', 'adam', 'sgd']
    assert [network['steps'] for network in result['networks']] == [1200, 120, 1200]
    for network in result['networks']:
        assert set(network) == {
            'cell', 'input_size', 'hidden_size', 'optimizer', 'steps', 'bytes', 'update', 'floor',
            'ratio', 'spread', 'torch_p50_us',
        }  # fmt: skip
    (agent,) = result['agents']
    assert set(agent) == {'cell', 'input_size', 'hidden_size', 'steps', 'act', 'learn', 'step'}
    assert (agent['cell'], agent['input_size'], agent['hidden_size']) == ('ctrnn', 5, 4)
    assert set(result['encoder']) == {'model', 'image', 'features', 'steps', 'forward'}
    assert set(result['memory']) == {'peak_before', 'peak', 'networks'}
    for goal in result['goals']:
        assert set(goal) == {'goal', 'limit', 'unit', 'value', 'met', 'obstacle'}


def test_percentiles_are_in_order(outcome: tuple[dict, str]) -> None:
    result, _ = outcome
    (agent,) = result['agents']
    groups = [result['encoder']['forward'], agent['act'], agent['learn'], agent['step']]
    for network in result['networks']:
        groups += [network['update'], network['floor']]
    for times in groups:
        values = [times[name] for name in PERCENTILES]
        assert 0 < values[0] and values == sorted(values)


def test_what_is_more_work_takes_longer(outcome: tuple[dict, str]) -> None:
    result, _ = outcome
    adam, _, sgd = result['networks']
    (agent,) = result['agents']
    for network in (adam, sgd):
        assert network['floor']['p50_us'] < network['update']['p50_us']
        assert network['ratio'] > 1
    assert adam['bytes'] > sgd['bytes']
    assert adam['update']['p50_us'] < adam['torch_p50_us']
    assert agent['act']['p50_us'] < agent['step']['p50_us'] < result['encoder']['forward']['p50_us']


def test_the_memory_of_a_network_adds_up(outcome: tuple[dict, str]) -> None:
    result, _ = outcome
    (network,) = result['memory']['networks']
    parts = ('weights', 'adam', 'eligibility', 'trace', 'origin', 'other')
    assert sum(network[part] for part in parts) == network['total']
    assert network['adam'] == 2 * network['weights'] == 8 * network['parameters']
    assert network['other'] >= 0 and network['trace'] > 0
    assert result['memory']['peak'] >= result['memory']['peak_before'] > 2**20


def test_the_tables_name_what_was_measured(outcome: tuple[dict, str]) -> None:
    _, text = outcome
    for word in (
        'load',
        'CT-RNN',
        'adam',
        'sgd',
        'floor',
        'act',
        'learn',
        'encoder',
        'Adam',
        'met',
    ):
        assert word in text


@pytest.mark.parametrize(
    ('extra', 'word'),
    [
        (('--steps', '0'), 'at least 1'),
        (('--steps', 'many'), 'steps'),
        (('--size', '64'), 'INPUTS,UNITS'),
        (('--size', '64,x'), 'INPUTS,UNITS'),
        (('--size', '64,0'), '[1, 4096]'),
        (('--size', '64,64', '1,100000'), '[1, 4096]'),
        (('--cell', 'lstm'), 'lrcssm'),
        (('--quick', '--steps', '10'), 'not allowed'),
        (('--json', '/no/such/folder/x.json'), 'no such folder'),
        (('--json', '/proc'), 'is a folder'),
    ],
)
def test_a_bad_argument_is_one_line_and_status_2(capsys, extra: tuple, word: str) -> None:
    try:
        status = main(['bench', *extra])
    except SystemExit as stop:  # argparse
        status = stop.code
    captured = capsys.readouterr()
    assert status == 2 and captured.out == ''
    assert len(captured.err.splitlines()) == 1 and word in captured.err


def test_a_result_that_may_not_be_written(
    capsys, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # os.access instead of permissions, which do not bind the administrator
    monkeypatch.setattr('os.access', lambda path, mode: False)
    assert main(['bench', '--json', str(tmp_path / 'x.json')]) == 2
    assert 'may not be written' in capsys.readouterr().err
