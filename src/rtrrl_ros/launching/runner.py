"""`rtrrl launch`: find the file, describe it, run it."""

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from ..errors import UserError
from ..resources import find_resource
from .description import describe
from .processes import US, ProcessGroup, Show

#: what every process gets unless the caller's environment says otherwise
DEFAULT_ENVIRONMENT = {
    # nobody else's robot on the same network is spoken to by accident
    'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST',
    # lines are shown when they are written, although stdout is a pipe
    'PYTHONUNBUFFERED': '1',
    # one line per message, without the date in nanoseconds
    'RCUTILS_CONSOLE_OUTPUT_FORMAT': '{severity}: {message}',
}


def launch(
    file_or_name: str,
    arguments: Mapping[str, str],
    *,
    on_output: Show | None = None,
    on_poll: Callable[[dict[str, int]], None] | None = None,
) -> int:
    """Run a launch file until its end.

    Parameters
    ----------
    file_or_name : path of a launch file, or the name of one of ours ('sim.launch.xml')
    arguments : values for its <arg> elements
    on_output : called with (label of the process, line); None: both are printed. Our own lines
        bear the label 'launch'
    on_poll : called about twenty times a second with {label: process id} of what runs

    Returns
    -------
    exit status: 0 only if the process that ended the launch succeeded and no other failed; 1 after
    a failure, which a line labelled 'launch' names; 128 + signal if a signal ended it

    Raises
    ------
    UserError : the file or an argument is wrong; nothing was started
    """
    nodes = describe(find_launch_file(file_or_name), arguments, base_environment())
    if not nodes:
        raise UserError(f'{file_or_name}: starts no node with these arguments')
    group = ProcessGroup(nodes, on_output or print_line)
    return group.run(on_poll or (lambda pids: None))


def find_launch_file(file_or_name: str) -> Path:
    """The path of a launch file given by path or by name."""
    path = Path(file_or_name)
    if path.is_file():
        return path.resolve()
    if path.name != file_or_name:
        raise UserError(f'no launch file {file_or_name}')
    for name in (file_or_name, f'{file_or_name}.launch.xml'):
        try:
            return find_resource('launch', name)
        except UserError as error:
            fault = error
    raise fault


def base_environment() -> dict[str, str]:
    """The environment of every process before any <set_env>."""
    return {**DEFAULT_ENVIRONMENT, **os.environ}


def print_line(label: str, line: str) -> None:
    """Show a line of output: ours on stderr, those of processes on stdout."""
    stream = sys.stderr if label == US else sys.stdout
    print(f'[{label}] {line}', file=stream, flush=True)
