"""Relay connections over paged loaders."""

from enum import Enum
from typing import Any, Generic, Protocol, TypeVar

import strawberry

from app.engine.declarations.computed import from_parent
from app.engine.declarations.cursors import Cursor, Cursors
from app.engine.declarations.stream_cursors import stream_cursor
from app.kit.events import positions_by_stream
from app.kit.lists import Page, PageRequest, PageResult
from app.kit.reads import COUNT_LIMIT, Reads

MAX_SIZE = 100
DEFAULT_SIZE = 20

NodeT = TypeVar("NodeT")


@strawberry.enum
class CountPrecision(Enum):
    """Whether a count is exact."""

    EXACT = strawberry.enum_value("EXACT", description="The count is exact.")
    AT_LEAST = strawberry.enum_value("AT_LEAST", description="Counting stopped at this value. There are more.")


@strawberry.type
class TotalCount:
    """The number of items in a list."""

    value: int = strawberry.field(description=f"The number of counted items. Counting stops at {COUNT_LIMIT:,}.")
    precision: CountPrecision = strawberry.field(description="Whether there are more than `value`.")


@strawberry.type
class PageInfo:
    """The position of a page in its list."""

    has_next_page: bool = strawberry.field(description="Whether there are items after this page.")
    has_previous_page: bool = strawberry.field(description="Whether there are items before this page.")
    start_cursor: Cursor | None = strawberry.field(description="The cursor of the first item. Null on an empty page.")
    end_cursor: Cursor | None = strawberry.field(description="The cursor of the last item. Null on an empty page.")


class ReadsContext(Protocol):
    """What the engine needs of a request."""

    @property
    def reads(self) -> Reads:
        """The request's loads."""
        ...

    @property
    def cursors(self) -> Cursors:
        """Makes and reads the cursors of lists."""
        ...


class PageSource:
    """What a connection is resolved from: one page of records, and how to count the whole list."""

    __slots__ = ("cursors", "key", "loader", "reads", "request", "result", "stream_cursor")

    def __init__(  # noqa: PLR0917  # six different types: no two can be confused
        self,
        context: ReadsContext,
        loader: Page[Any],
        key: Any,
        request: PageRequest,
        result: PageResult[Any],
        stream_cursor: Cursor | None = None,
    ) -> None:
        # Not the context itself: a mutation renews its loads, and the page must be counted by those that read it.
        self.reads = context.reads
        self.cursors = context.cursors
        self.loader = loader
        self.key = key
        self.request = request
        self.result = result
        self.stream_cursor = stream_cursor

    def cursor_of(self, record: Any) -> Cursor:
        """The cursor of a record of this page."""
        order, descending = self.request.order, self.request.descending
        return self.cursors.encode(self.loader, order, record, descending=descending)


class EdgeSource:
    """A record and the page it is on."""

    __slots__ = ("node", "page")

    def __init__(self, page: PageSource, node: Any) -> None:
        self.page = page
        self.node = node


def _edge_cursor(root: EdgeSource) -> Cursor:
    return root.page.cursor_of(root.node)


def _edges(root: PageSource) -> list[EdgeSource]:
    return [EdgeSource(root, record) for record in root.result.records]


def _nodes(root: PageSource) -> list[Any]:
    return root.result.records


def _page_info(root: PageSource) -> PageInfo:
    result = root.result
    return PageInfo(
        has_next_page=result.has_next,
        has_previous_page=result.has_previous,
        start_cursor=root.cursor_of(result.records[0]) if result.records else None,
        end_cursor=root.cursor_of(result.records[-1]) if result.records else None,
    )


async def _total_count(root: PageSource) -> TotalCount:
    count = await root.reads.count(root.loader, root.key, root.request.filters)
    return TotalCount(
        value=min(count, COUNT_LIMIT),
        precision=CountPrecision.AT_LEAST if count > COUNT_LIMIT else CountPrecision.EXACT,
    )


@strawberry.type
class Edge(Generic[NodeT]):
    """An item with its position in the list."""

    cursor: Cursor = from_parent(
        _edge_cursor, description="The cursor of the item. Pass it as `after` or `before` to continue from here."
    )
    node: NodeT = strawberry.field(description="The item.")


@strawberry.type
class Connection(Generic[NodeT]):
    """A page of a list."""

    edges: list[Edge[NodeT]] = from_parent(
        _edges, graphql_type=list[Edge[NodeT]], description="The items of the page with their cursors."
    )
    nodes: list[NodeT] = from_parent(
        _nodes, graphql_type=list[NodeT], description="The items of the page without their cursors."
    )
    page_info: PageInfo = from_parent(_page_info, description="The position of this page in the list.")
    total_count: TotalCount = from_parent(
        _total_count, description="The number of items in the whole list, with the same filter."
    )
    stream_cursor: Cursor | None = strawberry.field(
        description="The position in the stream of this list's changes before the page was read. Subscribe with it as"
        " `after` to receive every change that the page does not show yet. Null for a list without a subscription."
    )


async def page_of(
    context: ReadsContext, loader: Page[Any], key: Any, request: PageRequest, stream: str | None = None
) -> PageSource:
    """The source of a connection: one page. With `stream`, it has the cursor of the newest event of this stream."""
    reads, cursor = context.reads, None
    if stream is not None:
        # Read before the data, or in the same snapshot, so that a change in between is delivered twice, never lost.
        position = await reads.one(positions_by_stream[loader.audience], stream)
        assert position is not None, "the position of a stream is 0 before its first event"
        cursor = stream_cursor(position.epoch, stream, position.seq)
    return PageSource(context, loader, key, request, await reads.page(loader, key, request), cursor)
