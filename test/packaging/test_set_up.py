"""The set-up on machines that lack something: one line that names the fix."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

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
    for name in ('pyproject.toml', 'setup.py', 'setup.cfg', 'package.xml', 'requirements.lock',
                 'requirements-torch.txt'):  # fmt: skip
        shutil.copy(ROOT / name, tmp_path / name)
    for name in ('tools', 'interfaces'):
        shutil.copytree(ROOT / name, tmp_path / name)
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


Steps = Callable[..., list[str]]


@pytest.fixture
def steps(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> Steps:
    """Run the set-up with steps that only note that they ran; `failing` raises as Ctrl-C does."""
    monkeypatch.syspath_prepend(str(TOOLS))
    monkeypatch.delitem(sys.modules, 'set_up_venv', raising=False)
    module: ModuleType = __import__('set_up_venv')
    venv = checkout / '.venv'
    for name, value in {
        'ROOT': checkout, 'VENV': venv, 'STAMPS': venv / 'set-up.json',
        'PYTHON': str(venv / 'python'),
        'message_sources': lambda root: sorted((root / 'interfaces').rglob('*.msg')),
    }.items():  # fmt: skip
        monkeypatch.setattr(module, name, value)

    def run(failing: str = '', torch_build: str = '', python_given: bool = False) -> list[str]:
        ran: list[str] = []

        def step(name: str) -> Callable[..., str]:
            def work(*_: object) -> str:
                ran.append(name)
                venv.mkdir(exist_ok=True)
                (venv / 'python').touch()
                if name == failing:
                    raise KeyboardInterrupt
                return name

            return work

        for name in ('packages', 'torch', 'messages', 'project'):
            monkeypatch.setattr(module, f'_install_{name}', step(name))
        try:
            module._set_up(torch_build, python_given)
        except KeyboardInterrupt:
            assert failing
        return ran

    return run


def test_an_interrupted_run_goes_on_with_the_step_it_stopped_in(steps: Steps) -> None:
    assert steps(failing='messages') == ['packages', 'torch', 'messages']
    assert steps() == ['messages', 'project']
    assert steps() == []


def test_a_change_is_set_up_with_all_that_builds_on_it(steps: Steps, checkout: Path) -> None:
    assert steps() == ['packages', 'torch', 'messages', 'project']
    message = checkout / 'interfaces' / 'rtrrl_msgs' / 'msg' / 'Reward.msg'
    message.write_text(message.read_text() + 'bool more\n')
    assert steps() == ['messages', 'project']
    (checkout / 'requirements.lock').write_text('other==1\n')
    assert steps() == ['packages', 'torch', 'messages', 'project']


def test_the_chosen_build_of_torch_stays_until_another_is_chosen(steps: Steps) -> None:
    assert steps(torch_build='cuda')[0] == 'packages'
    assert steps() == []
    assert steps(torch_build='cpu')[0] == 'packages'
    assert steps() == steps(torch_build='cpu') == []
