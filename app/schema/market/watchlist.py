"""The viewer's watchlist."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import strawberry

from app.domains.market.prices.model import PRICES_TOPIC
from app.domains.market.services import MarketServices
from app.domains.market.tokens import loaders as token_loaders
from app.domains.market.tokens.model import symbol_of
from app.domains.market.watchlist import loaders as watchlist_loaders
from app.domains.market.watchlist import model
from app.engine.declarations.costs import holds
from app.engine.declarations.nodes import Node, key_of, node_type
from app.engine.declarations.pages import Connection
from app.engine.declarations.patches import changeable, changes_of
from app.engine.declarations.problems import (
    IdempotencyKeyReused,
    InvalidInput,
    NotFound,
    Problem,
    ResultDeleted,
    mutation,
    problem_type,
)
from app.engine.declarations.relations import paged, related
from app.engine.declarations.stream_events import StreamEvent
from app.engine.declarations.subscriptions import durable, volatile
from app.kit.events import Event
from app.kit.volatile import Latest
from app.schema.context import Info
from app.schema.enums import declare_enum
from app.schema.idempotency import IDEMPOTENCY_KEY
from app.schema.market.prices.ticks import PriceTick, quotes_of, ticks_per_s
from app.schema.market.sources import PriceSource
from app.schema.market.tokens import Token, TokenNotFound
from app.schema.market.updates import update_of
from app.schema.searches import search_of

NOTES = "At most 2,000 characters."


@node_type(by=watchlist_loaders.watchlist_item_by_id)
class WatchlistItem(Node):
    """A token on the viewer's watchlist. Visible to the viewer only."""

    token: Token = related(token_loaders.token_by_symbol, key="symbol", description="The token.")
    notes: str | None = strawberry.field(description="The viewer's notes. Null if there are none. " + NOTES)
    position: int = strawberry.field(description="The position in the list. 0 is the first, and there are no gaps.")
    added_at: datetime = strawberry.field(description="When the token was added.")
    last_viewed_at: datetime | None = strawberry.field(
        description="When the viewer last viewed the item. Null if never."
    )


@problem_type(model.AlreadyWatched)
class AlreadyWatched(Problem):
    """The token is already on the viewer's watchlist."""


@problem_type(model.WatchlistFull)
class WatchlistFull(Problem):
    """The watchlist has the maximum number of tokens."""

    limit: int = strawberry.field(description="The maximum number of tokens.")


@strawberry.input
class AddToWatchlistInput:
    """The token to add to the watchlist."""

    symbol: str = strawberry.field(description="The token's symbol, in any case.")
    notes: str | None = strawberry.field(default=None, description="Notes about the token. Null: none. " + NOTES)
    idempotency_key: str = strawberry.field(description=IDEMPOTENCY_KEY)


@strawberry.input
class UpdateWatchlistItemInput:
    """Changes to a watchlist item. Fields that are omitted stay unchanged."""

    id: strawberry.ID = strawberry.field(description="The item's global id.")
    notes: str | None = changeable(description="The new notes. Null removes the notes. " + NOTES)
    position: int | None = changeable(
        description="The new position. 0 is the first; a number beyond the end is the last. The other items move up or"
        " down. Not null."
    )
    viewed: bool | None = changeable(description="Whether the viewer has just viewed the item. Not null.")


@strawberry.input
class RemoveFromWatchlistInput:
    """The item to remove from the watchlist."""

    id: strawberry.ID = strawberry.field(description="The item's global id.")


@strawberry.type
class AddToWatchlistPayload:
    """The token was added, now or when the idempotency key was first used."""

    item: WatchlistItem = strawberry.field(description="The item as it is now.")


@strawberry.type
class UpdateWatchlistItemPayload:
    """The item was changed."""

    item: WatchlistItem = strawberry.field(description="The item as it is now.")


@strawberry.type
class RemoveFromWatchlistPayload:
    """The item was removed. The items after it have moved up."""

    deleted_id: strawberry.ID = strawberry.field(description="The global id of the removed item.")


@strawberry.type
class WatchlistMutation:
    """Changes to the watchlist."""

    @mutation(
        AddToWatchlistPayload,
        InvalidInput,
        TokenNotFound,
        AlreadyWatched,
        WatchlistFull,
        ResultDeleted,
        IdempotencyKeyReused,
    )
    async def add_to_watchlist(self, info: Info, input: AddToWatchlistInput) -> Any:
        """Adds a token to the end of the viewer's watchlist."""
        item: Any = await info.context.services[MarketServices].watchlist.add(
            info.context.require_viewer(), input.symbol, input.notes, input.idempotency_key
        )
        return AddToWatchlistPayload(item=item)

    @mutation(UpdateWatchlistItemPayload, InvalidInput, NotFound)
    async def update_watchlist_item(self, info: Info, input: UpdateWatchlistItemInput) -> Any:
        """Changes the notes or the position of a watchlist item, or marks it as viewed."""
        item: Any = await info.context.services[MarketServices].watchlist.update(
            info.context.require_viewer(), key_of(input.id, WatchlistItem), changes_of(input, model.WatchlistChanges)
        )
        return UpdateWatchlistItemPayload(item=item)

    @mutation(RemoveFromWatchlistPayload, NotFound)
    async def remove_from_watchlist(self, info: Info, input: RemoveFromWatchlistInput) -> Any:
        """Removes an item from the watchlist. The items after it move up."""
        await info.context.services[MarketServices].watchlist.remove(
            info.context.require_viewer(), key_of(input.id, WatchlistItem)
        )
        return RemoveFromWatchlistPayload(deleted_id=input.id)


