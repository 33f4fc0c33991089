"""What placing an order would do, without placing it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID, uuid4

import msgspec

from app.domains.accounts.model import Viewer
from app.domains.trading.exchange.rules.book import Book
from app.domains.trading.journal.model import Currency
from app.domains.trading.orders.model import NewOrder, OrderPreview
from app.domains.trading.orders.rules.books import open_orders, state_of
from app.domains.trading.orders.rules.checks import check
from app.domains.trading.orders.rules.placing import Planned, plan
from app.domains.trading.orders.rules.previewing import previewed
from app.domains.trading.orders.rules.terms import MarketTerms
from app.domains.trading.orders.services.terms import read_terms, system_scope, with_symbol
from app.domains.trading.orders.statements import OrderBookSql, OrderSql
from app.domains.trading.portfolios.model import LockedPortfolio, Mode, Portfolio, PortfolioNotOpen, PortfolioStatus
from app.domains.trading.quantities.model import Side
from app.domains.trading.quantities.rules import PRICE_SCALE, decimal_of, ms_of, units_of
from app.kit.clock import Clock
from app.kit.db import Database, Tx
from app.kit.errors import NotFound, Problem

MAX_MET: Final = 1000
"""How many orders of other users a preview looks at: an order that would meet more fills more than it says."""


@dataclass(frozen=True)
class Previews:
    """Previews: the same checks as placing has, and the same book."""

    database: Database
    clock: Clock
    quote_age_ms: int

    async def preview(self, viewer: Viewer, portfolio_id: UUID, new: NewOrder) -> OrderPreview:
        """What an order would do now, and what would refuse it; at an exchange only what it would reserve.

        Raises InvalidInput, NotFound, TokenNotFound.
        """
        new, now = with_symbol(new), self.clock.now()
        check(new, now)

        async def work(tx: Tx) -> OrderPreview:
            portfolio = await tx.fetch_one(OrderSql.readable_portfolio, portfolio_id, viewer.user_id)
            if portfolio is None:
                raise NotFound(Portfolio)
            portfolio = msgspec.structs.replace(
                portfolio, mode=Mode(portfolio.mode), currency=Currency(portfolio.currency)
            )
            terms = await read_terms(tx, viewer.user_id, portfolio_id, new, self.clock)
            try:
                if portfolio.status != PortfolioStatus.OPEN:
                    raise PortfolioNotOpen
                planned = plan(new, uuid4(), viewer.user_id, portfolio, terms, now, self.quote_age_ms)
            except Problem as problem:
                reason = getattr(problem, "reason", None)
                return OrderPreview(refusal=problem, reason=reason, currency=portfolio.currency)
            if portfolio.mode is Mode.LIVE:
                # What it would meet is known to its exchange alone.
                reserved = decimal_of(planned.reserved)
                return OrderPreview(currency=portfolio.currency, reserved=reserved, price=terms.price_usd)
            return await self._placed(tx, planned, portfolio, terms, new, now)

        return await self.database.read(system_scope(viewer), work)

    async def _placed(  # noqa: PLR0917  # what it depends on
        self, tx: Tx, planned: Planned, portfolio: LockedPortfolio, terms: MarketTerms, new: NewOrder, now: datetime
    ) -> OrderPreview:
        [stored] = await tx.fetch(OrderBookSql.stored_book, new.symbol)
        other = Side.SELL if new.side is Side.BUY else Side.BUY
        statement = OrderBookSql.resting_sells if other is Side.SELL else OrderBookSql.resting_buys
        met = await tx.fetch(statement, new.symbol, MAX_MET)
        book = Book(state_of(stored), open_orders(met, other), quote_age_ms=self.quote_age_ms)
        assert terms.price_usd is not None
        assert terms.price_aud is not None
        price, rate = units_of(terms.price_usd, PRICE_SCALE), None
        if portfolio.currency is not Currency.USD:
            rate = units_of(terms.price_aud, PRICE_SCALE) * PRICE_SCALE // price
        bid, ask = book.touch or (0, 0)
        mid = (bid + ask) // 2 if bid and ask else price
        return previewed(planned, book.place(planned.order, ms_of(now)), portfolio.currency, rate, mid)
