"""Who a computed field is for. Columns are for whoever sees their record, relations for whom their loader is."""

from typing import Any, Final

from graphql import GraphQLField
from strawberry.types.field import StrawberryField

from app.engine.direct import Column, OfParent, way_of
from app.engine.relations import Relation
from app.engine.streams.declaring import declared_stream
from app.kit.loading import Audience

_METADATA: Final = "audience"


def computed_for(audience: Audience) -> dict[str, Any]:
    """The metadata of a field whose resolver gives all of this audience the same. Undeclared: the viewer alone."""
    return {_METADATA: audience}


def audience_of(field: GraphQLField) -> Audience:
    """For whom a field is, as far as it says so itself."""
    if (declared := declared_stream(field)) is not None:
        return declared.audience
    match way_of(field):
        case Relation() as relation:
            return relation.loader.audience
        # These see their parent and nothing else; whoever may see that may see them.
        case Column() | OfParent():
            return Audience.PUBLIC
    definition = field.extensions.get("strawberry-definition")
    said = definition.metadata.get(_METADATA) if isinstance(definition, StrawberryField) else None
    return said if isinstance(said, Audience) else Audience.VIEWER
