"""What a launch file with its arguments amounts to: the list of processes to start.

Nothing is started here, and nothing outside the files, the arguments and the environment counts.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import UserError
from .document import Element, read_document
from .node_element import NodeProcess, read_node
from .substitutions import expand

MAX_DEPTH = 20


@dataclasses.dataclass
class Scope:
    """What <arg>, <let>, <set_env> and <push_ros_namespace> set, as far as a group reaches."""

    variables: dict[str, str]
    environment: dict[str, str]
    namespace: str = ''

    def copy(self) -> 'Scope':
        return Scope(dict(self.variables), dict(self.environment), self.namespace)


def describe(
    path: Path, arguments: Mapping[str, str], environment: Mapping[str, str]
) -> list[NodeProcess]:
    """Read a launch file and those it includes.

    Parameters
    ----------
    path : the launch file
    arguments : values for its <arg> elements
    environment : that of the processes, before any <set_env>

    Returns
    -------
    the nodes to start, in the order of the file

    Raises
    ------
    UserError : one line with file and line number of whatever is not understood
    """
    reader = _Reader()
    scope = Scope(dict(arguments), dict(environment))
    reader.read_file(path, scope, depth=0)
    for name in arguments:
        if name not in reader.declared:
            known = ', '.join(sorted(reader.declared)) or 'none'
            raise UserError(f'{path} has no argument {name!r}; known: {known}')
    _name_apart(reader.nodes)
    return reader.nodes


def _name_apart(nodes: list[NodeProcess]) -> None:
    """Number processes of the same name, so that their output and faults can be told apart."""
    labels = [node.label for node in nodes]
    for index, node in enumerate(nodes):
        if labels.count(labels[index]) > 1:
            node.label = f'{node.label}-{labels[: index + 1].count(labels[index])}'


class _Reader:
    """Walks the elements in order, as ROS does, and collects the nodes."""

    def __init__(self) -> None:
        self.nodes: list[NodeProcess] = []
        self.declared: set[str] = set()
        self._actions: dict[str, Any] = {
            'arg': self._arg,
            'let': self._let,
            'set_env': self._set_env,
            'node': self._node,
            'group': self._group,
            'include': self._include,
            'push_ros_namespace': self._push_namespace,
            'push-ros-namespace': self._push_namespace,
        }

    def read_file(self, path: Path, scope: Scope, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise UserError(f'{path}: includes are nested more than {MAX_DEPTH} deep')
        root = read_document(path)
        root.check(optional=('version',))
        self._children(root, scope, depth)

    def _children(self, parent: Element, scope: Scope, depth: int) -> None:
        parent.check_children(self._actions)
        for element in parent.children:
            if _wanted(element, scope):
                self._actions[element.tag](element, scope, depth)

    def _arg(self, element: Element, scope: Scope, depth: int) -> None:
        element.check(['name'], ['default', 'description', 'if', 'unless'])
        element.check_children(['choice'])
        name = element.attributes['name']
        self.declared.add(name)
        if name not in scope.variables:
            if 'default' not in element.attributes:
                what = element.attributes.get('description', '')
                raise element.fault(
                    f'argument {name!r} is required' + (f': {what}' if what else '')
                )
            scope.variables[name] = text(element, 'default', scope)
        for choice in element.children:
            choice.check(['value'])
        choices = [choice.attributes['value'] for choice in element.children]
        if choices and scope.variables[name] not in choices:
            raise element.fault(
                f'{name}:={scope.variables[name]}: must be one of {", ".join(choices)}'
            )

    def _let(self, element: Element, scope: Scope, depth: int) -> None:
        element.check(['name', 'value'], ['if', 'unless'])
        element.check_children()
        scope.variables[text(element, 'name', scope)] = text(element, 'value', scope)

    def _set_env(self, element: Element, scope: Scope, depth: int) -> None:
        element.check(['name', 'value'], ['if', 'unless'])
        element.check_children()
        scope.environment[text(element, 'name', scope)] = text(element, 'value', scope)

    def _push_namespace(self, element: Element, scope: Scope, depth: int) -> None:
        element.check(['namespace'], ['if', 'unless'])
        element.check_children()
        scope.namespace = joined_namespace(scope.namespace, text(element, 'namespace', scope))

    def _group(self, element: Element, scope: Scope, depth: int) -> None:
        element.check(optional=['scoped', 'if', 'unless'])
        scoped = 'scoped' not in element.attributes or truth(element, 'scoped', scope)
        self._children(element, scope.copy() if scoped else scope, depth)

    def _include(self, element: Element, scope: Scope, depth: int) -> None:
        element.check(['file'], ['if', 'unless'])
        element.check_children(['arg'])
        passed = {}
        for child in element.children:
            child.check(['name', 'value'])
            passed[text(child, 'name', scope)] = text(child, 'value', scope)
        path = Path(text(element, 'file', scope))
        if not path.is_file():
            raise element.fault(f'no launch file {path}')
        # as in ROS, what an included file sets stays set after it
        scope.variables.update(passed)
        declared_before, self.declared = self.declared, set()
        self.read_file(path, scope, depth + 1)
        for name in passed:
            if name not in self.declared:
                raise element.fault(f'{path} has no argument {name!r}')
        self.declared |= declared_before

    def _node(self, element: Element, scope: Scope, depth: int) -> None:
        namespace = scope.namespace
        if 'namespace' in element.attributes:
            namespace = joined_namespace(namespace, text(element, 'namespace', scope))
        self.nodes.append(
            read_node(
                element,
                namespace,
                dict(scope.environment),
                lambda at, name: text(at, name, scope),
            )
        )


def text(element: Element, attribute: str, scope: Scope) -> str:
    """The attribute with its substitutions replaced."""
    try:
        return expand(
            element.attributes[attribute], scope.variables, scope.environment, element.file.parent
        )
    except UserError as error:
        raise element.fault(str(error)) from None


def truth(element: Element, attribute: str, scope: Scope) -> bool:
    """The attribute as a condition, by ROS's rules: true, 1, false or 0."""
    value = text(element, attribute, scope).strip().lower()
    if value not in ('true', '1', 'false', '0'):
        raise element.fault(f'{attribute}={value!r}: must be true, 1, false or 0')
    return value in ('true', '1')


def joined_namespace(outer: str, inner: str) -> str:
    """`inner` below `outer`, unless it is absolute."""
    if inner.startswith('/'):
        return inner.rstrip('/')
    return f'{outer.rstrip("/")}/{inner.strip("/")}' if inner.strip('/') else outer


def _wanted(element: Element, scope: Scope) -> bool:
    if 'if' in element.attributes and 'unless' in element.attributes:
        raise element.fault('give either if or unless')
    if 'if' in element.attributes:
        return truth(element, 'if', scope)
    return not ('unless' in element.attributes and truth(element, 'unless', scope))
