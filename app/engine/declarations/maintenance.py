"""Root fields that stay open to everybody during maintenance."""

from typing import Any, Final

from graphql import GraphQLField

from app.engine.declarations.metadata import metadata_of

_STAYS_OPEN: Final = "stays-open"


def stays_open() -> dict[str, Any]:
    """The metadata of a root field that callers need during maintenance: to log in, or to see the state."""
    return {_STAYS_OPEN: True}


def is_open(field: GraphQLField) -> bool:
    """Whether a root field stays open."""
    return metadata_of(field).get(_STAYS_OPEN) is True
