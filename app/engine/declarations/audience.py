"""The audience of a field. A column has the audience of its record, a relation that of its loader."""

from typing import Any, Final

from graphql import GraphQLField

from app.engine.declarations.bindings import Column, binding_of
from app.engine.declarations.computed import ParentFunction
from app.engine.declarations.lookups import Lookup
from app.engine.declarations.metadata import metadata_of
from app.engine.declarations.relations import Relation
from app.engine.declarations.subscriptions import declared_stream
from app.kit.loaders import Audience

_AUDIENCE: Final = "audience"
_EXTERNAL: Final = "external"


def computed_for(audience: Audience) -> dict[str, Any]:
    """The metadata of a field whose resolver returns the same value to all callers of this audience.

    A field that declares no audience is for the viewer alone.
    """
    return {_AUDIENCE: audience}


def computed_externally() -> dict[str, Any]:
    """The metadata of a public field whose value is an external result: see `Reads.external`."""
    return computed_for(Audience.PUBLIC) | {_EXTERNAL: True}


def audience_of(field: GraphQLField) -> Audience:
    """The audience of a field, apart from that of its parent."""
    if (stream := declared_stream(field)) is not None:
        return stream.audience
    match binding_of(field):
        case Relation() as relation:
            return relation.loader.audience
        case Lookup() as lookup:
            return lookup.audience
        # These are computed from their parent alone: who may see the parent may see them.
        case Column() | ParentFunction():
            return Audience.PUBLIC
    declared = metadata_of(field).get(_AUDIENCE)
    return declared if isinstance(declared, Audience) else Audience.VIEWER


def is_external(field: GraphQLField) -> bool:
    """Whether its value is an external result: see `Reads.external`."""
    return metadata_of(field).get(_EXTERNAL) is True
