"""Type extensions: a house adds fields to a type of a house below it, as `extend type` does in SDL."""

from collections.abc import Callable
from typing import TypeVar

import strawberry
from strawberry.types import get_object_definition

T = TypeVar("T", bound=type)


def extension_of(extended: type) -> Callable[[T], T]:
    """Declares that the fields of the class belong to the Strawberry type `extended` as well, after its own.

    Raises ValueError if it has a field of this name already.
    """

    def declare(cls: T) -> T:
        definition = get_object_definition(extended, strict=True)
        fields = get_object_definition(strawberry.type(cls), strict=True).fields
        names = {field.python_name for field in definition.fields}
        for field in fields:
            if field.python_name in names:
                raise ValueError(f"{definition.name} has a field {field.python_name} already")
        definition.fields += fields
        return cls

    return declare
