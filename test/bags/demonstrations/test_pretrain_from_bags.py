"""`rtrrl pretrain line --data`: a model out of bags alone; what does not fit, in one line."""

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from rtrrl_ros.checkpoint import load_checkpoint
from rtrrl_ros.cli.main import main
from rtrrl_ros.configuration import load_task_config
from rtrrl_ros.imitation.critic import CriticConfig
from rtrrl_ros.imitation.line import CLONING, LinePretrainConfig, Recordings, pretrain
from rtrrl_ros.imitation.line_laps import LapJob
from rtrrl_ros.imitation.line_recording import record_laps


def complaint(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line that `rtrrl pretrain` complains in."""
    try:
        status = main(['pretrain', *arguments])
    except SystemExit as stop:  # argparse
        status = stop.code
    captured = capsys.readouterr()
    assert status == 2
    lines = captured.err.splitlines()
    assert len(lines) == 1, captured.err
    return lines[0]


@pytest.mark.parametrize(
    ('options', 'line'),
    [
        (['car-racing', '--data', 'bag'], 'task line only'),
        (['line', '--data', 'bag', '--laps', '3'], '--laps: how many laps to drive'),
        (['line', '--max-skew', '0.1'], '--max-skew: of use with --data only'),
        (['line', '--reference', 'a.csv'], '--reference: of use with --data only'),
        (['line', '--data', 'no-such-bag'], 'no-such-bag: no such recording'),
        (['line', '--data', 'bag', '--max-skew', '-1'], 'max_skew_s = -1.0'),
        (['line', '--data', 'bag', '--reference', 'no.csv'], 'no.csv cannot be read'),
    ],
)
def test_options_that_do_not_fit(capsys, tmp_path: Path, options, line) -> None:
    assert line in complaint(capsys, *options, '--out', str(tmp_path / 'model'))
    assert not (tmp_path / 'model').exists()


def two_laps(drive) -> None:
    drive.ordinary(range(120))
    drive.ordinary(range(200, 320))


def test_a_model_out_of_bags_alone(drive_in, tmp_path: Path) -> None:
    out, summary = tmp_path / 'model', tmp_path / 'summary.json'
    options = [
        '--data',
        str(drive_in(two_laps)),
        '--cache',
        str(tmp_path / 'cache'),
        '--epochs',
        '1',
    ]
    assert main(['pretrain', 'line', *options, '--out', str(out), '--json', str(summary)]) == 0
    model = load_checkpoint(out, 'line')
    assert (model.get('width', int), model.get('height', int)) == (64, 48)
    told = json.loads(summary.read_text())
    assert told['recorded_laps'] == 2
    assert told['decisions'] == told['frames_used'] == 240
    assert told['notes'] == ['no rewards were recorded: the critic has learned nothing yet']


def test_one_lap_is_not_enough(capsys, drive_in, tmp_path: Path) -> None:
    bag = drive_in(lambda drive: drive.ordinary(range(120)))
    options = ['--data', str(bag), '--cache', str(tmp_path), '--out', str(tmp_path / 'model')]
    assert main(['pretrain', 'line', *options]) == 2
    assert 'hold 1 lap(s) to learn from; 2 at least' in capsys.readouterr().err


@pytest.mark.slow
def test_two_processes_make_the_model_that_one_makes(drive_in, tmp_path: Path) -> None:
    bag, told = drive_in(two_laps), {}
    second = drive_in(lambda drive: drive.ordinary(range(400, 640)), 'second')
    torchrun = [sys.executable, '-m', 'torch.distributed.run', '--standalone']
    torchrun += ['--nproc-per-node', '2']
    for name, launcher in (('one', [sys.executable]), ('two', torchrun)):
        command = [*launcher, '-m', 'rtrrl_ros.cli.main', 'pretrain', 'line', '--epochs', '3']
        command += ['--data', str(bag), str(second), '--cache', str(tmp_path / f'cache-{name}')]
        command += ['--out', str(tmp_path / name), '--json', str(tmp_path / f'{name}.json')]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert done.stderr.count('recorded_laps') == 1, 'only the first process talks'
        told[name] = json.loads((tmp_path / f'{name}.json').read_text())
    assert told['two']['decisions'] == told['one']['decisions'] == 480
    assert told['two']['held_out_nll'] == pytest.approx(told['one']['held_out_nll'], abs=1e-3)
    one, two = (load_checkpoint(tmp_path / name).tensors for name in ('one', 'two'))
    for name, weights in one.items():
        # Adam turns rounding into steps of its learning rate, 2e-3, where a gradient is near zero
        assert torch.allclose(two[name], weights, atol=5e-3), name


@pytest.mark.slow
def test_a_bag_of_the_driver_makes_the_model_that_its_laps_make(tmp_path: Path) -> None:
    task = load_task_config('line')
    task = dataclasses.replace(task, world=dataclasses.replace(task.world, time_limit_s=2.0))
    config = LinePretrainConfig(critic_laps=0)
    cloning = dataclasses.replace(CLONING, epochs=3)
    parts = task, config, cloning, CriticConfig(epochs=1)
    options = {'seed': 4, 'workers': 1, 'threads': 1}
    jobs = [LapJob(task, 4, lap, config.push(config.push_std)) for lap in range(config.laps)]
    record_laps(tmp_path / 'bag', jobs)
    data = Recordings([tmp_path / 'bag'], tmp_path / 'cache')
    pretrain(*parts, out=tmp_path / 'memory', **options)
    pretrain(*parts, out=tmp_path / 'recorded', data=data, **options)
    driven, recorded = (load_checkpoint(tmp_path / name).tensors for name in ('memory', 'recorded'))
    for name, weights in driven.items():
        if not name.startswith('critic.'):
            assert torch.equal(recorded[name], weights), name


@pytest.mark.slow
def test_half_a_million_frames_need_less_than_two_gigabytes(
    drive_in, events_of, tmp_path: Path
) -> None:
    count, pause = 500_000, 100

    def fill(drive) -> None:
        batches = [events_of(frame) for frame in range(50)]
        for frame in range(count):
            # a second without a command now and then, as between laps
            if frame % 2 == 0 and frame % 1500 < 1500 - pause:
                drive.command(frame)
            drive.events_again(batches[frame % 50], frame)

    bag = drive_in(fill)
    command = [sys.executable, '-m', 'rtrrl_ros.cli.main', 'pretrain', 'line', '--epochs', '1']
    command += ['--data', str(bag), '--cache', str(tmp_path / 'cache'), '--workers', '1']
    command += ['--out', str(tmp_path / 'model'), '--json', str(tmp_path / 'summary.json')]
    process = subprocess.Popen(command)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    told = json.loads((tmp_path / 'summary.json').read_text())
    assert told['frames_recorded'] == count
    print(f'{usage.ru_maxrss / 1e6:.2f} GB; {told}')
    assert told['decisions'] > 0.9 * count
    assert usage.ru_maxrss < 2_000_000, 'kilobytes'
