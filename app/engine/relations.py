"""Relations are declarations: a field that follows a key of its record through a loader.

The declaration stays readable on the field (`metadata["relation"]`), so that a planner can batch whole levels without
touching a type.
"""

import inspect
from collections.abc import Callable, Mapping
from typing import Annotated, Any, cast

import msgspec
import strawberry
from graphql import FieldNode, FragmentSpreadNode, GraphQLResolveInfo, InlineFragmentNode

from app.engine.cursors import Cursor, Cursors
from app.engine.limits.extra import Size, holds
from app.engine.pages import DEFAULT_FIRST, MAX_FIRST, ReadsContext, page_of
from app.kit.errors import InvalidInput
from app.kit.loaders import Many, One, Page, PageRequest
from app.kit.reads import Reads


class Relation(msgspec.Struct, frozen=True, eq=False):
    """A field that follows `key` of its parent through `loader`; a key of None starts at the root."""

    loader: One[Any] | Many[Any] | Page[Any]
    key: str | None
    stream: Callable[[Any], str] | None = None
    """The stream that tells the changes of a key's list; null where nothing does."""
    filtering: Callable[..., tuple[Any, ...]] | None = None
    """Makes the loader's filters of the list's own arguments; null where it has none."""
    max_first: int = MAX_FIRST
    """The largest page."""
    convert: Callable[[dict[str, Any]], dict[str, Any]] | None = None
    """Gives the list's own arguments their Python names and types; the schema knows how."""

    def request(self, cursors: Cursors, arguments: dict[str, Any]) -> PageRequest:
        """The page that a client's arguments ask for, as graphql-core has coerced them. Raises InvalidInput."""
        assert isinstance(self.loader, Page)
        chosen = arguments if self.convert is None else self.convert(arguments)
        return self.page(cursors, **chosen)

    def page(self, cursors: Cursors, first: int, after: str | None = None, **chosen: Any) -> PageRequest:
        """The page of these arguments. Raises InvalidInput."""
        assert isinstance(self.loader, Page)
        filters = self.filtering(**chosen) if self.filtering else ()
        return page_request(cursors, self.loader, first, after, filters, max_first=self.max_first)


def _first(limit: int) -> Any:
    return strawberry.argument(
        description=f"How many items, 1 to {limit:,}. Each multiplies the cost of what is below."
    )


First = Annotated[int, _first(MAX_FIRST)]
After = Annotated[
    Cursor | None, strawberry.argument(description="A cursor of this list; null starts at its beginning.")
]


def _context(info: strawberry.Info) -> ReadsContext:
    return cast(ReadsContext, info.context)


def _reads(info: strawberry.Info) -> Reads:
    return _context(info).reads


def _field(
    resolver: Callable[..., Any],
    relation: Relation,
    description: str,
    options: dict[str, Any],
    more: Mapping[str, Any] | None = None,
) -> Any:
    metadata = {"relation": relation, **(more or {})}
    return strawberry.field(resolver=resolver, description=description, metadata=metadata, **options)


def related(loader: One[Any], *, key: str, description: str, **options: Any) -> Any:
    """The one record whose key the parent holds in `key`; null when the parent holds none."""

    def resolve(root: Any, info: strawberry.Info) -> Any:
        value = getattr(root, key)
        return None if value is None else _reads(info).one(loader, value)

    return _field(resolve, Relation(loader, key), description, options)


def listed(loader: Many[Any], *, key: str, most: Size, description: str, **options: Any) -> Any:
    """The short list of records that belong to the parent's `key`; there are never more than `most`."""

    def resolve(root: Any, info: strawberry.Info) -> Any:
        return _reads(info).many(loader, getattr(root, key))

    return _field(resolve, Relation(loader, key), description, options, holds(most))


def paged(
    loader: Page[Any],
    *,
    description: str,
    key: str | None = None,
    stream: Callable[[Any], str] | None = None,
    filtering: Callable[..., tuple[Any, ...]] | None = None,
    max_first: int = MAX_FIRST,
    **options: Any,
) -> Any:
    """The list of records that belong to the parent's `key`, page by page; without a key, a list of its own.

    `stream` names the stream that tells the list's changes, by its key. The parameters of `filtering` are the list's
    further arguments; it returns the loader's filters, in their order, or raises InvalidInput.
    """
    relation = Relation(loader, key, stream, filtering, max_first)

    def resolve(root: Any, info: strawberry.Info, first: int, after: str | None, **chosen: Any) -> Any:
        value = getattr(root, key) if key else None
        followed = stream(value) if stream and selects(info._raw_info, STREAM_CURSOR) else None
        context = _context(info)
        return page_of(context, loader, value, relation.page(context.cursors, first, after, **chosen), followed)

    _declare_arguments(resolve, filtering, max_first)
    return _field(resolve, relation, description, options)


def _declare_arguments(
    resolve: Callable[..., Any], filtering: Callable[..., tuple[Any, ...]] | None, max_first: int
) -> None:
    """Gives a list's resolver the parameters that the schema is made of: the list's own, then those of its pages."""
    own = list(inspect.signature(filtering).parameters.values()) if filtering else []
    kind = inspect.Parameter.KEYWORD_ONLY
    parameters = [
        *list(inspect.signature(resolve).parameters.values())[:2],
        *(each.replace(kind=kind) for each in own),
        inspect.Parameter("first", kind, default=DEFAULT_FIRST, annotation=Annotated[int, _first(max_first)]),
        inspect.Parameter("after", kind, default=None, annotation=After),
    ]
    resolve.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # read by inspect
    resolve.__annotations__ = {
        each.name: each.annotation for each in parameters if each.annotation is not inspect.Parameter.empty
    }


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


def page_request(
    cursors: Cursors,
    loader: Page[Any],
    first: int,
    after: str | None,
    filters: tuple[Any, ...] = (),
    *,
    max_first: int = MAX_FIRST,
) -> PageRequest:
    """Checks a client's paging arguments. Raises InvalidInput."""
    if not 1 <= first <= max_first:
        raise InvalidInput("first", f"`first` must be between 1 and {max_first:,}.")
    return PageRequest(first, None if after is None else cursors.decode(loader, after), filters)
