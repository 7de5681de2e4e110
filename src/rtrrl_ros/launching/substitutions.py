"""The substitutions of launch files: var, env, find-pkg-share, find-pkg-prefix and dirname."""

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from ..errors import UserError
from ..resources import resource_roots

OUR_PACKAGE = 'rtrrl_ros'
KNOWN = ('var', 'env', 'find-pkg-share', 'find-pkg-prefix', 'dirname')


def find_package_prefix(package: str) -> Path:
    """The install prefix of a package in the ament index; `UserError` if there is none."""
    prefixes = [p for p in os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep) if p]
    for prefix in prefixes:
        if (Path(prefix) / 'share/ament_index/resource_index/packages' / package).is_file():
            return Path(prefix)
    searched = os.pathsep.join(prefixes) or 'is empty'
    raise UserError(f'no ROS package {package!r} (AMENT_PREFIX_PATH {searched})')


def find_package_share(package: str) -> Path:
    """The share folder of a package. Ours is also found in its source tree, without an install."""
    if package == OUR_PACKAGE:
        for root in resource_roots():
            if (root / 'launch').is_dir():
                return root
    return find_package_prefix(package) / 'share' / package


def expand(
    text: str, variables: Mapping[str, str], environment: Mapping[str, str], here: Path
) -> str:
    """Replace every substitution in `text`, inner ones first.

    Parameters
    ----------
    text : as written in the launch file
    variables : launch arguments and <let> values
    environment : as the processes will see it
    here : folder of the launch file

    Raises
    ------
    UserError : one that is unknown, malformed or has no value
    """

    def perform(content: str) -> str:
        words = _words(content)
        name, arguments = (words[0], words[1:]) if words else ('', [])
        if name == 'var' and len(arguments) == 1:
            return _look_up(variables, arguments[0], 'launch argument')
        if name == 'env' and len(arguments) in (1, 2):
            if len(arguments) == 2:
                return environment.get(arguments[0], arguments[1])
            return _look_up(environment, arguments[0], 'environment variable')
        if name == 'find-pkg-share' and len(arguments) == 1:
            return str(find_package_share(arguments[0]))
        if name == 'find-pkg-prefix' and len(arguments) == 1:
            return str(find_package_prefix(arguments[0]))
        if name == 'dirname' and not arguments:
            return str(here)
        if name in KNOWN:
            raise UserError(f'$({content}): wrong number of words')
        raise UserError(f'$({content}) is not supported; known: {", ".join(KNOWN)}')

    return _replace(text, perform)


def _replace(text: str, perform: Callable[[str], str]) -> str:
    """Innermost substitutions first: they contain neither '$(' nor ')'.

    What a substitution yields is not looked at again, so that a value may contain '$('.
    """
    done: list[str] = []
    while found := re.search(r'\$\(([^()$]*)\)', text):
        content = _restore(found.group(1), done)
        done.append(perform(content))
        text = f'{text[: found.start()]}\0{len(done) - 1}\0{text[found.end() :]}'
    if '$(' in text:
        raise UserError(f'{_restore(text, done)!r}: a substitution is not closed or malformed')
    return _restore(text, done)


def _restore(text: str, done: list[str]) -> str:
    return re.sub('\0(\\d+)\0', lambda match: done[int(match.group(1))], text)


def _words(content: str) -> list[str]:
    """Split at white space; quotes keep words together or stand for an empty one."""
    found = re.findall(r"'([^']*)'|\"([^\"]*)\"|(\S+)", content)
    return [single or double or bare for single, double, bare in found]


def _look_up(values: Mapping[str, str], name: str, kind: str) -> str:
    if name not in values:
        raise UserError(f'{kind} {name!r} is not set')
    return values[name]
