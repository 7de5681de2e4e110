"""Running one trial from the command line: progress, a line per lap, the JSON."""

import argparse
import statistics

from ..checkpoint import load_checkpoint
from ..driving.driver import DriverReport, RewardSignal
from ..driving.laps import Lap
from ..driving.trial import Trial, TrialResult, run_trial
from ..errors import UserError
from ..worlds.car_racing import FRAME_S
from ..worlds.contract import StepType
from ..worlds.shifts import parse_shift
from .options import task_config, writable, write_json
from .progress import Stages


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
    steps = round(config.world.time_limit_s / (config.world.frame_skip * FRAME_S))
    with Stages() as stages:

        def on_step(signal: RewardSignal, report: DriverReport | None) -> None:
            done = signal.lap * steps + count[0]
            count[0] = 0 if signal.step_type is StepType.LAST else count[0] + 1
            if stages.console.is_terminal:
                stages.update('driving', done, options.laps * steps, f'lap {signal.lap + 1}')

        def on_lap(lap: Lap) -> None:
            remark = '  intervention' if lap.interventions else ''
            remark += '  rolled back' if lap.rolled_back else ''
            stages.console.print(
                f'lap {lap.lap + 1:3d}  return {lap.task_return:7.1f}  steps {lap.steps}{remark}'
            )

        count = [0]
        result = run_trial(trial, on_lap, on_step)
    returns = [lap.task_return for lap in result.laps]
    stages.console.print(
        f'mean return {statistics.fmean(returns):.1f} over {len(returns)} laps, '
        f'{result.seconds:.1f} s'
    )
    write_json(result.to_json(), options.json)
    return result
