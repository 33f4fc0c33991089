"""Relations are declarations: a field that follows a key of its record through a loader.

The declaration stays readable on the field (`metadata["relation"]`), so that a planner can batch whole levels without
touching a type.
"""

from collections.abc import Callable
from typing import Annotated, Any, Protocol, cast

import msgspec
import strawberry
from graphql import FieldNode, FragmentSpreadNode, GraphQLResolveInfo, InlineFragmentNode

from app.engine.cursors import Cursor, decode_cursor
from app.engine.pages import DEFAULT_FIRST, MAX_FIRST, page_of
from app.kit.errors import InvalidInput
from app.kit.loading import Many, One, Page, PageRequest, Reads


class ReadsContext(Protocol):
    """What the engine needs of a request."""

    @property
    def reads(self) -> Reads:
        """The request's loads."""
        ...


class Relation(msgspec.Struct, frozen=True, eq=False):
    """A field that follows `key` of its parent through `loader`; a key of None starts at the root."""

    loader: One[Any] | Many[Any] | Page[Any]
    key: str | None
    stream: Callable[[Any], str] | None = None
    """The stream that tells the changes of a key's list; null where nothing does."""


First = Annotated[
    int,
    strawberry.argument(description=f"How many items, 1 to {MAX_FIRST}. Each multiplies the cost of what is below."),
]
After = Annotated[
    Cursor | None, strawberry.argument(description="A cursor of this list; null starts at its beginning.")
]


def _reads(info: strawberry.Info) -> Reads:
    return cast(ReadsContext, info.context).reads


def _field(resolver: Callable[..., Any], relation: Relation, description: str, options: dict[str, Any]) -> Any:
    return strawberry.field(resolver=resolver, description=description, metadata={"relation": relation}, **options)


def related(loader: One[Any], *, key: str, description: str, **options: Any) -> Any:
    """The one record whose key the parent holds in `key`; null when the parent holds none."""

    def resolve(root: Any, info: strawberry.Info) -> Any:
        value = getattr(root, key)
        return None if value is None else _reads(info).one(loader, value)

    return _field(resolve, Relation(loader, key), description, options)


def listed(loader: Many[Any], *, key: str, description: str, **options: Any) -> Any:
    """The short, bounded list of records that belong to the parent's `key`."""

    def resolve(root: Any, info: strawberry.Info) -> Any:
        return _reads(info).many(loader, getattr(root, key))

    return _field(resolve, Relation(loader, key), description, options)


def paged(
    loader: Page[Any],
    *,
    description: str,
    key: str | None = None,
    stream: Callable[[Any], str] | None = None,
    **options: Any,
) -> Any:
    """The list of records that belong to the parent's `key`, page by page; without a key, a list of its own.

    `stream` names the stream that tells the list's changes, by its key.
    """

    def resolve(root: Any, info: strawberry.Info, first: First = DEFAULT_FIRST, after: After = None) -> Any:
        value = getattr(root, key) if key else None
        followed = stream(value) if stream and selects(info._raw_info, STREAM_CURSOR) else None
        return page_of(_reads(info), loader, value, page_request(loader, first, after), followed)

    return _field(resolve, Relation(loader, key, stream), description, options)


STREAM_CURSOR = "streamCursor"


def selects(info: "GraphQLResolveInfo[Any]", name: str) -> bool:
    """Whether a field of this name is asked for right below."""
    todo = [node.selection_set for node in info.field_nodes]
    while todo:
        for selection in selections.selections if (selections := todo.pop()) else ():
            match selection:
                case FieldNode():
                    if selection.name.value == name:
                        return True
                case InlineFragmentNode():
                    todo.append(selection.selection_set)
                case FragmentSpreadNode():
                    todo.append(info.fragments[selection.name.value].selection_set)
    return False


def page_request(loader: Page[Any], first: int, after: str | None, filters: tuple[Any, ...] = ()) -> PageRequest:
    """Checks a client's paging arguments. Raises InvalidInput."""
    if not 1 <= first <= MAX_FIRST:
        raise InvalidInput("first", f"`first` must be between 1 and {MAX_FIRST}.")
    return PageRequest(first, None if after is None else decode_cursor(loader, after), filters)
