"""Running one trial from the command line: progress, a line per lap, the JSON."""

import argparse

from ..checkpoint import load_checkpoint
from ..driving.driver import DriverReport, RewardSignal
from ..driving.laps import Lap
from ..driving.score import SCORES
from ..driving.trial import Trial, TrialResult, run_trial
from ..worlds.shifts import parse_shift
from .options import task_config, writable, write_json
from .progress import Stages

#: steps of a lap before one has been driven, and parts that a lap counts as in the progress
FIRST_GUESS, PARTS = 1000, 100


def drive_and_report(options: argparse.Namespace, *, learn: bool, explore: bool) -> TrialResult:
    """Check every input, drive, show progress on stderr, write the JSON."""
    writable(options.json)
    shift = parse_shift(options.task, options.shift)
    checkpoint = load_checkpoint(options.model, options.task)
    config = task_config(options, checkpoint.get('cell', str))
    trial = Trial(
        options.task, checkpoint, config, shift, options.seed, options.laps, learn, explore
    )
    score = SCORES[options.task]
    length, step = FIRST_GUESS, 0  # of a lap so far: laps differ little in length
    with Stages() as stages:

        def on_step(signal: RewardSignal, report: DriverReport | None) -> None:
            nonlocal step
            step += 1
            if stages.console.is_terminal:
                share = min(1.0, step / length)
                done = round(PARTS * (signal.lap + share))
                stages.update('driving', done, PARTS * options.laps, f'lap {signal.lap + 1}')

        def on_lap(lap: Lap) -> None:
            nonlocal length, step
            length, step = max(1, step), 0
            value = score.text(score.of([lap.to_json()])[0])
            stages.console.print(
                f'lap {lap.lap + 1:3d}  {score.label} {value:>7s}  steps {lap.steps}{lap.remark}',
                soft_wrap=True,
            )

        result = run_trial(trial, on_lap, on_step)
    mean = score.text(score.mean([lap.to_json() for lap in result.laps]))
    stages.console.print(
        f'{score.label}: mean {mean} over {len(result.laps)} laps, {result.seconds:.1f} s'
    )
    write_json(result.to_json(), options.json)
    return result
