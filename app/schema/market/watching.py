"""Keeping a watchlist."""

from typing import Any

import msgspec
import strawberry

from app.domains.market.tokens.model import TokenNotFound
from app.domains.market.watchlist.model import AlreadyWatched, WatchlistChanges, WatchlistFull
from app.engine.nodes import key_of
from app.engine.problems import mutation
from app.kit.errors import IdempotencyKeyReused, InvalidInput, NotFound
from app.schema.context import Info
from app.schema.market import problems as _problems  # noqa: F401  # declares the types that the unions below name
from app.schema.market.watchlist import NOTES, WatchlistItem


@strawberry.input
class AddToWatchlistInput:
    """A token to watch."""

    symbol: str = strawberry.field(description="Its symbol, in any case.")
    notes: str | None = strawberry.field(default=None, description="What to note about it; null: nothing. " + NOTES)
    idempotency_key: str = strawberry.field(
        description="1 to 200 characters of your own choice; a repeat with the same input is answered as the first"
        " time, for 7 days."
    )


@strawberry.input
class UpdateWatchlistItemInput:
    """What to change of a watched token. A field that is left out stays as it is."""

    id: strawberry.ID = strawberry.field(description="The item's global id.")
    notes: str | None = strawberry.field(
        default=strawberry.UNSET, description="What to note about it; null removes the notes. " + NOTES
    )
    position: int | None = strawberry.field(
        default=strawberry.UNSET,
        description="The place to move it to, 0 for the first; beyond the end it is the last. The others close up."
        " Null leaves it where it is.",
    )
    viewed: bool = strawberry.field(default=False, description="Whether the viewer has looked at it just now.")


@strawberry.input
class RemoveFromWatchlistInput:
    """A watched token to forget."""

    id: strawberry.ID = strawberry.field(description="The item's global id.")


@strawberry.type
class AddToWatchlistPayload:
    """The token is watched, since now or since the idempotency key was first used."""

    item: WatchlistItem = strawberry.field(description="The item as it stands now.")


@strawberry.type
class UpdateWatchlistItemPayload:
    """The item was changed."""

    item: WatchlistItem = strawberry.field(description="The item as it stands now.")


@strawberry.type
class RemoveFromWatchlistPayload:
    """The token is not watched any more; the items behind it have moved up."""

    removed_id: strawberry.ID = strawberry.field(description="The item's global id, which now leads nowhere.")


@strawberry.type
class WatchingMutation:
    """Keeping a watchlist."""

    @mutation(
        AddToWatchlistPayload,
        InvalidInput,
        NotFound,
        TokenNotFound,
        AlreadyWatched,
        WatchlistFull,
        IdempotencyKeyReused,
    )
    async def add_to_watchlist(self, info: Info, input: AddToWatchlistInput) -> Any:
        """Puts a token at the end of the viewer's watchlist."""
        item: Any = await info.context.services.market.watchlist.add(
            info.context.require_viewer(), input.symbol, input.notes, input.idempotency_key
        )
        return AddToWatchlistPayload(item=item)

    @mutation(
        UpdateWatchlistItemPayload,
        InvalidInput,
        NotFound,
    )
    async def update_watchlist_item(self, info: Info, input: UpdateWatchlistItemInput) -> Any:
        """Changes notes or place of a watched token, or says that the viewer has looked at it."""
        changes = WatchlistChanges(
            notes=msgspec.UNSET if input.notes is strawberry.UNSET else input.notes,
            position=input.position if isinstance(input.position, int) else msgspec.UNSET,
            viewed=input.viewed,
        )
        item: Any = await info.context.services.market.watchlist.update(
            info.context.require_viewer(), key_of(input.id, "WatchlistItem"), changes
        )
        return UpdateWatchlistItemPayload(item=item)

    @mutation(RemoveFromWatchlistPayload, NotFound)
    async def remove_from_watchlist(self, info: Info, input: RemoveFromWatchlistInput) -> Any:
        """Forgets a watched token; the items behind it move up."""
        await info.context.services.market.watchlist.remove(
            info.context.require_viewer(), key_of(input.id, "WatchlistItem")
        )
        return RemoveFromWatchlistPayload(removed_id=input.id)
