"""A <node> element as a command line."""

import dataclasses
import os
import shlex
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from ..errors import UserError
from .document import Element
from .substitutions import OUR_PACKAGE, find_package_prefix

ATTRIBUTES = (
    'name', 'namespace', 'output', 'args', 'ros_args', 'on_exit', 'respawn', 'respawn_delay',
    'sigterm_timeout', 'sigkill_timeout', 'if', 'unless',
)  # fmt: skip
OUTPUTS = ('screen', 'log', 'both')
#: how ROS names the time after a signal: by the one that comes next
_TIMEOUTS = {'sigterm_timeout': signal.SIGINT, 'sigkill_timeout': signal.SIGTERM}
TYPES: dict[str, type] = {'str': str, 'int': int, 'float': float, 'bool': bool}

#: gives an attribute of an element with its substitutions replaced
Text = Callable[[Element, str], str]


@dataclasses.dataclass
class NodeProcess:
    """One process to start.

    Attributes
    ----------
    label : names the process to people; unique
    command : the command line
    environment : the whole environment
    output : 'screen' or 'both': everything is shown; 'log': only what goes to stderr
    shutdown_on_exit : whether its end is the end of everything
    respawn_delay_s : pause before it is started again when it ends; None: it is not
    sigint_blocked : start it with SIGINT blocked; it takes the signal as soon as it can
    patience_s : after a signal that asks it to end, before the next one; where not the usual
    """

    label: str
    command: list[str]
    environment: dict[str, str]
    output: str
    shutdown_on_exit: bool
    respawn_delay_s: float | None
    sigint_blocked: bool = False
    patience_s: Mapping[signal.Signals, float] = dataclasses.field(default_factory=dict)


def read_node(
    element: Element,
    namespace: str,
    environment: dict[str, str],
    text: Text,
) -> NodeProcess:
    """The process that a <node> element asks for."""
    element.check(['pkg', 'exec'], ATTRIBUTES)
    element.check_children(['param', 'remap'])
    package, executable = text(element, 'pkg'), text(element, 'exec')
    name = text(element, 'name') if 'name' in element.attributes else ''
    ros = ['-r', f'__node:={name}'] if name else []
    if namespace:
        ros += ['-r', f'__ns:={namespace}']
    for child in element.children:
        ros += _param(child, text) if child.tag == 'param' else _remap(child, text)
    if 'ros_args' in element.attributes:
        ros += shlex.split(text(element, 'ros_args'))
    try:
        command = executable_command(package, executable)
    except UserError as error:
        raise element.fault(str(error)) from None
    if 'args' in element.attributes:
        command += shlex.split(text(element, 'args'))
    return NodeProcess(
        label=name or executable,
        command=[*command, '--ros-args', *ros] if ros else command,
        environment=environment,
        output=_one_of(element, 'output', text, OUTPUTS, default='log'),
        shutdown_on_exit=_one_of(element, 'on_exit', text, ('shutdown',), default='') != '',
        respawn_delay_s=_respawn_delay(element, text),
        sigint_blocked=package == OUR_PACKAGE,  # see nodes/__main__.py
        patience_s={
            number: _seconds(element, attribute, text)
            for attribute, number in _TIMEOUTS.items()
            if attribute in element.attributes
        },
    )


def executable_command(package: str, executable: str) -> list[str]:
    """How to start an executable of a package; `UserError` if there is none.

    Ours run with this same Python, installed or from the source tree.
    """
    if package == OUR_PACKAGE:
        nodes = Path(__file__).resolve().parents[1] / 'nodes'
        if (
            executable.endswith(('_node', '_nodes'))
            and executable.isidentifier()
            and (nodes / f'{executable}.py').is_file()
        ):
            return [sys.executable, '-m', f'{OUR_PACKAGE}.nodes', executable]
        raise UserError(f'no node {executable!r} in {OUR_PACKAGE}')
    path = find_package_prefix(package) / 'lib' / package / executable
    if not os.access(path, os.X_OK):
        raise UserError(f'no executable {executable!r} in package {package!r} ({path})')
    return [str(path)]


def _remap(element: Element, text: Text) -> list[str]:
    element.check(['from', 'to'])
    element.check_children()
    return ['-r', f'{text(element, "from")}:={text(element, "to")}']


def _param(element: Element, text: Text, prefix: str = '') -> list[str]:
    """Arguments for a <param>: a file (from=), a value, or nested parameters."""
    if 'from' in element.attributes:
        element.check(['from'])
        element.check_children()
        path = Path(text(element, 'from'))
        if not path.is_file():
            raise element.fault(f'no parameter file {path}')
        return ['--params-file', str(path)]
    if element.children:
        element.check(['name'])
        element.check_children(['param'])
        name = prefix + text(element, 'name')
        return [word for child in element.children for word in _param(child, text, f'{name}.')]
    element.check(['name', 'value'], ['type'])
    kind = text(element, 'type') if 'type' in element.attributes else ''
    try:
        value = typed_value(text(element, 'value'), kind)
    except ValueError as error:
        raise element.fault(str(error)) from None
    written = yaml.safe_dump(value, default_flow_style=True, width=1_000_000)
    written = written.removesuffix('\n').removesuffix('\n...')
    return ['-p', f'{prefix}{text(element, "name")}:={written}']


def typed_value(written: str, kind: str = '') -> Any:
    """A parameter value by ROS's rules: by its `type` if given, otherwise as YAML reads it."""
    if kind == 'str' or not written:
        return written
    if kind == 'bool':
        written = {'1': 'true', '0': 'false'}.get(written, written)
    elif kind in ('int', 'float'):
        return TYPES[kind](written)
    elif kind:
        raise ValueError(f'type {kind!r} is not supported; known: {", ".join(TYPES)}')
    try:
        value = yaml.safe_load(written)
    except yaml.YAMLError:
        raise ValueError(f'{written!r} is not a value (use type="str" for text)') from None
    if kind == 'bool' and not isinstance(value, bool):
        raise ValueError(f'{written!r} is not a bool')
    items = value if isinstance(value, list) else [value]
    if not all(isinstance(item, (bool, int, float, str)) for item in items):
        raise ValueError(f'{written!r} is not a scalar or list (use type="str" for text)')
    return value


def _one_of(
    element: Element, attribute: str, text: Text, known: tuple[str, ...], default: str
) -> str:
    if attribute not in element.attributes:
        return default
    value = text(element, attribute)
    if value not in known:
        raise element.fault(f'{attribute}={value!r}: must be one of {", ".join(known)}')
    return value


def _respawn_delay(element: Element, text: Text) -> float | None:
    if _one_of(element, 'respawn', text, ('true', 'false'), default='false') == 'false':
        return None
    return (
        _seconds(element, 'respawn_delay', text) if 'respawn_delay' in element.attributes else 0.0
    )


def _seconds(element: Element, attribute: str, text: Text) -> float:
    written = text(element, attribute)
    try:
        seconds = float(written)
    except ValueError:
        seconds = -1.0
    if not 0.0 <= seconds < 1e6:
        raise element.fault(f'{attribute}={written!r}: must be a number of seconds')
    return seconds
