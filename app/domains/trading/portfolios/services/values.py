"""What portfolios are worth over time, and of all portfolios of a user together."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.domains.market.prices.model import TickQuote
from app.domains.trading.journal.model import Currency
from app.domains.trading.portfolios.model import KEPT, Holding, PortfolioValue
from app.domains.trading.portfolios.rules import valued
from app.domains.trading.portfolios.statements import ValueSql
from app.kit.clock import Clock
from app.kit.db import SYSTEM, Database, Tx


@dataclass(frozen=True)
class Values:
    """Computes and records values."""

    database: Database
    clock: Clock

    def stored(self, holdings: Sequence[Holding]) -> PortfolioValue:
        """What holdings are worth now, at the quotes that are stored."""
        return valued(holdings, self.clock.now())

    def live(self, holdings: Sequence[Holding], at: datetime, quotes: Sequence[TickQuote]) -> PortfolioValue:
        """What holdings are worth at a tick; what it does not quote, at the stored quote."""
        in_dollars = holdings[0].currency == Currency.USD
        return valued(
            holdings, at, {quote.symbol: quote.price_usd if in_dollars else quote.price_aud for quote in quotes}
        )

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
