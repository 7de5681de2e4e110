"""`rtrrl record`: record what passes in the ROS graph into a bag."""

import argparse
import time
from pathlib import Path
from typing import Any

from ..errors import UserError
from .options import positive_int


def add_parser(commands: argparse._SubParsersAction) -> None:
    parser = commands.add_parser(
        'record',
        help='record the ROS graph into a bag; Ctrl-C ends it',
        description='Record events, commands, odometry, rewards, features and the state of the '
        'learner, as they were serialised, into a folder that `ros2 bag` reads as well. Whatever '
        'ends it, also kill -9, costs a second at most.',
        epilog='Example: rtrrl record drive-1 --compression zstd --black-box black-box',
    )
    parser.add_argument('bag', metavar='BAG', help='folder to write; must not exist')
    parser.add_argument(
        '--topics', nargs='+', metavar='TOPIC', help='these only; all: whatever there is'
    )
    parser.add_argument('--also', nargs='+', default=[], metavar='TOPIC', help='besides the usual')
    parser.add_argument(
        '--split', type=positive_int, default=1024, metavar='MB', help='per file, default 1024'
    )
    parser.add_argument('--compression', choices=('none', 'zstd'), default='none')
    parser.add_argument('--duration', type=positive_int, metavar='S', help='end by itself after')
    parser.add_argument(
        '--black-box', metavar='DIR', help='bags of the last 30 s before each fault go there'
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from rich.console import Console

    from ..launching.processes import US
    from ..launching.runner import launch
    from ..nodes.run_record import PROGRESS
    from ..nodes.topic_names import check_topic_name

    bag = Path(options.bag).resolve()
    if bag.exists():
        raise UserError(f'{options.bag}: exists already; name a new folder')
    if not bag.parent.is_dir():
        raise UserError(f'{options.bag}: no folder {bag.parent} to put it in')
    for name in (*(options.topics or []), *options.also):
        check_topic_name(name)
    console = Console(highlight=False)
    arguments = {
        'out': str(bag), 'topics': ' '.join(options.topics or []),
        'also': ' '.join(options.also), 'split_megabytes': str(options.split),
        'compression': options.compression,
        'black_box': str(Path(options.black_box).resolve()) if options.black_box else '',
    }  # fmt: skip
    with console.status('looking for topics; Ctrl-C ends the recording') as status:

        def show(label: str, line: str) -> None:
            if line.startswith(PROGRESS):
                status.update(line.removeprefix(PROGRESS) + '; Ctrl-C ends the recording')
            elif label != US or 'stopping' not in line:
                console.print(line, markup=False)

        code = launch(
            'record.launch.xml', arguments, on_output=show, on_poll=_deadline(options.duration)
        )
    if not bag.is_dir():
        return code or 1
    for line in _account(bag):
        console.print(line, markup=False)
    return 0 if code in (0, 130) else code  # Ctrl-C is how it is meant to end


def _deadline(duration_s: int | None) -> Any:
    """What ends the recording after a while, as its user would."""
    import os
    import signal

    end_s = time.monotonic() + duration_s if duration_s else float('inf')

    def on_poll(pids: dict[str, int]) -> None:
        if time.monotonic() >= end_s:
            os.kill(os.getpid(), signal.SIGINT)

    return on_poll


def _account(bag: Path) -> list[str]:
    """What is in the bag, by topic."""
    from ..bags.reading import open_bag

    with open_bag(bag) as recording:
        lines = [
            f'  {topic.count:8d}  {topic.name}  {topic.type}' for topic in recording.topics.values()
        ]
        seconds = (recording.end_ns - recording.start_ns) * 1e-9
        fault = f' ({recording.incomplete})' if recording.incomplete else ''
    if not lines:
        return [f'{bag}: nothing was published on these topics']
    return [*lines, f'{bag}: {seconds:.1f} s{fault}']
