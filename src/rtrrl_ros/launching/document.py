"""An XML launch file as a tree that remembers where each element stands."""

import dataclasses
from collections.abc import Iterable
from pathlib import Path
from xml.parsers import expat

from ..errors import UserError


@dataclasses.dataclass
class Element:
    """One XML element; `attributes` hold the text as written, substitutions included."""

    tag: str
    attributes: dict[str, str]
    file: Path
    line: int
    children: list['Element'] = dataclasses.field(default_factory=list)

    def fault(self, message: str) -> UserError:
        """An error that names this place."""
        return UserError(f'{self.file}:{self.line}: {message}')

    def check(self, required: Iterable[str] = (), optional: Iterable[str] = ()) -> None:
        """Raise `UserError` for an attribute that is missing or not known."""
        required, optional = tuple(required), tuple(optional)
        for name in required:
            if name not in self.attributes:
                raise self.fault(f'<{self.tag}> needs the attribute {name!r}')
        for name in self.attributes:
            if name not in required + optional:
                known = ', '.join(sorted(required + optional))
                raise self.fault(f'<{self.tag}> has no attribute {name!r} here; known: {known}')

    def check_children(self, allowed: Iterable[str] = ()) -> None:
        """Raise `UserError` for a child element that is not known here."""
        allowed = tuple(allowed)
        for child in self.children:
            if child.tag not in allowed:
                known = f'; known: {", ".join(sorted(allowed))}' if allowed else ''
                raise child.fault(f'<{child.tag}> is not supported in <{self.tag}>{known}')


def read_document(path: Path) -> Element:
    """The root element of a file; `UserError` if it cannot be read or is no launch file."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f'{path} cannot be read: {error.strerror}') from None
    root: list[Element] = []
    open_elements: list[Element] = []
    parser = expat.ParserCreate()

    def start(tag: str, attributes: dict[str, str]) -> None:
        element = Element(tag, attributes, path, parser.CurrentLineNumber)
        (open_elements[-1].children if open_elements else root).append(element)
        open_elements.append(element)

    def end(tag: str) -> None:
        open_elements.pop()

    def text(data: str) -> None:
        if data.strip():
            raise open_elements[-1].fault(f'stray text {data.strip()!r}')

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = text
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        reason = expat.ErrorString(error.code)
        raise UserError(f'{path}:{error.lineno}: not well-formed XML: {reason}') from None
    if root[0].tag != 'launch':
        raise root[0].fault(f'a launch file starts with <launch>, not <{root[0].tag}>')
    return root[0]
