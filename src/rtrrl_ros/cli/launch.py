"""`rtrrl launch`: run a standard ROS 2 launch file where ROS's own launch is absent."""

import argparse

from ..errors import UserError


def add_parser(commands: argparse._SubParsersAction) -> None:
    parser = commands.add_parser(
        'launch',
        help='run a ROS 2 XML launch file where `ros2 launch` is absent',
        description='Run an XML launch file; with ROS installed, `ros2 launch` runs the same file.',
        epilog='Example: rtrrl launch line.launch.xml model:=models/line-lrcssm learn:=true',
    )
    parser.add_argument('file', metavar='FILE', help='path, or the name of one of our launch files')
    parser.add_argument('arguments', nargs='*', metavar='name:=value')
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from ..launching.runner import launch

    arguments = {}
    for item in options.arguments:
        name, separator, value = item.partition(':=')
        if not separator or not name:
            raise UserError(f'{item}: launch arguments are given as name:=value')
        arguments[name] = value
    return launch(options.file, arguments)
