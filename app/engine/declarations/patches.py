"""Updates as patches: a field that is absent stays unchanged, and null clears it."""

from collections.abc import Callable
from types import NoneType
from typing import Any, TypeVar, get_args

import msgspec
import strawberry
from strawberry.types import get_object_definition
from strawberry.utils.str_converters import to_camel_case

from app.kit.errors import InvalidInput

T = TypeVar("T", bound=msgspec.Struct)


def changeable(*, description: str) -> Any:
    """A field of an update, which may be absent. Whether null clears it is said by the type of the changes."""
    return strawberry.field(default=strawberry.UNSET, description=description)


def changes_of(update: Any, changes: type[T], **converted: tuple[str, Callable[[Any], Any]]) -> T:
    """The `changes` that an update describes. Raises InvalidInput for null in a field that cannot be cleared.

    `changes` is UNSET where nothing changes; a field whose type has None can be cleared. It is read from the update's
    field of the same name, or from the one that `converted` names, through its function; null is not converted.
    """
    found = {}
    for field in msgspec.structs.fields(changes):
        name, convert = converted.get(field.name, (field.name, None))
        value = getattr(update, name)
        if value is strawberry.UNSET:
            continue
        if value is None and NoneType not in get_args(field.type):
            raise InvalidInput(_in_the_graph(update, name), "This cannot be null. Leave it out to keep it as it is.")
        found[field.name] = value if value is None or convert is None else convert(value)
    return changes(**found)


def _in_the_graph(update: Any, name: str) -> str:
    field = get_object_definition(type(update), strict=True).get_field(name)
    return (field and field.graphql_name) or to_camel_case(name)
