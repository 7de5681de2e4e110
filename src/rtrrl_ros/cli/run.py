"""`rtrrl run`: the main job, through the real ROS graph."""

import argparse
import dataclasses
import datetime
import json
import tempfile
from pathlib import Path
from typing import Any

from ..errors import UserError
from ..resources import find_resource
from .options import TASKS, makeable, positive_int, seed_int


@dataclasses.dataclass(frozen=True)
class Job:
    """What the main job of a task is if nothing else is asked for.

    shifted_laps : laps of the frozen policy under the shift; None: as many as with learning
    """

    model: str
    launch_file: str
    shift: list[str]
    frozen_laps: int
    shifted_laps: int | None


JOBS = {
    'line': Job('line-lrcssm', 'line.launch.xml', ['steering_offset=0.1'], 2, 2),
    # a shift that costs the frozen policy more than a quarter of its return
    'car-racing': Job('car-racing-lrcssm', 'sim.launch.xml', ['steering_offset=0.15'], 3, None),
}
#: decisions of the bare environment that are timed for comparison
BARE_DECISIONS = 300


def add_parser(commands: argparse._SubParsersAction) -> None:
    parser = commands.add_parser(
        'run',
        help='the main job: drive frozen, shift the car, fine-tune; through ROS nodes',
        description='Drive the pretrained policy through the ROS graph as it is, then under a '
        'shift without learning, then under the same shift on the same tracks while it learns.',
        epilog='Example: rtrrl run line --laps 10 --shift steering_offset=0.1 --seed 1',
    )
    parser.add_argument('task', choices=TASKS, metavar='TASK', help=' or '.join(TASKS))
    parser.add_argument('--model', type=Path, metavar='DIR', help='default: the shipped model')
    parser.add_argument('--laps', type=positive_int, default=10, help='with learning, default 10')
    parser.add_argument(
        '--frozen-laps', type=positive_int, help='without shift; default: line 2, car-racing 3'
    )
    parser.add_argument(
        '--shifted-laps', type=positive_int,
        help='frozen under the shift; default: line 2, car-racing as many as with learning',
    )  # fmt: skip
    parser.add_argument('--shift', action='append', metavar='K=V', help='default: see the README')
    parser.add_argument('--seed', type=seed_int, default=0, help='default 0')
    parser.add_argument('--out', type=Path, metavar='DIR', help='default results/TASK/<time>')
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from rich.console import Console

    from ..checkpoint import load_checkpoint
    from ..configuration import config_file, load_task_config
    from ..driving.report import plot, speed_ratios, summary, table, verdict
    from ..driving.score import SCORES
    from ..launching.memory import MemoryMeter
    from ..worlds.floor import measure_bare_loop
    from ..worlds.shifts import parse_shift, shift_values

    job, score = JOBS[options.task], SCORES[options.task]
    console = Console(highlight=False)
    model = options.model or find_resource('models', job.model)
    cell = load_checkpoint(model, options.task).get('cell', str)
    config = config_file(options.task, cell)
    load_task_config(options.task, config)
    shift = shift_values(parse_shift(options.task, options.shift or job.shift))
    out = options.out or Path('results') / options.task / f'{datetime.datetime.now():%Y%m%d-%H%M%S}'
    if out.exists():
        raise UserError(f'--out {out}: exists already; name a new folder')
    makeable(out)
    shift_text = ', '.join(f'{name} = {value}' for name, value in shift.items()) or 'none'
    shifted_laps = options.shifted_laps or job.shifted_laps or options.laps
    plan: tuple[tuple[str, int, dict[str, Any], bool], ...] = (
        ('frozen', options.frozen_laps or job.frozen_laps, {}, False),
        ('frozen, shifted', shifted_laps, shift, False),
        ('tuned, shifted', options.laps, shift, True),
    )
    console.print(f'timing the bare environment ({BARE_DECISIONS} decisions)')
    bare = {
        name: dataclasses.asdict(timing)
        for name, timing in measure_bare_loop(options.task, BARE_DECISIONS).items()
    }
    out.mkdir(parents=True)  # what is learned is saved there while it is learned
    memory = MemoryMeter()
    phases: dict[str, Any] = {}
    details: dict[str, Any] = {}
    for name, laps, shifted, learn in plan:
        with_shift = f' with {shift_text}' if shifted else ''
        console.print(f'[bold]{name}[/bold]: {laps} laps{with_shift}')
        save_to = out / 'tuned' if learn else None
        result = _drive(options, model, config, laps, shifted, save_to, memory, console)
        if result is None:
            if not any(out.iterdir()):
                out.rmdir()
            return 1
        phases[name], details[name] = result['laps'], result
    title = f'{options.task}, shift: {shift_text}'
    speed = speed_ratios(details['tuned, shifted'], bare)
    document = {
        'task': options.task, 'model': str(model), 'seed': options.seed, 'shift': shift,
        'summary': summary(phases, score), 'phases': details, 'bare_loop': bare,
        'speed': speed, 'memory_peak_bytes': memory.peak_bytes, 'memory': memory.peak,
    }  # fmt: skip
    (out / 'run.json').write_text(json.dumps(document, indent=2) + '\n')
    plot(phases, title, score, out / 'laps.png')
    console.print(table(phases, title, score))
    for line in verdict(document, phases, score):
        console.print(line)
    console.print(f'wrote {out}/run.json and {out}/laps.png; the tuned model: {out}/tuned')
    return 0


def _drive(
    options: argparse.Namespace, model: Path, config: Path, laps: int, shift: dict[str, Any],
    save_to: Path | None, memory: Any, console: Any,
) -> dict[str, Any] | None:  # fmt: skip
    """One phase through the graph; its JSON, or None after a failure that was already told.

    With `save_to` the policy learns, and what it learned is saved there.
    """
    from ..launching.runner import launch
    from ..nodes.run_record import PROGRESS

    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / 'phase.json'
        arguments = {
            'model': str(Path(model).resolve()), 'config': str(config.resolve()),
            'seed': str(options.seed), 'laps': str(laps),
            'learn': str(save_to is not None).lower(), 'out': str(result),
            'save_to': str(save_to.resolve()) if save_to else '',
            **{name: str(value) for name, value in shift.items()},
        }  # fmt: skip
        with console.status('starting the graph') as status:

            def show(label: str, line: str) -> None:
                if label == 'monitor_node' and line.startswith(PROGRESS):
                    status.update(line.removeprefix(PROGRESS))
                elif label == 'monitor_node' and line.startswith('lap '):
                    console.print('  ' + line)
                else:
                    console.print(f'  [dim]{label}:[/dim] {line}', markup=True)

            code = launch(
                JOBS[options.task].launch_file, arguments, on_output=show, on_poll=memory.poll
            )
        if code != 0 or not result.is_file():
            console.print(f'[red]the graph failed (exit status {code}); nothing is reported[/red]')
            return None
        return json.loads(result.read_text())
