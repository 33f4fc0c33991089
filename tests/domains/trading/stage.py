"""Portfolios over a market of a few quoted tokens, and fills as the matcher will post them."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import msgspec

from app.domains.accounts.model import Viewer
from app.domains.trading.journal.model import Currency, EntryKind, Fill, NewEntry
from app.domains.trading.journal.rules.entries import effects_of, fill_lines
from app.domains.trading.journal.rules.holdings import COIN_KINDS
from app.domains.trading.journal.services.posting import post
from app.domains.trading.portfolios import loaders
from app.domains.trading.portfolios.model import Finding, Holding, NewPortfolio, Portfolio
from app.domains.trading.quantities.model import Side
from app.domains.trading.quantities.rules import PRICE_SCALE, units_of
from app.domains.trading.services import TradingServices
from app.kit.clock import FixedClock
from app.kit.db import SYSTEM, Database, Tx
from app.kit.house import Services
from app.kit.reads import Reads
from tests.databases import Owner, Template
from tests.domains.trading.coins import post_coins

QUOTES = {"BTC": ("100", "150"), "ETH": ("10", "15")}
"""What the tokens cost, in dollars and in Australian dollars."""
RATE = Decimal("1.5")


class People(NamedTuple):
    """A database with two people, and the moment at which its tokens were quoted."""

    template: Template
    alice: Viewer
    bob: Viewer
    now: datetime


@dataclass
class Stage:
    """The services of trading, and two people."""

    services: Services
    database: Database
    owner: Owner
    clock: FixedClock
    alice: Viewer
    bob: Viewer
    keys: int = field(default=0)

    @property
    def trading(self) -> TradingServices:
        return self.services[TradingServices]

    @property
    def key(self) -> str:
        """Another key each time."""
        self.keys += 1
        return f"key {self.keys}"

    async def quote(self, quotes: dict[str, tuple[str, str]] = QUOTES, exchange: str = "simulated") -> None:
        """The newest quotes of an exchange."""
        self.clock.advance(timedelta(seconds=1))
        for symbol, (usd, aud) in quotes.items():
            await self.owner.execute(
                "INSERT INTO market_data (symbol, exchange, price_usd, price_aud, last_updated)"
                " VALUES ($1, $2, $3, $4, $5)"
                " ON CONFLICT (symbol, exchange) DO UPDATE SET price_usd = $3, price_aud = $4, last_updated = $5",
                symbol,
                exchange,
                Decimal(usd),
                Decimal(aud),
                self.clock.now(),
            )

    async def create(self, by: Viewer | None = None, **new: Any) -> UUID:
        self.clock.advance(timedelta(seconds=1))
        return await self.trading.portfolios.create(by or self.alice, NewPortfolio(**new), self.key)

    async def portfolio(self, id: UUID, by: Viewer | None = None) -> Portfolio | None:
        """A portfolio as its owner reads it."""
        reads = Reads(self.database, (by or self.alice).scope)
        try:
            return await reads.one(loaders.portfolio_by_id, id)
        finally:
            await reads.aclose()

    async def holdings(self, id: UUID, by: Viewer | None = None) -> list[Holding]:
        reads = Reads(self.database, (by or self.alice).scope)
        try:
            return await reads.many(loaders.holdings_by_portfolio, id)
        finally:
            await reads.aclose()

    async def fill(
        self,
        id: UUID,
        side: Side,
        quantity: str,
        price: str,
        fee: str = "0",
        *,
        symbol: str = "BTC",
    ) -> int:
        """A fill of a portfolio, as the matcher posts one."""
        self.clock.advance(timedelta(seconds=1))
        found = await self.owner.fetchrow("SELECT currency, life FROM portfolios WHERE id = $1", id)
        assert found is not None
        currency = Currency(found["currency"])
        rate = None if currency is Currency.USD else units_of(RATE, PRICE_SCALE)
        terms = Fill(
            side,
            symbol,
            units_of(Decimal(quantity)),
            units_of(Decimal(price), PRICE_SCALE),
            units_of(Decimal(fee)),
            currency,
            rate,
        )
        entry = NewEntry(
            kind=EntryKind.FILL,
            portfolio_id=id,
            life=found["life"],
            lines=fill_lines(terms),
            at=self.clock.now(),
            fill_id=uuid4(),
        )
        return await self.post(entry)

    async def post(self, entry: NewEntry) -> int:
        async def work(tx: Tx) -> int:
            moves_coins = entry.kind in COIN_KINDS and effects_of(entry.kind, entry.lines).positions
            return await (post_coins if moves_coins else post)(tx, entry)

        posted = await self.database.write(SYSTEM, work)
        if entry.portfolio_id is not None:
            self.trading.holdings.announce([entry.portfolio_id])
        return posted

    async def owned(self) -> list[UUID]:
        """Alice's portfolios."""
        rows = await self.owner.fetch("SELECT id FROM portfolios WHERE user_id = $1", self.alice.user_id)
        return [row[0] for row in rows]

    async def cash(self, id: UUID) -> tuple[Any, ...]:
        """The cash of a portfolio, what is reserved of it, and what it was given."""
        found = await self.owner.fetchrow(
            "SELECT balance, reserved, contributed FROM cash_balances WHERE portfolio_id = $1", id
        )
        assert found is not None
        return tuple(found)

    async def position(self, id: UUID, symbol: str = "BTC") -> tuple[Any, ...] | None:
        """The quantity, the cost and the realized profit of a position."""
        found = await self.owner.fetchrow(
            "SELECT quantity, cost, realized_pnl FROM positions WHERE portfolio_id = $1 AND symbol = $2", id, symbol
        )
        return None if found is None else tuple(found)

    async def kinds(self, id: UUID) -> list[str]:
        """The kinds of the entries of a portfolio, in order."""
        rows = await self.owner.fetch("SELECT kind FROM journal_entries WHERE portfolio_id = $1 ORDER BY id", id)
        return [row[0] for row in rows]

    async def findings(self) -> list[Finding]:
        return list((await self.trading.books.check()).findings)

    def limited(self, limit: int) -> Any:
        """The services of portfolios with another limit."""
        portfolios = self.trading.portfolios
        return replace(portfolios, limit=limit)


def replaced(entry: NewEntry, **changes: Any) -> NewEntry:
    return msgspec.structs.replace(entry, **changes)
