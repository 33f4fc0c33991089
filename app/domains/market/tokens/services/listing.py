"""Which tokens there are: the largest, as the provider lists them."""

from collections.abc import Sequence

import msgspec
import structlog

from app.domains.market.sources.model import SourceKind
from app.domains.market.sources.services.providers import PriceProvider
from app.domains.market.sources.services.providers.bundled import bundled_listings
from app.domains.market.sources.services.sources import Sources
from app.domains.market.statements import LISTINGS
from app.domains.market.tokens.model import Listing
from app.domains.market.tokens.rules.listing import Known, ListingPlan, plan_listing
from app.kit.clock import Clock
from app.kit.db import SYSTEM, Database, Tx
from app.kit.errors import Unavailable

_LEAST_SHARE = 0.5
"""A list with a smaller share of what is listed now is half an answer, and would retire what is merely missing."""

log = structlog.get_logger(__name__)


class Refreshed(msgspec.Struct, frozen=True):
    """What a refresh did, in tokens."""

    listed: int
    added: int
    changed: int
    retired: int
    skipped: int
    """Listings whose symbol a larger token has."""


class Tokens:
    """Keeps the tokens as they are listed."""

    def __init__(
        self, database: Database, clock: Clock, provider: PriceProvider, sources: Sources, *, limit: int
    ) -> None:
        self._database = database
        self._clock = clock
        self._provider = provider
        self._sources = sources
        self._limit = limit

    async def refresh(self) -> Refreshed:
        """Asks the provider and writes what has changed; the same list twice changes nothing. Raises Unavailable."""
        name = self._provider.name
        try:
            return await self._write(await self._provider.tokens(self._limit), name)
        except Unavailable as error:
            await self._sources.failed(name, SourceKind.TOKENS, error)
            raise

    async def ensure(self) -> None:
        """Lists tokens where there are none yet: the provider's, or while it does not answer, those bundled with us."""
        if await self._database.fetch(LISTINGS.listings):
            return
        try:
            await self.refresh()
        except Unavailable as error:
            log.warning("tokens.bundled", reason=error.message)
            await self._write(bundled_listings()[: self._limit], None)

    async def _write(self, listings: Sequence[Listing], source: str | None) -> Refreshed:
        async def work(tx: Tx) -> Refreshed:
            await tx.execute(LISTINGS.lock_listing)
            known = [_known(*row) for row in await tx.fetch(LISTINGS.tokens_known)]
            plan = plan_listing(known, listings)
            listed = len(listings) - plan.skipped
            if listed < _LEAST_SHARE * sum(token.is_active for token in known):
                raise Unavailable(f"Only {listed} tokens are listed; that is not believed.")
            await self._carry_out(tx, plan)
            if source is not None:
                ignored = {"symbol_taken": plan.skipped} if plan.skipped else {}
                await self._sources.note(tx, source, SourceKind.TOKENS, accepted=listed, ignored=ignored)
            return Refreshed(listed, len(plan.added), len(plan.changed), len(plan.retired), plan.skipped)

        return await self._database.write(SYSTEM, work)

    async def _carry_out(self, tx: Tx, plan: ListingPlan) -> None:
        ids, listings = [id for id, _ in plan.changed], [listing for _, listing in plan.changed]
        if plan.retired:
            await tx.execute(LISTINGS.retire_tokens, *map(list, zip(*plan.retired, strict=True)))
        if plan.changed:
            await tx.execute(LISTINGS.free_symbols, ids, [listing.symbol for listing in listings])
            await tx.execute(LISTINGS.free_ids, ids, [listing.coingecko_id for listing in listings])
            await tx.execute(LISTINGS.change_tokens, ids, *_columns(listings))
        if plan.added:
            await tx.execute(LISTINGS.add_tokens, *_columns(plan.added), self._clock.now())


def _known(id: object, *columns: object) -> Known:
    *listing, is_active = columns
    return msgspec.convert(
        {"id": id, "listing": dict(zip(Listing.__struct_fields__, listing, strict=True)), "is_active": is_active},
        Known,
    )


def _columns(listings: Sequence[Listing]) -> list[list[object]]:
    return [[getattr(listing, name) for listing in listings] for name in Listing.__struct_fields__]
