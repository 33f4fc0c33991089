"""Relations are declarations: a field that follows a key of its record through a loader.

The declaration is stored on the field (`metadata["relation"]`), so that the executor can load a whole level in one
batch.
"""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Annotated, Any, NamedTuple

import msgspec
import strawberry
from graphql import FieldNode, FragmentSpreadNode, GraphQLResolveInfo, InlineFragmentNode

from app.engine.declarations.costs import Size, holds
from app.engine.declarations.cursors import Cursor, Cursors
from app.engine.declarations.pages import DEFAULT_FIRST, MAX_FIRST, PageSource, ReadsContext, page_of
from app.kit.errors import InvalidInput
from app.kit.loaders import Audience, Many, One, Page, PageRequest


class Chosen(msgspec.Struct, frozen=True, eq=False):
    """The loader and its filters, for a list whose arguments choose between several loaders."""

    loader: Page[Any]
    filters: tuple[Any, ...]


Filtering = Callable[..., tuple[Any, ...] | Chosen]
"""Returns a loader's filters from a list's own arguments. Raises InvalidInput."""


class Relation(msgspec.Struct, frozen=True, eq=False):
    """A field that follows `key` of its parent through `loader`; a key of None starts at the root."""

    loader: One[Any] | Many[Any] | Page[Any]
    key: str | None
    stream: Callable[[Any], str] | None = None
    """The stream of the changes of a key's list; null if there is none."""
    filtering: Filtering | None = None
    """Null if the list has no arguments of its own."""
    max_first: int = MAX_FIRST
    """The largest page."""
    allowed: Callable[[Any, Any], bool] | None = None
    """Whether the caller of this context may read this parent's list; null if the loader decides."""
    convert: Callable[[dict[str, Any]], dict[str, Any]] | None = None
    """Converts the list's own arguments to their Python names and types; set by the schema."""

    def is_allowed(self, context: ReadsContext, parent: Any) -> bool:
        """Whether the caller may read the parent's list. The declaration may raise instead of returning False."""
        return self.allowed is None or self.allowed(context, parent)

    def follow(
        self, context: ReadsContext, arguments: dict[str, Any], asks_for_stream_cursor: Callable[[], bool]
    ) -> "Following":
        """How the relation is followed for one selection of an operation, for any number of parents.

        `arguments` are coerced by graphql-core. Raises InvalidInput.
        """
        reads, loader = context.reads, self.loader
        match loader:
            case One():
                return Following(partial(reads.one, loader))
            case Many():
                return Following(partial(reads.many, loader))
        chosen, request = self.request(context.cursors, arguments)
        if (stream := self.stream) is not None and asks_for_stream_cursor():
            return Following(lambda key: page_of(context, chosen, key, request, stream(key)), is_batched=False)

        def source(key: Any, result: Any) -> PageSource:
            return PageSource(context, chosen, key, request, result)

        return Following(lambda key: reads.page(chosen, key, request), source)

    def request(self, cursors: Cursors, arguments: dict[str, Any]) -> tuple[Page[Any], PageRequest]:
        """The page for a client's arguments, which graphql-core has coerced. Raises InvalidInput."""
        return self.page(cursors, **(arguments if self.convert is None else self.convert(arguments)))

    def page(self, cursors: Cursors, first: int, after: str | None = None, **own: Any) -> tuple[Page[Any], PageRequest]:
        """The page for these arguments, and its loader. Raises InvalidInput."""
        loader, filters = self.loader, self.filtering(**own) if self.filtering else ()
        if isinstance(filters, Chosen):
            loader, filters = filters.loader, filters.filters
        assert isinstance(loader, Page)
        # The list is read for the audience that it is declared for.
        assert loader.audience is self.loader.audience
        return loader, page_request(cursors, loader, first, after, filters, max_first=self.max_first)


class Following(NamedTuple):
    """How a relation is followed: what is loaded for a key, and how the result is converted."""

    load: Callable[[Any], Awaitable[Any]]
    make: Callable[[Any, Any], Any] | None = None
    """Converts what was loaded for a key. Null: it is not converted."""
    is_batched: bool = True
    """Whether `load` returns the future of a batch, which needs no task. Otherwise it returns a coroutine."""


