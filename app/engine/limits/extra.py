"""What a field costs beyond the common formula, where computing or sending it takes more than others do."""

from typing import Any, Final

from graphql import GraphQLField
from strawberry.types.field import StrawberryField

_METADATA: Final = "cost"


def costs(more: int) -> dict[str, Any]:
    """The metadata of a field that costs so much more than another: its description must say so."""
    return {_METADATA: more}


def extra_cost(field: GraphQLField) -> int:
    """So much more; 0 of most fields."""
    definition = field.extensions.get("strawberry-definition")
    more = definition.metadata.get(_METADATA) if isinstance(definition, StrawberryField) else None
    return more if isinstance(more, int) else 0
