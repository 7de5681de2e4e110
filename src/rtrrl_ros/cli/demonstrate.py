"""`rtrrl demonstrate`: laps of the simulated car's driver as a bag, to learn from."""

import argparse
from pathlib import Path

from .options import add_config_option, positive_int, seed_int
from .progress import Stages


def add_parser(commands: argparse._SubParsersAction) -> None:
    parser = commands.add_parser(
        'demonstrate',
        help='record laps of the simulated driver into a bag',
        description='Drive laps of the line with a human-like driver, on training tracks, and '
        'record them as a bag with the topics of a real drive: events, teleop, executed, odom, '
        'world_state, reward. The same seed gives the laps that `rtrrl pretrain line` drives in '
        'memory.',
        epilog='Example: rtrrl demonstrate line --laps 3 --out three-laps && '
        'rtrrl pretrain line --data three-laps --out my-line',
    )
    parser.add_argument('task', choices=('line',), metavar='TASK', help='line')
    parser.add_argument('--out', required=True, type=Path, metavar='BAG', help='new bag folder')
    parser.add_argument('--laps', type=positive_int, default=3, help='default 3')
    parser.add_argument('--seed', type=seed_int, default=0, help='default 0')
    add_config_option(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from ..configuration import load_task_config
    from ..imitation.demonstrations import Demonstration
    from ..imitation.line import LinePretrainConfig
    from ..imitation.line_laps import LapJob
    from ..imitation.line_recording import record_laps

    task = load_task_config(options.task, options.config)
    config = LinePretrainConfig()
    jobs = [
        LapJob(task, options.seed, lap, config.push(config.push_std)) for lap in range(options.laps)
    ]
    with Stages() as stages:
        stages.update('laps of the driver', 0, len(jobs))
        done: list[Demonstration] = []

        def show(lap: Demonstration) -> None:
            done.append(lap)
            note = f'return {lap.task_return:.1f}, {len(lap.actions)} observations'
            stages.update('laps of the driver', len(done), len(jobs), note)

        record_laps(options.out, jobs, on_lap=show)
        stages.console.print(f'{sum(len(lap.actions) for lap in done)} observations: {options.out}')
    return 0
