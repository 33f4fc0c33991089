"""Fields for admins: how they are declared, and recognised."""

from collections.abc import Mapping
from typing import Any, Final

from graphql import GraphQLField

from app.engine.declarations.metadata import metadata_of
from app.engine.declarations.relations import Relation
from app.schema.context import Context

_ADMINS: Final = "admins"


def for_admins() -> dict[str, Any]:
    """The metadata of a field whose resolver begins with `require_admin`. It is listed after those for all callers."""
    return {_ADMINS: True}


def admins_only(context: Context, _: object) -> bool:
    """For lists that only admins may read (`allowed`). Raises Unauthenticated or Forbidden for others."""
    context.require_admin()
    return True


def declares_admins(metadata: Mapping[Any, Any]) -> bool:
    """Whether the metadata of a declaration says that the field is for admins."""
    relation = metadata.get("relation")
    return metadata.get(_ADMINS) is True or (isinstance(relation, Relation) and relation.allowed is admins_only)


def is_for_admins(field: GraphQLField) -> bool:
    """Whether a field of the graph is for admins."""
    return declares_admins(metadata_of(field))
