"""What watched portfolios hold, kept in the process between ticks."""

import asyncio
import secrets
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final, TypeVar
from uuid import UUID

from app.domains.trading.portfolios.model import HOLDINGS_TOPIC, Holding
from app.domains.trading.portfolios.statements import PortfolioSql
from app.kit.db import SYSTEM, Database, Tx
from app.kit.hub import Hub
from app.kit.single_flight import SingleFlight
from app.kit.volatile import VolatileTopics, Watcher
from app.kit.work import free_to_wait

T = TypeVar("T")

MAX_AGE_S: Final = 5.0
"""What was read is compared with the database after this time: an announcement may be lost."""
MAX_KEPT: Final = 10_000
"""The portfolios that a process keeps. Further ones are read at each tick."""
READ_AT_ONCE: Final = 500
COMPARED_AT_ONCE: Final = 5000


class _Kept:
    """What a portfolio held when it was read."""

    __slots__ = ("holdings", "is_used", "owner_id", "uses_stored_prices", "version")

    def __init__(self, holdings: Sequence[Holding]) -> None:
        self.holdings = holdings
        # Neither of a portfolio that there is not: it stays so until it is announced.
        self.owner_id = holdings[0].user_id if holdings else None
        self.version = holdings[0].version if holdings else None
        self.is_used = True
        self.uses_stored_prices = False


class _Batch:
    """Portfolios that are read together."""

    def __init__(self) -> None:
        self.ids: dict[UUID, None] = {}
        self.changed: set[UUID] = set()
        """Those that were announced while they were being read."""


class WatchedHoldings:
    """The holdings of watched portfolios, read as the system for all who watch; the owner is compared at each use.

    Once it follows a hub, they are kept until a change is announced, and compared with the database every 5 seconds.
    """

    def __init__(self, database: Database, volatile: VolatileTopics) -> None:
        self._database = database
        self._volatile = volatile
        self._hub: Hub | None = None
        self._watcher: Watcher | None = None
        self._kept: dict[UUID, _Kept] = {}
        self._batch = _Batch()
        self._reading: set[_Batch] = set()
        self._compared_s = float("-inf")
        self._reads: SingleFlight[dict[UUID, _Kept]] = SingleFlight()
        self._tasks: SingleFlight[None] = SingleFlight()

    def follow(self, hub: Hub) -> None:
        """Keeps from now on what is read: this hub hears of changes."""
        self._hub, self._watcher, self._kept = hub, None, {}

    async def stop(self) -> None:
        """Ends what is being read."""
        await self._reads.stop()
        await self._tasks.stop()

    def announce(self, ids: Iterable[UUID]) -> None:
        """Announces that postings to these portfolios were committed, to this process at once, and soon to others."""
        for id in ids:
            self._forget(id)
            # Another value each time: by that a hub finds what it has missed.
            self._volatile.publish_soon(HOLDINGS_TOPIC, str(id), secrets.token_hex(8))

    async def of(self, owner_id: UUID, id: UUID, quoted: Collection[str]) -> Sequence[Holding]:
        """The cash and the tokens of a portfolio; nothing if it is not this user's. Raises Unavailable.

        What is not among `quoted` is used at the stored price, which is at most 5 seconds old.
        """
        if asyncio.get_running_loop().time() - self._compared_s > MAX_AGE_S:
            free_to_wait("what is compared for all")
            await self._tasks.join("compare", self._compare)
        kept = self._kept.get(id)
        if kept is None:
            free_to_wait("what is read for all")
            batch = self._batch
            batch.ids[id] = None
            kept = (await self._reads.join(batch, lambda: self._read(batch)))[id]
        kept.is_used = True
        if kept.owner_id != owner_id:
            return ()
        if not kept.uses_stored_prices:
            kept.uses_stored_prices = any(each.symbol and each.symbol not in quoted for each in kept.holdings)
        return kept.holdings

    async def _watch(self, hub: Hub) -> None:
        watcher = await hub.watch(HOLDINGS_TOPIC, self._hear)
        # What was announced before is in what is read from now on.
        watcher.take()
        self._watcher = watcher

    async def _read(self, batch: _Batch) -> dict[UUID, _Kept]:
        if self._hub is not None and self._watcher is None:
            hub = self._hub
            await self._tasks.join("watch", lambda: self._watch(hub))
        # All who are about to execute the same tick add their portfolios.
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        self._batch = _Batch()
        self._reading.add(batch)
        found: dict[UUID, _Kept] = {}

        async def read(tx: Tx) -> None:
            for ids in _parts(list(batch.ids), READ_AT_ONCE):
                rows = await tx.fetch_keyed(PortfolioSql.holdings_by_portfolios, ids)
                found.update((id, _Kept(holdings)) for id, holdings in rows.items())

        try:
            await self._database.read(SYSTEM, read)
        finally:
            self._reading.discard(batch)
        for id, kept in found.items():
            if self._watcher is not None and id not in batch.changed and len(self._kept) < MAX_KEPT:
                self._kept[id] = kept
        return found

    async def _compare(self) -> None:
        """Forgets what has changed, what nobody has used since, and what is used at stored prices."""
        began_s = asyncio.get_running_loop().time()
        for id, kept in list(self._kept.items()):
            if kept.uses_stored_prices or not kept.is_used:
                del self._kept[id]
            kept.is_used = False

        due = dict(self._kept)
        stored: dict[UUID, tuple[UUID | None, str]] = {}

        async def compare(tx: Tx) -> None:
            for ids in _parts(list(due), COMPARED_AT_ONCE):
                rows = await tx.fetch(PortfolioSql.versions_of_holdings, ids)
                stored.update((id, (owner_id, version)) for id, owner_id, version in rows)

        if due:
            await self._database.read(SYSTEM, compare)
        for id, kept in due.items():
            if stored.get(id, (None, None)) != (kept.owner_id, kept.version) and self._kept.get(id) is kept:
                del self._kept[id]
        self._compared_s = began_s

    def _hear(self) -> None:
        if self._watcher is not None:
            for latest in self._watcher.take():
                self._forget(UUID(latest.key))

    def _forget(self, id: UUID) -> None:
        self._kept.pop(id, None)
        for batch in self._reading:
            if id in batch.ids:
                batch.changed.add(id)


def _parts(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (items[start : start + size] for start in range(0, len(items), size))
