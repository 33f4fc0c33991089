"""Lookups by one of several keys: a field whose `@oneOf` argument `by` chooses the loader and its key.

The declaration is stored on the field, as a relation is, so that the executor loads what a level looks up in one batch.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, Final

import msgspec
import strawberry

from app.engine.declarations.nodes import key_of
from app.engine.declarations.pages import ReadsContext
from app.kit.errors import NotFound
from app.kit.loaders import Audience, One

LOOKUP: Final = "lookup"
"""Where the metadata of a field keeps its Lookup."""


class Key(msgspec.Struct, frozen=True, eq=False):
    """One of the keys by which something is looked up."""

    loader: One[Any]
    parse: Callable[[Any], Any] | None = None
    """Returns the loader's key. Raises ValueError or NotFound for what can be no key, of which there is nothing."""
    allow: Callable[[Any], object] | None = None
    """Given the context, raises if the caller may not look anything up by this key."""


class Lookup(msgspec.Struct, frozen=True, eq=False):
    """A field that is found by one of several keys."""

    keys: Mapping[str, Key]
    """By the names of the argument's fields: in Python as declared, in the schema once it is bound."""

    @property
    def audience(self) -> Audience:
        """Public if every loader is."""
        audiences = {key.loader.audience for key in self.keys.values()}
        return audiences.pop() if len(audiences) == 1 else Audience.VIEWER

    def find(self, context: ReadsContext, by: Mapping[str, Any]) -> Awaitable[Any] | None:
        """The load of what the argument names, coerced by graphql-core; null for what can be no key."""
        ((name, value),) = by.items()
        known = self.keys[name]
        if known.allow is not None:
            known.allow(context)
        try:
            key = value if known.parse is None else known.parse(value)
        except (ValueError, NotFound):
            return None
        return context.reads.one(known.loader, key)


def by_id(node: type, loader: One[Any]) -> Key:
    """The key of a node type: its global ID."""
    return Key(loader, lambda value: key_of(value, node))


def lookup(by: type, keys: Mapping[str, Key], *, of: Any, argument: str, description: str) -> Any:
    """The `of` that the `@oneOf` input `by` names; null if there is none. `argument` describes the argument.

    Raises ValueError if the input has other fields than `keys`.
    """
    if set(by.__annotations__) != set(keys):
        raise ValueError(f"{by.__name__} has other fields than those by which something is found")

    def declared(root: Any, info: strawberry.Info, by: Any) -> Any:
        raise AssertionError("a lookup is followed by its binding")

    declared.__annotations__["by"] = Annotated[by, strawberry.argument(description=argument)]
    return strawberry.field(
        resolver=declared, graphql_type=of | None, description=description, metadata={LOOKUP: Lookup(keys)}
    )
