"""The orders that a client can choose for a list."""

from enum import Enum
from typing import Any

import strawberry


@strawberry.enum
class OrderByDirection(Enum):
    """The direction of a sort order."""

    ASC = strawberry.enum_value("ASC", description="Ascending.")
    DESC = strawberry.enum_value("DESC", description="Descending.")


def order_input(noun: str, description: str, /, **fields: str) -> Any:
    """Declares the input `<noun>OrderBy` and its enum `<noun>OrderByField`.

    `fields` are names of the loader's orders, each with its description. `description` says what else matters.
    """
    values = {name: strawberry.enum_value(name, description=text) for name, text in fields.items()}
    kind: Any = Enum(f"{noun}OrderByField", values)  # type: ignore[misc]  # an enum built at run time
    field: Any = strawberry.enum(
        kind,
        description=f"The fields that the list can be sorted by. {description}",
    )
    namespace = {
        "__doc__": f"Sorts the list. {description}",
        "__annotations__": {"field": field, "direction": OrderByDirection},
        "field": strawberry.field(description="The field to sort by."),
        "direction": strawberry.field(description="The direction."),
    }
    return strawberry.input(type(f"{noun}OrderBy", (), namespace))
