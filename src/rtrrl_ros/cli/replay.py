"""`rtrrl replay`: a recording onto topics, or once more through encoder and agent."""

import argparse
import os
import signal
from pathlib import Path
from typing import Any

from ..errors import UserError
from . import replay_exact, replay_what_if
from .options import seed_int

PLAYER = 'bag_player_node'
#: what has a meaning only where topics are replayed; value: the default
ON_TOPICS: dict[str, Any] = {
    'rate': 1.0, 'start': 0.0, 'loop': False, 'paused': False, 'max_gap': 3600.0,
    'lockstep': False, 'learn': False, 'explore': False, 'seed': 0, 'save_to': None,
    'config': None,
}  # fmt: skip
#: what has a meaning only with --exact or --learner
AGAIN: dict[str, Any] = {'run_number': None, 'json': None, 'png': None}


def add_parser(commands: argparse._SubParsersAction) -> None:
    parser = commands.add_parser(
        'replay',
        help='replay a bag onto topics, or check that it can be reproduced',
        description='Replay a recording onto topics below /replay, with /clock, and with --model '
        'to an encoder and an agent there. What once was a command comes back below /recorded '
        'only: a replay moves no car. In a terminal the space bar pauses.',
        epilog='Example: rtrrl replay drive-1 --model models/line-lrcssm --lockstep',
    )
    parser.add_argument('bag', type=Path, metavar='BAG', help='folder, .mcap or .db3 file')
    group = parser.add_argument_group(
        'onto topics', 'With --model, encoder and agent of that model are started beside it.'
    )
    group.add_argument(
        '--rate', type=_rate, metavar='X', help='recorded seconds per second, default 1'
    )
    group.add_argument(
        '--start', type=_seconds, metavar='S', help='begin so many seconds after the first message'
    )
    group.add_argument('--loop', action='store_true', help='begin again at the end, until Ctrl-C')
    group.add_argument('--paused', action='store_true', help='begin paused')
    group.add_argument('--max-gap', type=_gap, metavar='S', help='shorten longer silences to this')
    group.add_argument(
        '--lockstep', action='store_true',
        help='as fast as the agent answers: the next observation after the answer to the last',
    )  # fmt: skip
    group.add_argument(
        '--learn', action='store_true', help='the agent learns from the recording, off-policy'
    )
    group.add_argument('--explore', action='store_true', help='the agent samples its actions')
    group.add_argument('--seed', type=seed_int, metavar='N', help='of the exploration, default 0')
    group.add_argument('--save-to', type=Path, metavar='DIR', help='for the tuned model')
    group.add_argument(
        '--config',
        type=Path,
        metavar='FILE',
        help="ROS parameter file; default: of the model's task and cell",
    )
    replay_exact.add_arguments(parser)
    replay_what_if.add_arguments(parser)
    parser.set_defaults(run=run, **ON_TOPICS)


def run(options: argparse.Namespace) -> int:
    if options.exact and options.learner:
        raise UserError('--exact repeats what was learned, --learner changes it: give one of them')
    again = options.exact or options.learner
    for name, default in (ON_TOPICS if again else AGAIN).items():
        if getattr(options, name) != default:
            option = f'--{name.replace("_number", "").replace("_", "-")}'
            what = 'has no meaning with' if again else 'needs'
            raise UserError(f'{option}: {what} --exact or --learner')
    if not again:
        return _onto_topics(options)
    return (replay_exact if options.exact else replay_what_if).run(options)


def _onto_topics(options: argparse.Namespace) -> int:
    from rich.console import Console

    from ..launching.runner import launch
    from ..nodes.run_record import PROGRESS
    from .keyboard import Keyboard

    console = Console(highlight=False)
    arguments = _launch_arguments(options, console)
    playing = False
    with console.status('starting') as status, Keyboard() as keyboard:

        def show(label: str, line: str) -> None:
            nonlocal playing
            if label == PLAYER and line.startswith(PROGRESS):
                playing = True  # from now on it takes the signal
                status.update(line.removeprefix(PROGRESS))
            else:
                console.print(f'{label}: {line}', markup=False)

        def on_poll(pids: dict[str, int]) -> None:
            if keyboard.pressed().count(' ') % 2 and playing and PLAYER in pids:
                os.kill(pids[PLAYER], signal.SIGUSR1)

        code = launch('replay.launch.xml', arguments, on_output=show, on_poll=on_poll)
    endless = options.loop and code == 128 + signal.SIGINT
    return 0 if endless else code


