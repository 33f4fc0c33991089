"""The metadata that a field was declared with."""

from collections.abc import Mapping
from typing import Any

from graphql import GraphQLField
from strawberry.types.field import StrawberryField


def metadata_of(field: GraphQLField) -> Mapping[Any, Any]:
    """The metadata of a field's declaration; empty for a field that Strawberry did not declare."""
    definition = field.extensions.get("strawberry-definition")
    return definition.metadata if isinstance(definition, StrawberryField) else {}