async def _watched(root: "WatchlistTicks", info: Info) -> Any:
    viewer = info.context.require_viewer()
    watched = await info.context.reads.many(watchlist_loaders.watched_symbols, viewer.user_id)
    limit = info.context.settings.watchlist_limit
    return quotes_of(root.quotes, [each.symbol for each in watched[:limit]])


@strawberry.type
class WatchlistTicks:
    """A tick of the tokens on the viewer's watchlist. Only the latest tick is delivered."""

    at: datetime = strawberry.field(description="When the tick occurred.")
    source: PriceSource = strawberry.field(description="The source of the prices.")
    quotes: strawberry.Private[dict[str, Any]]
    ticks: list[PriceTick] = strawberry.field(
        resolver=_watched,
        graphql_type=list[PriceTick],
        metadata=holds(lambda limits: limits.watchlist),
        description="The watched tokens that have been quoted, in the order of the watchlist at the time of the tick."
        " At most as many as a watchlist may have (`serverInfo { limits { watchlist } }`).",
    )


def _watchlist_ticks(latest: Latest, _: object) -> WatchlistTicks:
    tick = latest.payload
    return WatchlistTicks(at=msgspec.convert(tick["at"], datetime), source=tick["source"], quotes=tick["quotes"])


declare_enum(
    model.WatchlistChange,
    name="WatchlistUpdateKind",
    description="What happened to a watchlist item.",
    ADDED="The item was added.",
    CHANGED="The notes of the item changed, or the viewer viewed it.",
    MOVED="The item was moved. Its position, and the positions of other items, changed.",
    REMOVED="The item was removed. The items after it have moved up.",
)


@strawberry.type
class WatchlistUpdateEvent(StreamEvent):
    """An item of the viewer's watchlist was added, changed, moved or removed."""

    kind: model.WatchlistChange = strawberry.field(description="What happened to the item.")
    item_id: strawberry.Private[UUID]
    item: WatchlistItem | None = related(
        watchlist_loaders.watchlist_item_by_id,
        key="item_id",
        description="The item as it is now. Null if it was removed.",
    )
    deleted_id: strawberry.ID | None = strawberry.field(
        description="The global ID of the removed item. Null unless the kind is REMOVED."
    )


def _watchlist_update_event(event: Event) -> WatchlistUpdateEvent | None:
    update = update_of(event, model.WatchlistChange.REMOVED, WatchlistItem)
    return update and WatchlistUpdateEvent(kind=update.kind, item_id=update.id, deleted_id=update.deleted_id)


@strawberry.type
class WatchlistSubscription:
    """Changes of the watchlist, and its live prices."""

    @durable(WatchlistUpdateEvent, payload=_watchlist_update_event, per_s=0.5)
    async def watchlist_updates(self, info: Info) -> str:
        """The items of the viewer's watchlist as they are added, changed, moved or removed, in order."""
        return model.watchlist_stream(info.context.require_viewer().user_id)

    @volatile(WatchlistTicks, payload=_watchlist_ticks, per_s=ticks_per_s)
    async def watchlist_ticks(self, info: Info) -> str:
        """The prices of the tokens on the viewer's watchlist at each tick, as fast as the client reads. Changes to the
        watchlist take effect at the next tick.
        """
        info.context.require_viewer()
        return PRICES_TOPIC


@strawberry.input
class WatchlistItemFilter:
    """Filters the watchlist by all fields that are given. A field that is null or omitted matches all."""

    symbol: str | None = strawberry.field(default=None, description="The token's symbol, in any case.")

    def conditions(self) -> dict[str, Any]:
        """The filters of the loader."""
        return {"symbol": None if self.symbol is None else symbol_of(self.symbol)}


@strawberry.type
class WatchlistViewer:
    """The viewer's watchlist."""

    watchlist: Connection[WatchlistItem] = paged(
        watchlist_loaders.watchlist_by_user,
        key="user_id",
        stream=model.watchlist_stream,
        filter=WatchlistItemFilter,
        filtering=search_of("the note"),
        description="The tokens on the viewer's watchlist, in the viewer's order. While it is rearranged very often,"
        " an item may be met twice.",
    )
