"""What portfolios are worth over time, and of all portfolios of a user together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

from app.domains.market.prices.model import Tick
from app.domains.trading.journal.model import Currency
from app.domains.trading.portfolios.model import KEPT, Holding, PortfolioValue
from app.domains.trading.portfolios.rules import valued
from app.domains.trading.portfolios.services.holdings import WatchedHoldings
from app.domains.trading.portfolios.statements import ValueSql
from app.kit.clock import Clock
from app.kit.db import SYSTEM, Database, Tx


class TickPrices(msgspec.Struct, frozen=True):
    """The prices of a tick, by currency and symbol."""

    at: datetime
    by_currency: Mapping[Currency, Mapping[str, Decimal]]


class _Ticks:
    """Reads each tick once for all who watch."""

    def __init__(self) -> None:
        self._newest: tuple[Any, TickPrices] | None = None

    def read(self, payload: Any) -> TickPrices:
        if self._newest is None or self._newest[0] is not payload:
            tick = msgspec.convert(payload, Tick)
            prices = {
                Currency.USD: {symbol: quote.price_usd for symbol, quote in tick.quotes.items()},
                Currency.AUD: {symbol: quote.price_aud for symbol, quote in tick.quotes.items()},
            }
            self._newest = payload, TickPrices(tick.at, prices)
        return self._newest[1]


@dataclass(frozen=True)
class Values:
    """Computes and records values."""

    database: Database
    clock: Clock
    holdings: WatchedHoldings
    _ticks: _Ticks = field(default_factory=_Ticks, repr=False)

    def stored(self, holdings: Sequence[Holding]) -> PortfolioValue:
        """What holdings are worth now, at the quotes that are stored."""
        return valued(holdings, self.clock.now())

    async def watched(self, owner_id: UUID, id: UUID, tick: Any) -> Sequence[Holding]:
        """What a portfolio holds at a tick as it was published; nothing if it is not this user's."""
        return await self.holdings.of(owner_id, id, self._ticks.read(tick).by_currency[Currency.USD])

    def live(self, holdings: Sequence[Holding], tick: Any) -> PortfolioValue:
        """What holdings are worth at a tick as it was published; what it does not quote, at the stored quote."""
        prices = self._ticks.read(tick)
        return valued(holdings, prices.at, prices.by_currency[holdings[0].currency])

    async def record(self) -> str:
        """Stores the present value of every portfolio. Repeating it in the same minute changes nothing."""
        stored = await self.database.write(SYSTEM, lambda tx: tx.execute(ValueSql.record_values, self.clock.now()))
        return f"{stored} values"

    async def delete_old(self) -> str:
        """Deletes values that have been kept for long enough."""
        now = self.clock.now()

        async def work(tx: Tx) -> int:
            return sum([await tx.execute(ValueSql.delete_old_values, each, now - kept) for each, kept in KEPT.items()])

        return f"{await self.database.write(SYSTEM, work)} values"

    async def summarize(self) -> str:
        """Summarises the portfolios of each user."""

        async def work(tx: Tx) -> int:
            await tx.execute(ValueSql.delete_empty_summaries)
            return await tx.execute(ValueSql.summarize, self.clock.now())

        return f"{await self.database.write(SYSTEM, work)} users"
