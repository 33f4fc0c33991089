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
from graphql import FieldNode, FragmentSpreadNode, GraphQLResolveInfo, InlineFragmentNode, SelectionSetNode

from app.engine.declarations.costs import Size, holds
from app.engine.declarations.cursors import Cursor, Cursors
from app.engine.declarations.orders import OrderByDirection
from app.engine.declarations.pages import DEFAULT_SIZE, MAX_SIZE, PageSource, ReadsContext, page_of
from app.engine.declarations.paging import Paging, Selects
from app.engine.declarations.spans import check_spans
from app.kit.errors import Faults
from app.kit.lists import PageRequest, page_request
from app.kit.loaders import Audience, Many, One, Page


class Chosen(msgspec.Struct, frozen=True, eq=False):
    """The filters of a list whose arguments also choose between several loaders, or its order."""

    filters: Mapping[str, Any]
    loader: Page[Any] | None = None
    """Null: the declared one, which is also read if this one does not have the order that the client names."""
    order: str | None = None
    """The order if the client names none. Null: the first one of the loader."""


Filtering = Callable[..., Mapping[str, Any] | Chosen]
"""Returns values of a loader's filters, by name, from a list's own arguments. Raises InvalidInput. One that chooses has
a parameter `faults`, and adds there what is wrong: its choice is needed to say what else is."""


class Relation(msgspec.Struct, frozen=True, eq=False):
    """A field that follows `key` of its parent through `loader`; a key of None starts at the root."""

    loader: One[Any] | Many[Any] | Page[Any]
    key: str | None
    stream: Callable[[Any], str] | None = None
    """The stream of the changes of a key's list; null if there is none."""
    filtering: "Callable[..., Chosen] | None" = None
    """Is given `faults` and the list's own arguments. Null if it has no arguments but those of every list."""
    max_size: int = MAX_SIZE
    """The largest page."""
    allowed: Callable[[Any, Any], bool] | None = None
    """Whether the caller of this context may read this parent's list; null if the loader decides."""
    has_inputs: bool = False
    """Whether the list has arguments that must be converted to their Python names and types."""
    convert: Callable[[dict[str, Any]], dict[str, Any]] | None = None
    """Converts the arguments; set by the schema."""

    def is_allowed(self, context: ReadsContext, parent: Any) -> bool:
        """Whether the caller may read the parent's list. The declaration may raise instead of returning False."""
        return self.allowed is None or self.allowed(context, parent)

    def follow(self, context: ReadsContext, arguments: dict[str, Any], selects: Selects) -> "Following":
        """How the relation is followed for one selection of an operation, for any number of parents.

        `arguments` are coerced by graphql-core. Raises InvalidInput.
        """
        reads, loader = context.reads, self.loader
        match loader:
            case One():
                return Following(partial(reads.one, loader))
            case Many():
                return Following(partial(reads.many, loader))
        chosen, request = self.request(context.cursors, arguments, selects)
        if (stream := self.stream) is not None and selects("streamCursor"):
            return Following(lambda key: page_of(context, chosen, key, request, stream(key)), is_batched=False)

        def source(key: Any, result: Any) -> PageSource:
            return PageSource(context, chosen, key, request, result)

        return Following(lambda key: reads.page(chosen, key, request), source)

    def request(self, cursors: Cursors, arguments: dict[str, Any], selects: Selects) -> tuple[Page[Any], PageRequest]:
        """The page for a client's arguments, which graphql-core has coerced, and its loader. Raises InvalidInput."""
        given = dict(arguments) if self.convert is None else self.convert(arguments)
        paging = Paging(*(given.pop(name, None) for name in Paging._fields))
        order_by = given.pop("order_by", None)
        with Faults() as faults:
            chosen = Chosen({}) if self.filtering is None else self.filtering(faults, **given)
            with faults.at():
                check_spans(_bounds(given))
            size = paging.size(self.max_size, faults)
            order = chosen.order if order_by is None else order_by.field.name
            descending = None if order_by is None else order_by.direction is OrderByDirection.DESC
            is_chosen = chosen.loader is not None and order in {None, *chosen.loader.orders}
            loader = chosen.loader if is_chosen else self.loader
            assert isinstance(loader, Page)
            # The list is read for the audience that it is declared for.
            assert loader.audience is self.loader.audience
            request = page_request(loader, size, order, descending=descending, filters=chosen.filters)
            return loader, paging.request(cursors, request, loader, selects, faults)


class Following(NamedTuple):
    """How a relation is followed: what is loaded for a key, and how the result is converted."""

    load: Callable[[Any], Awaitable[Any]]
    make: Callable[[Any, Any], Any] | None = None
    """Converts what was loaded for a key. Null: it is not converted."""
    is_batched: bool = True
    """Whether `load` returns the future of a batch, which needs no task. Otherwise it returns a coroutine."""


def _paging(largest: int) -> dict[str, Any]:
    """The annotations of the arguments that choose a page, by name."""
    size = f"1 to {largest:,}. It multiplies the cost of the selected fields."
    default = f"Null: {DEFAULT_SIZE}, unless `last` is given."
    described = {
        "first": (int, f"The number of items from the beginning, or after `after`, {size} {default}"),
        "after": (Cursor, "A cursor of this list in this order: return only items after it."),
        "last": (int, f"The number of items at the end, or before `before`, {size} Not with `first`."),
        "before": (Cursor, "A cursor of this list in this order: return only items before it."),
    }
    return {
        name: Annotated[kind | None, strawberry.argument(description=description)]
        for name, (kind, description) in described.items()
    }


