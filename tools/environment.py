"""The environment that programs of the virtual environment are started in."""

import os
import re
import shutil
import subprocess
from pathlib import Path

# Left over from a sourced ROS installation or from another environment, these would mix two ROS
# distributions, or make the ROS wheels believe that the library path is set already. Bytecode is
# wanted in any case: without it every start of a node compiles torch again.
_FOREIGN = re.compile(
    r'PYTHON(PATH|HOME|DONTWRITEBYTECODE)|LD_LIBRARY_PATH|CMAKE_PREFIX_PATH|VIRTUAL_ENV'
    r'|_ROS_WHEELS_BOOTSTRAP_COMPLETE|AMENT_.*|COLCON_.*'
    r'|ROS_(DISTRO|VERSION|PYTHON_VERSION|PACKAGE_PATH)'
)


class SetUpError(Exception):
    """Something the user can mend; the message is one line and names the fix."""


def venv_environment(venv: Path) -> dict[str, str]:
    """Environment variables for a program of the virtual environment, as an ament prefix."""
    environment = {
        name: value for name, value in os.environ.items() if not _FOREIGN.fullmatch(name)
    }
    environment['VIRTUAL_ENV'] = str(venv)
    environment['PATH'] = f'{venv / "bin"}{os.pathsep}{environment.get("PATH", os.defpath)}'
    environment['AMENT_PREFIX_PATH'] = environment['CMAKE_PREFIX_PATH'] = str(venv)
    environment['ROS_VERSION'] = '2'
    environment['ROS_PYTHON_VERSION'] = '3'
    environment['ROS_DISTRO'] = 'kilted'
    return environment


def require_compiler() -> None:
    """Raise SetUpError unless a C and a C++ compiler are there."""
    for variable, names in (('CC', ('cc', 'gcc', 'clang')), ('CXX', ('c++', 'g++', 'clang++'))):
        named = os.environ.get(variable, '').split()[:1]
        if not any(shutil.which(name) for name in named or names):
            language = 'C' if variable == 'CC' else 'C++'
            raise SetUpError(
                f'found no {language} compiler'
                + (f' ({variable}={named[0]})' if named else '')
                + ', which builds the message types: sudo apt install build-essential'
            )


def run_logged(command: list[str], log: Path, environment: dict[str, str]) -> str:
    """Run a command with its output appended to a log file, and return that output.

    Raises
    ------
    subprocess.CalledProcessError
        with the output, if the command fails
    """
    with log.open('a+', encoding='utf-8', errors='replace') as file:
        print('$', *command, file=file, flush=True)
        start = file.tell()
        code = subprocess.run(
            command, stdout=file, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            env=environment, check=False,
        ).returncode  # fmt: skip
        file.seek(start)
        output = file.read()
    if code:
        raise subprocess.CalledProcessError(code, command, output)
    return output


def site_packages(venv: Path) -> Path:
    """The folder of Python packages of a virtual environment."""
    (folder,) = (venv / 'lib').glob('python3.*/site-packages')
    return folder
