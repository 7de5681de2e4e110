"""Running one trial from the command line: progress, a line per lap, the JSON."""

import argparse
import statistics

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from ..checkpoint import load_checkpoint
from ..driving.driver import DriverReport, RewardSignal
from ..driving.laps import Lap
from ..driving.trial import Trial, TrialResult, run_trial
from ..errors import UserError
from ..worlds.car_racing import FRAME_S
from ..worlds.contract import StepType
from ..worlds.shifts import parse_shift
from .options import task_config, writable, write_json


def drive_and_report(options: argparse.Namespace, *, learn: bool, explore: bool) -> TrialResult:
    """Check every input, drive, show progress on stderr, write the JSON."""
    writable(options.json)
    config = task_config(options)
    shift = parse_shift(options.task, options.shift)
    checkpoint = load_checkpoint(options.model)
    if checkpoint.get('task', str) != options.task:
        raise UserError(f'{options.model} was trained for {checkpoint.config["task"]!r}')
    trial = Trial(
        options.task, checkpoint, config, shift, options.seed, options.laps, learn, explore
    )
    console = Console(stderr=True)
    columns = (
        TextColumn('{task.description}'), BarColumn(), TextColumn('{task.fields[note]}'),
        TimeRemainingColumn(),
    )  # fmt: skip
    period_s = config.world.frame_skip * FRAME_S
    steps = round(config.world.time_limit_s / period_s)
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task('driving', total=options.laps * steps, note='')

        def on_step(signal: RewardSignal, report: DriverReport | None) -> None:
            if signal.step_type is StepType.LAST:
                progress.update(bar, completed=(signal.lap + 1) * steps)
            else:
                progress.advance(bar)

        def on_lap(lap: Lap) -> None:
            remark = '  intervention' if lap.interventions else ''
            remark += '  rolled back' if lap.rolled_back else ''
            progress.update(bar, note=f'lap {lap.lap + 1}: return {lap.task_return:.0f}')
            console.print(
                f'lap {lap.lap + 1:3d}  return {lap.task_return:7.1f}  steps {lap.steps}{remark}',
                highlight=False,
            )

        result = run_trial(trial, on_lap, on_step)
    returns = [lap.task_return for lap in result.laps]
    console.print(
        f'mean return {statistics.fmean(returns):.1f} over {len(returns)} laps, '
        f'{result.seconds:.1f} s',
        highlight=False,
    )
    write_json(result.to_json(), options.json)
    return result
