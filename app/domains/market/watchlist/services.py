"""Adding, changing and removing watched tokens."""

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from msgspec import UNSET

from app.domains.accounts.model import Viewer
from app.domains.market.tokens.model import symbol_of
from app.domains.market.tokens.services.search import known_symbol
from app.domains.market.watchlist.model import (
    AlreadyWatched,
    WatchlistChange,
    WatchlistChanges,
    WatchlistFull,
    WatchlistItem,
    watchlist_stream,
)
from app.domains.market.watchlist.rules import MAX_DECIMALS, decimals_of, is_between, rank_between
from app.domains.market.watchlist.statements import WatchlistSql
from app.kit.clock import Clock
from app.kit.db import Database, Tx
from app.kit.errors import Faults, InvalidInput, NotFound, ResultDeleted
from app.kit.events import EventLog, Fact
from app.kit.idempotency import KeyedRequest, Made, check_key, once
from app.kit.text import is_storable

MAX_NOTES_CHARS = 2000
_LAST_POSITION = 2**31 - 1


@dataclass(frozen=True)
class Watchlist:
    """The watchlists of all users. The positions of a watchlist count from 0 without gaps."""

    database: Database
    clock: Clock
    events: EventLog
    limit: int

    async def add(self, viewer: Viewer, symbol: str, notes: str | None, idempotency_key: str) -> WatchlistItem:
        """Adds a token to the end, by its symbol in any case.

        Raises InvalidInput, TokenNotFound, AlreadyWatched, WatchlistFull, IdempotencyKeyReused. A replay raises
        ResultDeleted when the item has since been removed.
        """

        async def add(tx: Tx) -> Made:
            checked, known = _notes(notes), await known_symbol(tx, symbol)
            await tx.execute(WatchlistSql.lock_watchlist, str(viewer.user_id))
            [added] = await tx.fetch(
                WatchlistSql.insert_watchlist_item, viewer.user_id, known, checked, self.limit, self.clock.now()
            )
            if added.is_watched:
                raise AlreadyWatched
            if added.id is None:
                raise WatchlistFull(self.limit)
            return Made(added.id)

        check_key(idempotency_key, lambda: _notes(notes))
        request = [symbol_of(symbol), _trimmed(notes)]
        keyed = KeyedRequest.of(viewer.user_id, idempotency_key, "addToWatchlist", request)

        async def work(tx: Tx) -> WatchlistItem:
            added = await once(tx, keyed, lambda: add(tx), Made)
            item = await tx.fetch_one(WatchlistSql.watchlist_item, added.result.id, viewer.user_id)
            if item is None:
                raise ResultDeleted
            if not added.replayed:
                await self._append(tx, viewer, item.id, WatchlistChange.ADDED)
            return item

        return await self.database.write(viewer.scope, work)

    async def update(self, viewer: Viewer, id: UUID, changes: WatchlistChanges) -> WatchlistItem:
        """Changes an item. A move does not write the other items. Raises InvalidInput, NotFound."""
        with Faults() as faults:
            changes.check(faults)
            notes = None if changes.notes is UNSET else faults.check(_notes, changes.notes)
            position = None if changes.position is UNSET else faults.check(_position, changes.position)
        viewed_at = self.clock.now() if changes.viewed is True else None

        async def work(tx: Tx) -> WatchlistItem:
            rank = None if position is None else await _rank_at(tx, viewer, id, position)
            has_notes = changes.notes is not UNSET
            values = (has_notes, notes, viewed_at, rank)
            if not await tx.execute(WatchlistSql.update_watchlist_item, id, viewer.user_id, *values):
                raise NotFound(WatchlistItem)
            item = await _item(tx, viewer, id)
            changes_made = [WatchlistChange.CHANGED] if has_notes or viewed_at is not None else []
            if rank is not None:
                changes_made.append(WatchlistChange.MOVED)
            await self._append(tx, viewer, id, *changes_made)
            return item

        return await self.database.write(viewer.scope, work)

    async def remove(self, viewer: Viewer, id: UUID) -> None:
        """Removes an item. Raises NotFound."""

        async def work(tx: Tx) -> None:
            if not await tx.execute(WatchlistSql.delete_watchlist_item, id, viewer.user_id):
                raise NotFound(WatchlistItem)
            await self._append(tx, viewer, id, WatchlistChange.REMOVED)

        await self.database.write(viewer.scope, work)

    async def _append(self, tx: Tx, viewer: Viewer, id: UUID, *changes: WatchlistChange) -> None:
        stream, payload = watchlist_stream(viewer.user_id), {"id": str(id)}
        await self.events.append(tx, [Fact(stream, change, payload) for change in changes])


async def _rank_at(tx: Tx, viewer: Viewer, id: UUID, position: int) -> Decimal | None:
    """Returns the rank that moves an item to this position; None if it is there already. Raises NotFound."""
    await tx.execute(WatchlistSql.lock_watchlist, str(viewer.user_id))
    while True:
        gap = await tx.fetch_one(WatchlistSql.rank_gap, viewer.user_id, id, position)
        if gap is None:
            raise NotFound(WatchlistItem)
        if is_between(gap.rank, gap.before, gap.after):
            return None
        rank = gap.beyond if gap.after is None else rank_between(gap.before, gap.after)
        assert rank is not None, "there is a rank beyond all others where no item follows"
        if decimals_of(rank) <= MAX_DECIMALS:
            return rank
        await tx.execute(WatchlistSql.renumber_watchlist, viewer.user_id)


async def _item(tx: Tx, viewer: Viewer, id: UUID) -> WatchlistItem:
    item = await tx.fetch_one(WatchlistSql.watchlist_item, id, viewer.user_id)
    if item is None:
        raise NotFound(WatchlistItem)
    return item


def _position(position: int) -> int:
    if position < 0:
        raise InvalidInput("position", "A position is 0 or more.")
    return min(position, _LAST_POSITION)


def _trimmed(text: str | None) -> str | None:
    return None if text is None else text.strip() or None


def _notes(text: str | None) -> str | None:
    notes = _trimmed(text)
    if notes is None:
        return None
    if len(notes) > MAX_NOTES_CHARS:
        raise InvalidInput("notes", f"Notes have at most {MAX_NOTES_CHARS} characters.")
    if not is_storable(notes, allowed="\t\n\r"):
        raise InvalidInput("notes", "Notes hold no control characters but tabs and line ends.")
    return notes