DEFAULT_ORDER = "The order of the list. Null: the order that the description of the list names."


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


def related(
    loader: One[Any], *, key: str, description: str, metadata: Mapping[str, Any] | None = None, **options: Any
) -> Any:
    """The record whose key is the parent's attribute `key`; null if that is null."""
    return _field(Relation(loader, key), description, options, more=metadata)


def listed(loader: Many[Any], *, key: str, most: Size, description: str, **options: Any) -> Any:
    """The short list of records that belong to the parent's `key`; there are never more than `most`."""
    return _field(Relation(loader, key), description, options, more=holds(most))


def paged(
    loader: Page[Any],
    *,
    description: str,
    key: str | None = None,
    stream: Callable[[Any], str] | None = None,
    filter: Any = None,
    order_by: Any = None,
    filtering: Filtering | None = None,
    allowed: Callable[[Any, Any], bool] | None = None,
    max_size: int = MAX_SIZE,
    **options: Any,
) -> Any:
    """The list of records that belong to the parent's `key`, page by page; without a key, a list of its own.

    `filter` is an input type whose fields are filters of the loader; a method `conditions` returns them by name if they
    need to be converted. `order_by` is an `order_input`. The parameters of `filtering` are further arguments of the
    list. If one is named `filter`, it is given the filter; otherwise the filter's conditions are added to those that it
    returns. If one is named `faults`, what is wrong is added to it.

    `stream` names the stream of the list's changes, by its key. `allowed` is given the context and the parent, and
    decides before anything is read: the list is null where it returns False, and it may raise. Such a list is for the
    viewer alone.
    """
    if allowed is not None and loader.audience is not Audience.VIEWER:
        raise ValueError("a list with `allowed` must have the audience VIEWER")
    own = {} if filtering is None else dict(inspect.signature(filtering).parameters)
    passes_filter, passes_faults = (own.pop(name, None) is not None for name in ("filter", "faults"))
    relation = Relation(
        loader,
        key,
        stream,
        _filtering(filtering, passes_filter=passes_filter, passes_faults=passes_faults) if own or filter else None,
        max_size,
        allowed,
        has_inputs=bool(own) or filter is not None or order_by is not None,
    )
    return _field(relation, description, options, _with_arguments(own, filter, order_by, max_size))


def _conditions(filter: Any) -> Mapping[str, Any]:
    """The filters that an input sets, by name."""
    if filter is None:
        return {}
    conditions: Mapping[str, Any] = filter.conditions() if hasattr(filter, "conditions") else vars(filter)
    return conditions


def _bounds(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """The arguments of a list, and the fields of its filter, as the client gave them."""
    filter = given.get("filter")
    return given if filter is None else {**given, **vars(filter)}


def _filtering(filtering: Filtering | None, *, passes_filter: bool, passes_faults: bool) -> Callable[..., Chosen]:
    """How the arguments of a list determine its loader's filters."""

    def filters(faults: Faults, filter: Any = None, **own: Any) -> Chosen:
        chosen: Mapping[str, Any] | Chosen = {}
        if passes_faults:
            own["faults"] = faults
        if passes_filter:
            own["filter"] = filter
        if filtering is not None:
            with faults.at():
                chosen = filtering(**own)
        if not isinstance(chosen, Chosen):
            chosen = Chosen(chosen)
        conditions: Mapping[str, Any] = {}
        if not passes_filter:
            with faults.at():
                conditions = _conditions(filter)
        return msgspec.structs.replace(chosen, filters={**chosen.filters, **conditions})

    return filters


def _with_arguments(
    own: Mapping[str, inspect.Parameter], filter: Any, order_by: Any, max_size: int
) -> Callable[..., Any]:
    """A resolver with the parameters that become arguments: the list's own, and those of every list."""
    kind = inspect.Parameter.KEYWORD_ONLY
    more = _paging(max_size)
    if filter is not None:
        more["filter"] = Annotated[filter | None, strawberry.argument(description="Which items. Null: all.")]
    if order_by is not None:
        more["order_by"] = Annotated[order_by | None, strawberry.argument(description=DEFAULT_ORDER)]
    parameters = [
        *inspect.signature(_declared).parameters.values(),
        *(each.replace(kind=kind) for each in own.values()),
        *(inspect.Parameter(name, kind, default=None, annotation=annotation) for name, annotation in more.items()),
    ]

    def declared(root: Any, info: strawberry.Info, **arguments: Any) -> Any:
        return _declared(root, info)

    declared.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # read by inspect
    declared.__annotations__ = {
        each.name: each.annotation for each in parameters if each.annotation is not inspect.Parameter.empty
    }
    return declared


def selects(info: "GraphQLResolveInfo[Any]", *path: str) -> bool:
    """Whether a field is selected below. `path` are the names on the way to it, from the first below."""
    return _selects(info, [node.selection_set for node in info.field_nodes], path)


def _selects(info: "GraphQLResolveInfo[Any]", todo: list[SelectionSetNode | None], path: tuple[str, ...]) -> bool:
    while todo:
        for selection in selections.selections if (selections := todo.pop()) else ():
            match selection:
                case FieldNode():
                    if selection.name.value == path[0] and (
                        len(path) == 1 or _selects(info, [selection.selection_set], path[1:])
                    ):
                        return True
                case InlineFragmentNode():
                    todo.append(selection.selection_set)
                case FragmentSpreadNode():
                    todo.append(info.fragments[selection.name.value].selection_set)
    return False
