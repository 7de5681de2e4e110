"""Build the repository as a ROS workspace with colcon, on the ROS wheels of .venv.

colcon runs the interpreter that it is started with for everything, and so decides which one the
programs of the workspace get. It is therefore started with the one of .venv, while its own
packages lie apart in .colcon.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from environment import run_logged, site_packages, venv_environment

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / '.venv'
COLCON = (ROOT / '.colcon').resolve()  # a link where copies of the repository share it
LOG = COLCON / 'install.log'
PYTHON = str(VENV / 'bin' / 'python')


def main() -> int:
    try:
        _install_colcon()
    except subprocess.CalledProcessError:
        print(f'colcon: cannot be installed: see {LOG}', file=sys.stderr)
        return 1
    environment = venv_environment(VENV)
    environment['PYTHONPATH'] = str(COLCON)
    return subprocess.run(
        [
            # Below an error it complains that .venv is no workspace to be sourced, which is so.
            PYTHON, str(COLCON / 'bin' / 'colcon'), '--log-level', 'error', 'build',
            # colcon does not look below a package, so interfaces/ is a base path of its own.
            '--base-paths', '.', 'interfaces',
            # .venv holds these packages too; the workspace's are the ones to use.
            '--allow-overriding', *_own_packages(),
            '--cmake-args', '-G', 'Ninja', '-DBUILD_TESTING=OFF', '-DCMAKE_BUILD_TYPE=Release',
            f'-DPython3_EXECUTABLE={PYTHON}',
            f'-DPYTHON_INSTALL_DIR={site_packages(VENV).relative_to(VENV)}',
        ],
        env=environment, cwd=ROOT, check=False,
    ).returncode  # fmt: skip


def _own_packages() -> list[str]:
    return [file.parent.name for file in (ROOT / 'interfaces').rglob('package.xml')] + ['rtrrl_ros']


def _install_colcon() -> None:
    """Install the lock into .colcon, unless this very lock is there."""
    lock = ROOT / 'requirements-colcon.lock'
    installed = COLCON / lock.name
    if installed.is_file() and installed.read_bytes() == lock.read_bytes():
        return
    print('colcon: installing colcon into .colcon', flush=True)
    shutil.rmtree(COLCON, ignore_errors=True)
    COLCON.mkdir()
    command = [PYTHON, '-m', 'pip', 'install', '--no-deps', '--no-build-isolation']
    command += ['--target', str(COLCON), '-r', str(lock)]
    environment = {**venv_environment(VENV), 'PIP_DISABLE_PIP_VERSION_CHECK': '1', 'PIP_USER': '0'}
    run_logged(command, LOG, environment)
    shutil.copy(lock, installed)


if __name__ == '__main__':
    sys.exit(main())
