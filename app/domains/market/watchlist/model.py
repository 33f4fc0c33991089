"""The tokens that somebody keeps an eye on, in an order of their own."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from app.kit.errors import Problem


class WatchlistItem(msgspec.Struct, frozen=True):
    """A watched token. `position` counts from 0 without gaps; `rank` changes with its own moves only."""

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


class WatchlistChanges(msgspec.Struct, frozen=True, kw_only=True):
    """What to change of an item: UNSET leaves it as it is, notes of None are removed."""

    notes: str | UnsetType | None = UNSET
    position: int | UnsetType = UNSET
    viewed: bool = False


class AlreadyWatched(Problem):
    """This token is on the watchlist already."""


class WatchlistFull(Problem):
    """The watchlist is full."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"A watchlist has at most {limit} tokens.")
        self.limit = limit
