"""`rtrrl export`: what a user gets wrong is one line, and nothing is left behind."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from rtrrl_ros.bags.writing import BagWriter
from rtrrl_ros.cli.main import main
from rtrrl_ros.resources import find_resource

pytest.importorskip('av')
pytest.importorskip('pyarrow')


@pytest.fixture
def empty_bag(tmp_path: Path) -> Path:
    with BagWriter(tmp_path / 'empty', least_free_bytes=0):
        pass
    return tmp_path / 'empty'


@pytest.fixture
def complaint(capsys, tmp_path: Path) -> Callable[..., str]:
    """Runs `rtrrl export`; returns the one line that it must complain in."""

    def run(*arguments: object) -> str:
        before = {path.name for path in tmp_path.iterdir()}
        try:
            status = main(['export', *map(str, arguments), '--cache', str(tmp_path / 'cache')])
        except SystemExit as stop:  # argparse
            status = stop.code
        lines = capsys.readouterr().err.splitlines()
        assert status == 2
        assert len(lines) == 1, lines
        assert {path.name for path in tmp_path.iterdir()} - before <= {'cache'}
        return lines[0]

    return run


@pytest.mark.parametrize(
    ('extra', 'word'),
    [
        (['--window', '7'], 'whole number'),
        (['--window', 'nan'], 'window_ms'),
        (['--window', '0'], 'window_ms'),
        (['--window', 'short'], 'invalid float'),
        (['--max-gap', '-1'], 'max_gap_s'),
        (['--max-skew', 'inf'], 'max_skew_s'),
        (['--reference', 'no.csv'], 'no.csv'),
        (['--model', 'no-model'], 'no-model'),
        (['--json', 'no/such/folder.json'], 'no such folder'),
    ],
)
def test_bad_options(complaint, empty_bag: Path, tmp_path: Path, extra: list, word: str) -> None:
    assert word in complaint(empty_bag, '--out', tmp_path / 'out', *extra)


def test_bad_recordings(complaint, empty_bag: Path, tmp_path: Path) -> None:
    out = tmp_path / 'out'
    assert 'no such recording' in complaint(tmp_path / 'none', '--out', out)
    assert '/event_camera/events' in complaint(empty_bag, '--out', out)
    assert 'named twice' in complaint(empty_bag, empty_bag / '.', '--out', out)
    (tmp_path / 'text.mcap').write_text('not a bag')
    assert 'text.mcap' in complaint(tmp_path / 'text.mcap', '--out', out)
    (tmp_path / 'alone.aedat4').write_bytes(b'')
    assert 'alone' in complaint(tmp_path / 'alone.aedat4', '--out', out)


@pytest.mark.parametrize('kind', ['file', 'folder', 'empty folder', 'dangling link'])
def test_what_exists_is_not_written_over(complaint, empty_bag, tmp_path: Path, kind: str) -> None:
    out = tmp_path / 'out'
    if kind == 'file':
        out.write_text('mine')
    elif kind == 'dangling link':
        out.symlink_to(tmp_path / 'nowhere')
    else:
        out.mkdir()
        if kind == 'folder':
            (out / 'mine').write_text('mine')
    assert 'exists already' in complaint(empty_bag, '--out', out)
    assert kind != 'file' or out.read_text() == 'mine'


def test_a_place_where_nothing_can_be_made(complaint, empty_bag: Path, tmp_path: Path) -> None:
    (tmp_path / 'file').write_text('')
    assert 'nothing can be made' in complaint(empty_bag, '--out', tmp_path / 'file' / 'new' / 'out')


def test_a_model_of_images_sees_no_events(complaint, empty_bag: Path, tmp_path: Path) -> None:
    model = find_resource('models', 'car-racing-lrcssm')
    line = complaint(empty_bag, '--out', tmp_path / 'out', '--model', model)
    assert 'images' in line


def test_without_the_packages_a_line_says_what_to_install(tmp_path: Path) -> None:
    """In a process that cannot import them, as where they were never installed."""
    program = (
        'import sys\n'
        'sys.modules["pyarrow"] = None\n'
        'from rtrrl_ros.cli.main import main\n'
        'sys.exit(main(sys.argv[1:]))\n'
    )
    command = [sys.executable, '-c', program, 'export', 'drive', '--out', str(tmp_path / 'out')]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (2, '')
    assert done.stderr.splitlines() == [
        'rtrrl export: a LeRobotDataset needs pyarrow, which is not installed: '
        "pip install 'rtrrl_ros[lerobot]'"
    ]


@pytest.mark.slow
def test_a_simulated_drive_becomes_a_dataset(tmp_path: Path, capsys) -> None:
    bag, out = tmp_path / 'lap', tmp_path / 'dataset'
    assert main(['demonstrate', 'line', '--laps', '1', '--out', str(bag)]) == 0
    arguments = ['export', str(bag), '--out', str(out), '--cache', str(tmp_path / 'cache')]
    capsys.readouterr()
    assert main([*arguments, '--json', '-']) == 0
    captured = capsys.readouterr()
    summary, facts = json.loads(captured.out), json.loads((out / 'meta/info.json').read_text())
    assert summary['frames'] == facts['total_frames'] > 500
    assert facts['features']['observation.images.events']['shape'] == [192, 256, 3]
    assert summary['largest_departure_s'] == 0.0
    assert 'writing frames' in captured.err
