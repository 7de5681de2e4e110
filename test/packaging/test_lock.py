"""The lock names everything that is installed, and no CUDA comes along by accident."""

import importlib.metadata
import re
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parents[2]
OWN = {'rtrrl-ros'}


def normal(name: str) -> str:
    return re.sub('[-_.]+', '-', name).lower()


def pins(name: str) -> dict[str, str]:
    """{package: version} of a requirements file; every line must pin exactly."""
    found = {}
    for line in (ROOT / name).read_text(encoding='utf-8').splitlines():
        if line.strip() and not line.startswith('#'):
            package, version = line.split('==')
            found[normal(package.split('[')[0])] = version.strip()
    return found


def installed() -> dict[str, str]:
    """{package: version} of what pip or uv installed into this environment."""
    folders = [path for path in sys.path if Path(path).name == 'site-packages']
    return {
        normal(distribution.name): distribution.version
        for distribution in importlib.metadata.distributions(path=folders)
        if distribution.read_text('INSTALLER')
    }


needs_own_environment = pytest.mark.skipif(
    Path(sys.prefix).name != '.venv', reason='not in the environment that `make venv` sets up'
)
needs_cpu_build = pytest.mark.skipif(
    torch.version.cuda is not None, reason='set up with TORCH=cuda'
)


@needs_own_environment
@needs_cpu_build
def test_everything_installed_is_locked_in_its_version() -> None:
    locked = {**pins('requirements.lock'), **pins('requirements-torch.txt')}
    found = {name: version.split('+')[0] for name, version in installed().items()}
    assert {name: found[name] for name in found.keys() - OWN} == locked


@needs_cpu_build
def test_no_cuda_package_is_installed() -> None:
    assert not [name for name in installed() if re.match('nvidia|cuda|triton|cupy', name)]


def test_the_locks_hold_no_cuda_package() -> None:
    for name in ('requirements.lock', 'requirements-colcon.lock'):
        assert not [pin for pin in pins(name) if re.match('nvidia|cuda|triton|cupy|torch', pin)]


def test_the_locks_hold_what_is_required() -> None:
    locked = pins('requirements.lock')
    for file in ('requirements.txt', 'requirements-dev.txt', 'requirements-build.txt'):
        for line in (ROOT / file).read_text(encoding='utf-8').splitlines():
            if line.strip() and not line.startswith('#'):
                package, _, version = line.partition('==')
                assert locked[normal(package.split('[')[0])] == (version or locked[normal(package)])
