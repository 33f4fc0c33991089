"""What an API key must hold to read a type or to call a mutation. The fields of a type inherit it."""

from collections.abc import Mapping
from typing import Final

from graphql import GraphQLField, GraphQLNamedType

PUBLIC: Final = "public"
"""Any key reads it, as everybody does."""
NEVER: Final = "never"
"""No key does: it is a user's own. So is whatever is not declared."""

_SCOPE: Final = "moneta-key-scope"


def declare_key_scope(declared: GraphQLNamedType | GraphQLField, scope: str) -> None:
    """`scope` is PUBLIC, NEVER, or what a key must hold."""
    declared.extensions[_SCOPE] = scope


def declared_key_scope(declared: GraphQLNamedType | GraphQLField) -> str | None:
    """The scope that was declared; None if none was."""
    scopes: Mapping[str, str] = declared.extensions
    return scopes.get(_SCOPE)