def _first(limit: int) -> Any:
    return strawberry.argument(
        description=f"The number of items, 1 to {limit:,}. It multiplies the cost of the selected fields."
    )


First = Annotated[int, _first(MAX_FIRST)]
After = Annotated[
    Cursor | None,
    strawberry.argument(description="A cursor of this list: return the items after it. Null: start at the beginning."),
]


def _declared(root: Any, info: strawberry.Info) -> Any:
    """The resolver of every relation. The schema reads its parameters and replaces it by a bare function."""
    raise AssertionError("a relation is followed by its binding")


def _field(
    relation: Relation,
    description: str,
    options: dict[str, Any],
    resolver: Callable[..., Any] = _declared,
    more: Mapping[str, Any] | None = None,
) -> Any:
    metadata = {"relation": relation, **(more or {})}
    return strawberry.field(resolver=resolver, description=description, metadata=metadata, **options)


def related(loader: One[Any], *, key: str, description: str, **options: Any) -> Any:
    """The record whose key is the parent's attribute `key`; null if that is null."""
    return _field(Relation(loader, key), description, options)


def listed(loader: Many[Any], *, key: str, most: Size, description: str, **options: Any) -> Any:
    """The short list of records that belong to the parent's `key`; there are never more than `most`."""
    return _field(Relation(loader, key), description, options, more=holds(most))


def paged(
    loader: Page[Any],
    *,
    description: str,
    key: str | None = None,
    stream: Callable[[Any], str] | None = None,
    filtering: Filtering | None = None,
    allowed: Callable[[Any, Any], bool] | None = None,
    max_first: int = MAX_FIRST,
    **options: Any,
) -> Any:
    """The list of records that belong to the parent's `key`, page by page; without a key, a list of its own.

    `stream` names the stream of the list's changes, by its key. The parameters of `filtering` are the list's
    further arguments, before `first` and `after`, or behind them if they are keyword-only. It returns the loader's
    filters, in their order, or `Chosen`, with another loader of the same audience.

    `allowed` is given the context and the parent, and decides before anything is read: the list is null where it
    returns False, and it may raise. Such a list is for the viewer alone.
    """
    if allowed is not None and loader.audience is not Audience.VIEWER:
        raise ValueError("a list with `allowed` must have the audience VIEWER")
    relation = Relation(loader, key, stream, filtering, max_first, allowed)
    return _field(relation, description, options, _with_arguments(filtering, max_first))


def _with_arguments(filtering: Filtering | None, max_first: int) -> Callable[..., Any]:
    """A resolver with the parameters that become arguments: the list's own, and those of its pages."""
    own = list(inspect.signature(filtering).parameters.values()) if filtering else []
    kind = inspect.Parameter.KEYWORD_ONLY
    parameters = [
        *inspect.signature(_declared).parameters.values(),
        *(each.replace(kind=kind) for each in own if each.kind is not kind),
        inspect.Parameter("first", kind, default=DEFAULT_FIRST, annotation=Annotated[int, _first(max_first)]),
        inspect.Parameter("after", kind, default=None, annotation=After),
        *(each for each in own if each.kind is kind),
    ]

    def declared(root: Any, info: strawberry.Info, **arguments: Any) -> Any:
        return _declared(root, info)

    declared.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # read by inspect
    declared.__annotations__ = {
        each.name: each.annotation for each in parameters if each.annotation is not inspect.Parameter.empty
    }
    return declared


STREAM_CURSOR = "streamCursor"


def selects(info: "GraphQLResolveInfo[Any]", name: str) -> bool:
    """Whether a field of this name is selected directly below."""
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
    position = None if after is None else cursors.decode(loader, after)
    # If the order of a list is an argument, it is one of the filters and the first order column.
    orders = dict(zip(loader.filters, filters, strict=True))
    if position is not None and position[0] != orders.get(loader.order[0], position[0]):
        raise InvalidInput("after", "This cursor belongs to a list in another order.")
    return PageRequest(first, position, filters)
