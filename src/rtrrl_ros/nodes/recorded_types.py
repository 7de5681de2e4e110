"""Message classes of this machine for the types of a recording."""

import importlib
from typing import Any

from ..bags.message_types import MessageTypes
from ..bags.reading import Bag
from ..errors import UserError


class UnfitError(Exception):
    """Why messages cannot be published as they were recorded, one line."""


def message_class(bag: Bag, type_name: str) -> Any:
    """The class whose serialised messages are those of the bag; `UnfitError` where there is none.

    Bytes of a message that is defined differently here would be read as something else.
    """
    package, _, name = type_name.partition('/msg/')
    try:
        kind = getattr(importlib.import_module(f'{package}.msg'), name)
    except (ImportError, AttributeError, ValueError):
        raise UnfitError(f'{type_name} is not installed here') from None
    try:
        recorded, ours = (types.definition(type_name)[1] for types in (bag.types, MessageTypes()))
    except UserError as error:
        raise UnfitError(str(error)) from None
    if recorded != ours:
        raise UnfitError(f'{type_name} was defined differently when it was recorded')
    return kind


def has_header(kind: Any) -> bool:
    """Whether messages of a class begin with a header."""
    first = next(iter(kind.get_fields_and_field_types().items()), None)
    return first == ('header', 'std_msgs/Header')
