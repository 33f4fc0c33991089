"""Keeps the tokens that the provider lists."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

import msgspec
import structlog

from app.domains.market.sources.model import SourceKind
from app.domains.market.sources.services import Sources
from app.domains.market.tokens.model import Listing, TokenProvider
from app.domains.market.tokens.rules.listing import KnownToken, ListingPlan, plan_listing
from app.domains.market.tokens.services.bundled import bundled_listings
from app.domains.market.tokens.statements import ListingSql
from app.kit.clock import Clock
from app.kit.db import SYSTEM, Database, Tx
from app.kit.errors import Unavailable
from app.kit.sql import columns_of

OnListings: TypeAlias = Callable[[Tx], Awaitable[None]]
"""Follows changes of which tokens are listed under which symbols, in their transaction."""

_LEAST_SHARE = 0.5
"""A list with a smaller share of the listed tokens is incomplete, and would retire tokens that are only missing."""

log = structlog.get_logger(__name__)


class Refreshed(msgspec.Struct, frozen=True):
    """The outcome of a refresh, in numbers of tokens."""

    listed: int
    added: int
    changed: int
    retired: int
    skipped: int
    """Listings whose symbol a larger token has."""


class Tokens:
    """Keeps the stored tokens up to date with those that the provider lists."""

    def __init__(  # the composition root hands it everything
        self,
        database: Database,
        clock: Clock,
        provider: TokenProvider,
        sources: Sources,
        on_listings: Sequence[OnListings] = (),
        *,
        limit: int,
    ) -> None:
        self._database = database
        self._clock = clock
        self._provider = provider
        self._sources = sources
        self._on_listings = on_listings
        self._limit = limit

    async def refresh(self) -> Refreshed:
        """Reads the list of the provider and stores the changes. Raises Unavailable."""
        name = self._provider.name
        try:
            return await self._write(await self._provider.tokens(self._limit), name)
        except Unavailable as error:
            await self._sources.failed(name, SourceKind.TOKENS, error)
            raise

    async def ensure(self) -> None:
        """Lists tokens if none are listed: those of the provider or, while it does not answer, the bundled ones."""
        if await self._database.fetch(ListingSql.listings):
            return
        try:
            await self.refresh()
        except Unavailable as error:
            log.warning("tokens.bundled", reason=error.message)
            await self._write(bundled_listings()[: self._limit], None)

    async def _write(self, listings: Sequence[Listing], source: str | None) -> Refreshed:
        async def work(tx: Tx) -> Refreshed:
            await tx.execute(ListingSql.lock_listing)
            stored = await tx.fetch(ListingSql.stored_listings)
            known = [KnownToken(token.id, token.listing, token.is_active) for token in stored]
            plan = plan_listing(known, listings)
            listed = len(listings) - plan.skipped
            if listed < _LEAST_SHARE * sum(token.is_active for token in known):
                raise Unavailable(f"The provider lists only {listed} tokens; the list is rejected as incomplete.")
            await self._apply(tx, plan)
            if source is not None:
                ignored = {"symbol_taken": plan.skipped} if plan.skipped else {}
                await self._sources.note(tx, source, SourceKind.TOKENS, accepted=listed, ignored=ignored)
            return Refreshed(listed, len(plan.added), len(plan.changed), len(plan.retired), plan.skipped)

        return await self._database.write(SYSTEM, work)

    async def _apply(self, tx: Tx, plan: ListingPlan) -> None:
        ids, listings = [id for id, _ in plan.changed], [listing for _, listing in plan.changed]
        if plan.retired:
            await tx.execute(ListingSql.retire_tokens, *columns_of(plan.retired))
        if plan.changed:
            await tx.execute(ListingSql.free_symbols, ids, [listing.symbol for listing in listings])
            await tx.execute(ListingSql.free_ids, ids, [listing.coingecko_id for listing in listings])
            await tx.execute(ListingSql.change_tokens, ids, *_columns(listings))
        if plan.added:
            await tx.execute(ListingSql.add_tokens, *_columns(plan.added), self._clock.now())
        for follow in self._on_listings:
            await follow(tx)


def _columns(listings: Sequence[Listing]) -> list[list[object]]:
    return [[getattr(listing, name) for listing in listings] for name in Listing.__struct_fields__]
