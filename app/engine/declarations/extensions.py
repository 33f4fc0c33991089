"""Type extensions: a house adds fields to a type of a house below it, as `extend type` does in SDL."""

from collections.abc import Callable
from typing import Final, TypeVar

import strawberry
from strawberry.types import get_object_definition

T = TypeVar("T", bound=type)


_EXTENDED: Final = "__extended__"


def extension_of(extended: type) -> Callable[[T], T]:
    """Declares a class whose fields `extend` adds to the Strawberry type `extended`."""

    def declare(cls: T) -> T:
        setattr(cls, _EXTENDED, extended)
        return strawberry.type(cls)

    return declare


def extend(extension: type) -> None:
    """Adds the fields of a class declared with `extension_of` after the type's own. Idempotent.

    Raises ValueError if the type has another field of this name.
    """
    definition = get_object_definition(getattr(extension, _EXTENDED), strict=True)
    for field in get_object_definition(extension, strict=True).fields:
        if any(each is field for each in definition.fields):
            continue
        if any(each.python_name == field.python_name for each in definition.fields):
            raise ValueError(f"{definition.name} has a field {field.python_name} already")
        definition.fields.append(field)
