"""Build the message packages of interfaces/ into the virtual environment.

The ROS wheels bring the generators and their CMake files; what is missing for an ordinary ament
build is an environment that makes the virtual environment the ament prefix, and two repairs.
"""

import graphlib
import re
import subprocess
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path

from environment import SetUpError, run_logged, site_packages, venv_environment


def build_messages(root: Path, venv: Path, log: Path) -> list[str]:
    """Generate, compile and install every message package; returns their names."""
    _repair_exported_targets(venv)
    packages = {_name(folder): folder for folder in _packages(root)}
    for name in [name for name in packages if _is_from_a_wheel(name, venv)]:
        del packages[name]
    for name in _in_build_order(packages):
        try:
            _build(packages[name], venv, log)
        except subprocess.CalledProcessError as error:
            lines = [line for line in error.output.splitlines() if re.search(r'(?i)error', line)]
            raise SetUpError(
                f'{name} did not build: {lines[0] if lines else "see the log"} (all of it: {log})'
            ) from error
    return list(packages)


def message_sources(root: Path) -> list[Path]:
    """Everything that the result of `build_messages` depends on."""
    sources = [file for file in sorted((root / 'interfaces').rglob('*')) if file.is_file()]
    return [*sources, Path(__file__).resolve()]


def _packages(root: Path) -> Iterator[Path]:
    for manifest in sorted((root / 'interfaces').rglob('package.xml')):
        yield manifest.parent


def _name(folder: Path) -> str:
    return ElementTree.parse(folder / 'package.xml').findtext('name', '')


def _in_build_order(packages: dict[str, Path]) -> list[str]:
    graph = {
        name: [
            depend.text
            for depend in ElementTree.parse(folder / 'package.xml').iter('depend')
            if depend.text in packages
        ]
        for name, folder in packages.items()
    }
    return list(graphlib.TopologicalSorter(graph).static_order())


def _is_from_a_wheel(name: str, venv: Path) -> bool:
    """Whether the distribution's own package is there: then the stand-in is not needed."""
    return any(site_packages(venv).glob(f'ros_{name}-*.dist-info'))


def _repair_exported_targets(venv: Path) -> None:
    """Point the wheels' CMake targets to this interpreter.

    They name the include folders of the machine that the wheels were built on.
    """
    packages = str(site_packages(venv))
    ask = 'import sysconfig; print(sysconfig.get_path("include"))'
    python = [str(venv / 'bin' / 'python'), '-c', ask]
    headers = subprocess.run(
        python, capture_output=True, text=True, check=True, env=venv_environment(venv)
    ).stdout.strip()
    for file in (venv / 'share').glob('*/cmake/*Export*.cmake'):
        text = file.read_text(encoding='utf-8')
        repaired = re.sub(r'/opt/python/[^/";]+/include/python3\.\d+', headers, text)
        repaired = re.sub(r'/opt/python/[^/";]+/lib/python3\.\d+/site-packages', packages, repaired)
        if repaired != text:
            file.write_text(repaired, encoding='utf-8')


def _build(package: Path, venv: Path, log: Path) -> None:
    build = venv / 'build' / package.name
    environment = venv_environment(venv)
    run_logged(
        [
            'cmake', '-G', 'Ninja', '-S', str(package), '-B', str(build),
            f'-DCMAKE_INSTALL_PREFIX={venv}',
            f'-DPYTHON_INSTALL_DIR={site_packages(venv).relative_to(venv)}',
            f'-DPython3_EXECUTABLE={venv / "bin" / "python"}',
            '-DCMAKE_BUILD_TYPE=Release',
            '-DBUILD_TESTING=OFF',
        ],
        log, environment,
    )  # fmt: skip
    manifest = build / 'install_manifest.txt'
    before = manifest.read_text(encoding='utf-8').splitlines() if manifest.exists() else []
    run_logged(['cmake', '--build', str(build), '--target', 'install'], log, environment)
    # A message that was renamed or removed must not stay importable.
    for gone in set(before).difference(manifest.read_text(encoding='utf-8').splitlines()):
        Path(gone).unlink(missing_ok=True)
