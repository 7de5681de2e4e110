"""The set-up on machines that lack something: one line that names the fix."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / 'tools'


def find_python(*folders: Path, python: str = '') -> subprocess.CompletedProcess[str]:
    environment = {'PATH': os.pathsep.join(map(str, folders)), 'PYTHON': python}
    return subprocess.run(
        ['/bin/sh', str(TOOLS / 'find_python.sh')],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


def program(file: Path, script: str) -> Path:
    file.parent.mkdir(exist_ok=True)
    file.write_text(f'#!/bin/sh\n{script}\n')
    file.chmod(0o755)
    return file


@pytest.fixture
def good(tmp_path: Path) -> Path:
    """A folder with a python3.12 that fulfils every wish."""
    return program(tmp_path / 'good' / 'python3.12', 'echo ok /somewhere/python3.12').parent


def test_an_interpreter_that_refuses_to_run_is_passed_over(tmp_path: Path, good: Path) -> None:
    shims = program(tmp_path / 'shims' / 'python3.11', 'echo not installed >&2; exit 127').parent
    program(shims / 'python3.12', 'exit 127')
    assert find_python(shims, good).stdout == '/somewhere/python3.12\n'


def test_without_a_usable_python_one_line_names_the_fix(tmp_path: Path) -> None:
    bare = program(tmp_path / 'bare' / 'python3.11', 'echo lacks venv').parent
    result = find_python(bare)
    assert result.returncode != 0 and result.stdout == ''
    assert result.stderr.count('\n') == 1
    assert 'sudo apt install python3.11-venv' in result.stderr
    assert f'{bare}/python3.11 lacks venv' in result.stderr


def test_the_named_python_is_the_only_candidate(tmp_path: Path, good: Path) -> None:
    old = program(tmp_path / 'old', 'echo is Python 3.9')
    result = find_python(good, python=str(old))
    assert result.returncode != 0
    assert result.stderr == f'set-up: PYTHON={old} is Python 3.9\n'


def test_the_probe_accepts_the_base_of_this_environment_only() -> None:
    if sys.prefix == sys.base_prefix:
        pytest.skip('not in a virtual environment')
    assert 'belongs to a virtual environment' in find_python(python=sys.executable).stderr
    base = Path(sys.base_prefix) / 'bin' / 'python{}.{}'.format(*sys.version_info)
    assert find_python(python=str(base)).returncode == 0


def set_up(checkout: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, '-S', '-B', str(checkout / 'tools' / 'set_up_venv.py')],
        env={**os.environ, **environment}, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What the set-up reads of the repository, in a place where it may write."""
    for name in ('tools', 'interfaces', 'pyproject.toml', 'setup.py', 'setup.cfg', 'package.xml',
                 'requirements.lock', 'requirements-torch.txt'):  # fmt: skip
        (tmp_path / name).symlink_to(ROOT / name)
    # The set-up finds its checkout by its own place.
    (tmp_path / 'tools').unlink()
    (tmp_path / 'tools').mkdir()
    for file in TOOLS.iterdir():
        if file.is_file():
            (tmp_path / 'tools' / file.name).write_bytes(file.read_bytes())
    return tmp_path


def test_without_a_compiler_one_line_names_the_fix(checkout: Path) -> None:
    result = set_up(checkout, PATH='/nowhere', CC='', CXX='')
    assert result.returncode == 1
    assert result.stderr == (
        'set-up: found no C compiler, which builds the message types: '
        'sudo apt install build-essential\n'
    )
    assert not (checkout / '.venv').exists()


def test_somebody_elses_environment_is_left_alone(checkout: Path) -> None:
    (checkout / '.venv').mkdir()
    (checkout / '.venv' / 'mine').touch()
    result = set_up(checkout)
    assert result.returncode == 1
    assert 'is not from this set-up' in result.stderr and result.stderr.count('\n') == 1
    assert (checkout / '.venv' / 'mine').exists()


def test_without_a_package_index_one_line_names_the_fix(checkout: Path) -> None:
    nowhere = {'PIP_INDEX_URL': 'http://127.0.0.1:9/simple', 'PIP_RETRIES': '1',
               'PIP_CONFIG_FILE': os.devnull, 'PIP_NO_CACHE_DIR': '1'}  # fmt: skip
    for name in ('PIP_FIND_LINKS', 'PIP_EXTRA_INDEX_URL'):
        nowhere[name] = ''
    result = set_up(checkout, **nowhere)
    assert result.returncode == 1
    assert 'cannot reach the package index: check the network' in result.stderr
    assert result.stderr.count('\n') == 1


@pytest.mark.skipif(not (ROOT / '.venv' / 'set-up.json').is_file(), reason='not set up here')
def test_a_second_run_does_nothing() -> None:
    result = set_up(ROOT)
    assert (result.returncode, result.stdout, result.stderr) == (0, '', '')
