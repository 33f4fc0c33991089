"""Who a field is for. Columns are for everyone who sees their record, relations for whom their loader is."""

from collections.abc import Mapping
from typing import Any, Final

from graphql import (
    GraphQLField,
)
from strawberry.types.field import StrawberryField

from app.engine.declarations.bindings import Column, binding_of
from app.engine.declarations.computed import ParentFunction
from app.engine.declarations.relations import Relation
from app.engine.declarations.subscriptions import declared_stream
from app.kit.loaders import Audience

_AUDIENCE: Final = "audience"
_EXTERNAL: Final = "external"


def computed_for(audience: Audience) -> dict[str, Any]:
    """The metadata of a field whose resolver gives all of this audience the same. Undeclared: the viewer alone."""
    return {_AUDIENCE: audience}


def computed_externally() -> dict[str, Any]:
    """The metadata of a public field for which others work, with connections of their own: see `Reads.external`."""
    return computed_for(Audience.PUBLIC) | {_EXTERNAL: True}


def audience_of(field: GraphQLField) -> Audience:
    """For whom a field is, as far as it says so itself."""
    if (declared := declared_stream(field)) is not None:
        return declared.audience
    match binding_of(field):
        case Relation() as relation:
            return relation.loader.audience
        # These see their parent and nothing else; everyone who may see it may see them.
        case Column() | ParentFunction():
            return Audience.PUBLIC
    said = _metadata(field).get(_AUDIENCE)
    return said if isinstance(said, Audience) else Audience.VIEWER


def is_external(field: GraphQLField) -> bool:
    """Whether a request waits for others to make it."""
    return _metadata(field).get(_EXTERNAL) is True


def _metadata(field: GraphQLField) -> Mapping[Any, Any]:
    definition = field.extensions.get("strawberry-definition")
    return definition.metadata if isinstance(definition, StrawberryField) else {}
