"""What the cost of a field depends on beside its selections: declared on the field, where everybody sees it."""

from collections.abc import Callable
from typing import Any, Final

import msgspec
from graphql import GraphQLField
from strawberry.types.field import StrawberryField

from app.engine.declarations.limits import Limits

Size = int | Callable[[Limits], int]

_COST: Final = "cost"
_SIZE: Final = "size"
_COUNTED: Final = "counted"


class Counted(msgspec.Struct, frozen=True):
    """An argument that lists what will be answered."""

    name: str
    """In the graph."""
    most: int
    """How many it may list; and how many there are where it is absent."""


def costs(more: int) -> dict[str, Any]:
    """The metadata of a field that costs so much more than another: its description must say so."""
    return {_COST: more}


def holds(most: Size) -> dict[str, Any]:
    """The metadata of a list that never has more items than this, whatever is stored."""
    return {_SIZE: most}


def counted_by(argument: str, most: int) -> dict[str, Any]:
    """The metadata of a field that answers as many items as this argument lists, and never more than `most`.

    The field is a list itself, or an object whose lists have so many items.
    """
    return {_COUNTED: Counted(argument, most)}


def extra_cost(field: GraphQLField) -> int:
    """So much more; 0 of most fields."""
    more = _metadata(field).get(_COST)
    return more if isinstance(more, int) else 0


def declared_size(field: GraphQLField) -> Size | None:
    """The most items of a list; None where it says nothing."""
    size: Size | None = _metadata(field).get(_SIZE)
    return size


def counted_argument(field: GraphQLField) -> Counted | None:
    """The argument that lists what will be answered."""
    counted = _metadata(field).get(_COUNTED)
    return counted if isinstance(counted, Counted) else None


def _metadata(field: GraphQLField) -> Any:
    definition = field.extensions.get("strawberry-definition")
    return definition.metadata if isinstance(definition, StrawberryField) else {}
