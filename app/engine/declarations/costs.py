"""What the cost of a field depends on apart from its selections, declared on the field."""

from collections.abc import Callable
from typing import Any, Final

import msgspec
from graphql import GraphQLField

from app.engine.declarations.limits import Limits
from app.engine.declarations.metadata import metadata_of

Size = int | Callable[[Limits], int]

_COST: Final = "cost"
_SIZE: Final = "size"
_COUNTED: Final = "counted"


class Counted(msgspec.Struct, frozen=True):
    """An argument that lists the items to return."""

    name: str
    """Its name in the schema."""
    most: int
    """The maximum number of items in it, and the number of items without it."""


def costs(more: int) -> dict[str, Any]:
    """The metadata of a field that costs `more` in addition to 1: its description must say so."""
    return {_COST: more}


def holds(most: Size) -> dict[str, Any]:
    """The metadata of a list that never has more than `most` items."""
    return {_SIZE: most}


def counted_by(argument: str, most: int) -> dict[str, Any]:
    """The metadata of a field that returns as many items as this argument lists, and never more than `most`.

    The field is a list, or an object whose lists have that many items.
    """
    return {_COUNTED: Counted(argument, most)}


def extra_cost(field: GraphQLField) -> int:
    """The cost of a field in addition to 1: 0 for most fields."""
    more = metadata_of(field).get(_COST)
    return more if isinstance(more, int) else 0


def declared_size(field: GraphQLField) -> Size | None:
    """The declared maximum number of items of a list; None if it declares none."""
    size: Size | None = metadata_of(field).get(_SIZE)
    return size


def counted_argument(field: GraphQLField) -> Counted | None:
    """The argument that lists the items to return; None if the field has none."""
    counted = metadata_of(field).get(_COUNTED)
    return counted if isinstance(counted, Counted) else None