def _launch_arguments(options: argparse.Namespace, console: Any) -> dict[str, str]:
    """Check bag and options, and say what will be replayed to whom."""
    from ..bags.reading import open_bag

    if options.model is None:
        for name in ('lockstep', 'learn', 'explore', 'save_to'):
            if getattr(options, name):
                option = f'--{name.replace("_", "-")}'
                raise UserError(f'{option}: needs --model, the model of the agent')
    if options.save_to is not None:
        if not options.learn:
            raise UserError('--save-to: needs --learn; nothing else changes the model')
        if options.save_to.exists():
            raise UserError(f'--save-to {options.save_to}: exists already; name a new folder')
    with open_bag(options.bag) as bag:
        if not any(topic.count for topic in bag.topics.values()):
            raise UserError(f'{options.bag}: there is not a single message to play')
        seconds = (bag.end_ns - bag.start_ns) * 1e-9
        if options.start > seconds:
            raise UserError(f'--start {options.start:g}: the bag is {seconds:.1f} s long')
        graph = {'graph': 'false'} if options.model is None else _graph(options, bag, console)
    return {
        'bag': str(options.bag.resolve()), 'rate': str(options.rate), 'start': str(options.start),
        'loop': _word(options.loop), 'paused': _word(options.paused),
        'max_gap': str(options.max_gap), **graph,
    }  # fmt: skip


def _graph(options: argparse.Namespace, bag: Any, console: Any) -> dict[str, str]:
    """The arguments for encoder and agent."""
    from ..bags.playback.replay_plan import choose_sensor, count_partners, has_rewards
    from ..checkpoint import load_checkpoint
    from ..configuration import config_file

    checkpoint = load_checkpoint(options.model)
    task = checkpoint.get('task', str)
    config = options.config or config_file(task, checkpoint.get('cell', str))
    if not config.is_file():
        raise UserError(f'--config {config}: no such file')
    sensor = choose_sensor(
        bag, checkpoint.config.get('sensor', 'images'), checkpoint.get('latent_size', int)
    )
    if options.learn and not has_rewards(bag):
        raise UserError(
            f'{options.bag}: no /reward or no /executed: nothing can be learned from it'
        )
    waits = False
    if options.lockstep:
        partners = count_partners(bag, bag.start_ns + round(options.start * 1e9))
        waits = partners.complete
        if partners.missing:
            console.print(
                f'{partners.missing} of {partners.observations} observations have no reward or '
                'no executed command before them: they are driven, and not learned from'
            )
    return {
        'model': str(options.model.resolve()), 'config': str(config.resolve()), 'sensor': sensor,
        'lockstep': _word(options.lockstep), 'agent_lockstep': _word(waits),
        'stamp_offset': str(options.stamp_offset),
        'learn': _word(options.learn), 'explore': _word(options.explore),
        'seed': str(options.seed),
        'save_to': str(options.save_to.resolve()) if options.save_to else '',
    }  # fmt: skip


def _word(value: bool) -> str:
    return str(value).lower()


def _rate(text: str) -> float:
    return _between(text, 1e-3, 1e3)


def _gap(text: str) -> float:
    return _between(text, 1e-3, 1e7)


def _seconds(text: str) -> float:
    return _between(text, 0.0, 1e7)


def _between(text: str, low: float, high: float) -> float:
    value = float(text)
    if not low <= value <= high:
        raise argparse.ArgumentTypeError(f'{text}: must be in [{low:g}, {high:g}]')
    return value
