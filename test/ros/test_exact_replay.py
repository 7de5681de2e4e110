"""A run through the real graph, recorded by the real recorder, comes out again elsewhere."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from rtrrl_ros.bags.reading import open_bag
from rtrrl_ros.bags.stamps import stamp_ns
from rtrrl_ros.resources import find_resource

RTRRL = [sys.executable, '-m', 'rtrrl_ros.cli.main']


def record_run(graph, bag: Path, laps: int, timeout_s: float) -> None:
    """Fine-tune the shipped model on the line, recorded; returns when both have ended."""
    recorder = graph.start('bag_recorder_node', out=str(bag))
    graph.until(lambda: graph.output(recorder).strip(), 'the recorder')
    drive = graph.run(
        [
            *RTRRL, 'launch', 'line.launch.xml', 'learn:=true', f'laps:={laps}', 'seed:=3',
            'steering_offset:=0.1', f'model:={find_resource("models", "line-lrcssm")}',
        ]
    )  # fmt: skip
    assert graph.exit_status(drive, timeout_s) == 0, graph.output(drive)[-2000:]
    graph.for_seconds(1.0)
    recorder.send_signal(signal.SIGINT)
    assert graph.exit_status(recorder) == 0, graph.output(recorder)[-2000:]


@pytest.mark.slow
@pytest.mark.parametrize('laps', [1, 10])
def test_a_recorded_run_comes_out_again_in_a_fresh_process(graph, tmp_path, laps: int) -> None:
    bag, out = tmp_path / 'bag', tmp_path / 'exact.json'
    record_run(graph, bag, laps, 120.0 + 300.0 * laps)
    with open_bag(bag) as recording:  # what was sent twice by the middleware is in its place
        stamps = [stamp_ns(record.data) for record in recording.records(['/event_camera/events'])]
    assert stamps and stamps == sorted(stamps)
    replay = subprocess.run(
        [*RTRRL, 'replay', str(bag), '--exact', '--json', str(out)],
        capture_output=True, text=True, timeout=120.0 + 120.0 * laps, check=False,
    )  # fmt: skip
    assert replay.returncode == 0, replay.stdout + replay.stderr
    print(replay.stdout)
    (run,) = json.loads(out.read_text())['runs']
    assert run['identical'] and run['learn'] and run['lockstep']
    steps, checked = run['steps'], {k: v['checked'] for k, v in run['quantities'].items()}
    assert steps > 500 * laps
    for name in ('proposal', 'value', 'td_error', 'drift'):
        assert checked[name] == steps
    assert checked['features'] == steps
    assert checked['weights of the actor'] == checked['weights of the critic'] == laps + 1
