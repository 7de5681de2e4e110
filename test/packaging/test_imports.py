"""Which part of the package may know which: read from the import statements."""

import ast
import graphlib
import importlib.metadata
import re
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = 'rtrrl_ros'
SOURCE = ROOT / 'src' / PACKAGE
ROS_ROOTS = {'rclpy', 'ament_index_python', 'launch', 'launch_ros'}


def module_name(file: Path) -> str:
    parts = file.relative_to(SOURCE.parent).with_suffix('').parts
    return '.'.join(parts[:-1] if parts[-1] == '__init__' else parts)


MODULES = {module_name(file): file for file in sorted(SOURCE.rglob('*.py'))}


def imported_names(tree: ast.AST, module: str, is_package: bool) -> Iterator[str]:
    """Absolute names of everything that import statements below a node mention."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ''
            if node.level:
                parts = module.split('.')
                parts = parts[: len(parts) - node.level + is_package]
                base = '.'.join([*parts, *([node.module] if node.module else [])])
            yield base
            yield from (f'{base}.{alias.name}' for alias in node.names)


def imports_of(module: str) -> set[str]:
    file = MODULES[module]
    tree = ast.parse(file.read_text(encoding='utf-8'), str(file))
    return set(imported_names(tree, module, file.name == '__init__.py'))


def part(module: str) -> str:
    """The subpackage of a module, or the module itself at the top level."""
    return module.split('.')[1] if '.' in module else ''


def is_ros(name: str) -> bool:
    root = name.split('.')[0]
    return root in ROS_ROOTS or root.endswith(('_msgs', '_interfaces', '_srvs'))


def reached_from(prefix: str) -> dict[str, set[str]]:
    """{module: what it imports} for the modules under a prefix and all modules they import."""
    waiting = [name for name in MODULES if name == prefix or name.startswith(f'{prefix}.')]
    assert waiting, f'{prefix} has no modules'
    reached: dict[str, set[str]] = {}
    while waiting:
        module = waiting.pop()
        if module not in reached:
            reached[module] = imports_of(module)
            waiting += [name for name in reached[module] if name in MODULES]
    return reached


def test_only_nodes_and_the_launch_runner_know_ros() -> None:
    guilty = {
        module: sorted(filter(is_ros, imports_of(module)))
        for module in MODULES
        if part(module) not in ('nodes', 'launching') and any(map(is_ros, imports_of(module)))
    }
    assert not guilty


def test_the_gate_needs_neither_torch_nor_nodes() -> None:
    for module, names in reached_from(f'{PACKAGE}.safety').items():
        roots = {name.split('.')[0] for name in names}
        assert 'torch' not in roots, module
        assert not any(map(is_ros, names)), module
        assert part(module) not in ('nodes', 'learning', 'cells'), module


@pytest.mark.parametrize('core', ['cells', 'learning'])
def test_the_learner_knows_no_world_and_no_ros(core: str) -> None:
    for module, names in reached_from(f'{PACKAGE}.{core}').items():
        assert not any(map(is_ros, names)), module
        assert part(module) not in ('worlds', 'nodes', 'launching'), f'{core} reaches {module}'
        assert not any(name.split('.')[0] == 'gymnasium' for name in names), module


def test_nothing_but_the_command_line_and_launching_imports_nodes() -> None:
    for module in MODULES:
        if part(module) not in ('nodes', 'cli', 'launching'):
            assert not any(name.startswith(f'{PACKAGE}.nodes') for name in imports_of(module)), (
                module
            )


def test_no_circle_of_imports() -> None:
    graph = {
        module: {name for name in imports_of(module) if name in MODULES and name != module}
        for module in MODULES
    }
    # A package that imports its own modules is no circle where these import one another directly.
    graph = {
        module: {name for name in names if not module.startswith(f'{name}.')}
        for module, names in graph.items()
    }
    tuple(graphlib.TopologicalSorter(graph).static_order())  # raises CycleError and names it


def test_a_circle_would_be_seen(tmp_path: Path) -> None:
    one, two = ast.parse('from .two import f'), ast.parse('from ..a import one')
    assert 'p.a.two' in set(imported_names(one, 'p.a.one', is_package=False))
    assert 'p.a.one' in set(imported_names(two, 'p.a.two', is_package=False))
    assert 'p.a.two' in set(imported_names(ast.parse('from . import two'), 'p.a', is_package=True))


def third_party_roots() -> set[str]:
    roots = {name.split('.')[0] for module in MODULES for name in imports_of(module)}
    return roots - sys.stdlib_module_names - {PACKAGE, ''}


def normal(name: str) -> str:
    return re.sub('[-_.]+', '-', name).lower()


def test_every_import_is_a_requirement() -> None:
    text = (ROOT / 'requirements.txt').read_text() + (ROOT / 'requirements-torch.txt').read_text()
    required = {normal(name) for name in re.findall(r'^([\w.-]+)', text, flags=re.MULTILINE)}
    own = {file.parent.name for file in (ROOT / 'interfaces').rglob('package.xml')}
    providers = importlib.metadata.packages_distributions()
    missing = {
        root
        for root in third_party_roots() - own
        if not required & {normal(name) for name in [*providers.get(root, []), f'ros-{root}']}
    }
    assert not missing


def test_every_ros_import_is_a_dependency_in_package_xml() -> None:
    declared = {
        depend.text for depend in ElementTree.parse(ROOT / 'package.xml').iter('exec_depend')
    }
    assert set(filter(is_ros, third_party_roots())) <= declared
