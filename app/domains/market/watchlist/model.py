"""Watchlists: the tokens that a user watches, in the user's order."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from app.kit.changes import Changes
from app.kit.errors import Problem


class WatchlistItem(msgspec.Struct, frozen=True):
    """A watched token. `position` counts from 0 without gaps; `rank` changes only when the item itself moves."""

    id: UUID
    user_id: UUID
    symbol: str
    notes: str | None
    position: int
    added_at: datetime
    last_viewed_at: datetime | None
    rank: Decimal


class WatchedSymbol(msgspec.Struct, frozen=True):
    """The symbol of a watched token."""

    symbol: str


class AddedItem(msgspec.Struct, frozen=True):
    """The outcome of adding a token. Without an id, the watchlist is full, or already has the token."""

    id: UUID | None
    is_watched: bool


class RankGap(msgspec.Struct, frozen=True):
    """The rank of an item, and the ranks around a position. `beyond` is greater than all ranks, where none is after."""

    rank: Decimal
    before: Decimal | None
    after: Decimal | None
    beyond: Decimal | None


class WatchlistChanges(Changes, frozen=True, kw_only=True):
    """Changes to an item. UNSET leaves a field unchanged; notes of None are removed."""

    notes: str | UnsetType | None = UNSET
    position: int | UnsetType = UNSET
    viewed: bool | UnsetType = UNSET


class WatchlistChange(StrEnum):
    """What happened to an item, as its events say it."""

    ADDED = "item.added"
    CHANGED = "item.changed"
    MOVED = "item.moved"
    REMOVED = "item.removed"


def watchlist_stream(user_id: UUID) -> str:
    """The stream of a user's watchlist."""
    return f"watchlist:{user_id}"


class AlreadyWatched(Problem):
    """This token is on the watchlist already."""

    field = "symbol"


class WatchlistFull(Problem):
    """The watchlist is full."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"A watchlist has at most {limit} tokens.")
        self.limit = limit
