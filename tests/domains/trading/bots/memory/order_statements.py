"""What the statements of orders and portfolios do that bots use, over the rows of the soak test."""

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

from app.dev.soak.books import INITIAL, Portfolio
from app.dev.soak.world import World
from app.domains.trading.exchange.rules.fees import SCHEDULES
from app.domains.trading.matching.model import Cancel, InboxRow, OrderRow, Replace
from app.domains.trading.matching.rules.records import command_of
from app.domains.trading.orders.model import OPEN, BracketRole, OrderStatus
from app.domains.trading.orders.rules.terms import MarketTerms, OrderToChange
from app.domains.trading.orders.statements import OrderSql
from app.domains.trading.portfolios.model import LockedPortfolio, Mode, PortfolioStatus
from app.domains.trading.portfolios.statements import PortfolioSql
from app.domains.trading.quantities.rules import PRICE_SCALE, decimal_of, moment_of, units_of
from tests.domains.trading.bots.memory.store import MemoryTx

_STORED = frozenset(OrderRow.__struct_fields__)
_ROLES = (BracketRole.ENTRY, BracketRole.STOP_LOSS, BracketRole.TAKE_PROFIT)


class OrderStatements:
    """Of portfolios that are open, and of their orders."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.halted = set[UUID]()
        """Users who have halted their trading."""

    @property
    def all(self) -> dict[Any, Callable[..., Sequence[Any] | None]]:
        return {
            PortfolioSql.lock_portfolio: self._lock_portfolio,
            OrderSql.market_terms: self._market_terms,
            OrderSql.place_orders: self._place_orders,
            OrderSql.order_to_change: self._order_to_change,
            OrderSql.change_order: self._change_order,
        }

    def _portfolio(self, id: UUID) -> Portfolio | None:
        return next((each for each in self._world.portfolios if each.id == id), None)

    def _lock_portfolio(self, _: MemoryTx, id: UUID, user_id: UUID) -> list[LockedPortfolio]:
        found = self._portfolio(id)
        if found is None or found.owner != user_id:
            return []
        cash = self._world.books.cash[id]
        closing = PortfolioStatus.DELETING if found.closing else PortfolioStatus.RESETTING
        status = PortfolioStatus.OPEN if found.closing is None else closing
        given = decimal_of(INITIAL)
        numbers = (found.life, given, cash.balance, cash.reserved)
        return [LockedPortfolio(id, user_id, Mode.PAPER, found.currency, False, status, *numbers, None)]

    def _market_terms(self, _: MemoryTx, portfolio_id: UUID, user_id: UUID, symbol: str, *__: Any) -> list[Any]:
        venue = self._world.venue
        price, state = venue.prices.get(symbol), venue.book(symbol).state
        terms = MarketTerms(
            is_listed=True,
            is_halted=state.is_halted or venue.is_halted,
            is_delisted=state.is_delisted,
            price_usd=None if price is None else decimal_of(price.quote.price, PRICE_SCALE),
            price_aud=None if price is None else decimal_of(price.aud, PRICE_SCALE),
            quoted_at=None if price is None else moment_of(price.quote.at),
            tier=list(SCHEDULES)[user_id.int % len(SCHEDULES)],
            is_user_halted=user_id in self.halted,
            duplicate_id=None,
            held=decimal_of(self._world.books.available_coins(portfolio_id, symbol)),
            other_tokens=0,
        )
        return [terms]

    def _place_orders(self, tx: MemoryTx, portfolio_id: UUID, life: int, _: str, symbol: str, *given: Any) -> None:
        stored, cash, coins, at = given
        portfolio = self._portfolio(portfolio_id)
        assert portfolio is not None
        common: dict[str, Any] = {
            "owner": portfolio.owner,
            "portfolio_id": portfolio_id,
            "currency": portfolio.currency,
            "life": life,
            "symbol": symbol,
            "reserved_for_changes": Decimal(0),
            "filled_quantity": Decimal(0),
            "filled_quote": Decimal(0),
            "fees": Decimal(0),
            "status": OrderStatus.PENDING,
        }
        absent: dict[str, Any] = dict.fromkeys(_STORED)
        rows = [
            msgspec.convert(
                {**absent, **common, **{k: v for k, v in each.items() if k in _STORED}}, OrderRow, strict=False
            )
            for each in stored
        ]
        for row in rows:
            self._note(tx, row)
        if rows[0].bracket_id is not None:
            by_role = {row.bracket_role: row.id for row in rows}
            tx.put(self._world.books.brackets, rows[0].bracket_id, [by_role[role] for role in _ROLES])
        self._reserve(tx, rows[0], units_of(cash + coins))
        first = InboxRow(0, "place", symbol, rows[0].id, None, {}, at)
        exits = sorted(rows[1:], key=lambda row: _ROLES.index(BracketRole(str(row.bracket_role))))
        links = {row.bracket_id: exits for row in rows if row.bracket_id is not None}
        self._ask(tx, command_of(first, {row.id: row for row in rows}, links))

    def _order_to_change(self, _: MemoryTx, id: UUID) -> list[OrderToChange]:
        row = self._world.books.orders[id]
        names = [name for name in OrderToChange.__struct_fields__ if name in _STORED]
        waits = any(isinstance(command, Replace) and command.order_id == id for command, _ in self._world.inbox)
        found = OrderToChange(
            **{name: getattr(row, name) for name in names},
            is_placed=row.priority is not None,
            is_triggered=row.triggered_at is not None,
            is_changing=waits,
        )
        return [found]

    def _change_order(self, tx: MemoryTx, id: UUID, _: UUID, symbol: str, payload: Any, *given: Any) -> None:
        cash, coins, at = given
        row, extra = self._world.books.orders[id], cash + coins
        if extra:
            row = msgspec.structs.replace(row, reserved_for_changes=row.reserved_for_changes + extra)
            self._note(tx, row)
            self._reserve(tx, row, units_of(extra))
        self._ask(tx, command_of(InboxRow(0, "replace", symbol, id, None, payload, at), {}, {}))

    def cancel(self, id: UUID) -> None:
        """A user cancels an order, if it is open."""
        row = self._world.books.orders[id]
        if row.status in OPEN:
            self._world.inbox.append((Cancel(row.symbol, id), self._world.now))

    def _note(self, tx: MemoryTx, row: OrderRow) -> None:
        books = self._world.books
        before, opened = books.orders.get(row.id), books.open.setdefault(row.portfolio_id, {})
        was = opened.get(row.id)

        def undo() -> None:
            if before is None:
                del books.orders[row.id]
                opened.pop(row.id, None)
            else:
                books.orders[row.id] = before
                assert was is not None
                opened[row.id] = was

        tx.undo.append(undo)
        books.note(row)

    def _reserve(self, tx: MemoryTx, row: OrderRow, units: int) -> None:
        books, place = self._world.books, (row.portfolio_id, row.symbol)
        cash, held = books.cash[row.portfolio_id], books.positions.get(place)

        def undo() -> None:
            books.cash[row.portfolio_id] = cash
            if held is not None:
                books.positions[place] = held

        tx.undo.append(undo)
        if units:
            books.reserve(row, units)

    def _ask(self, tx: MemoryTx, command: Any) -> None:
        tx.append(self._world.inbox, (command, self._world.now))


def price_of(world: World, symbol: str) -> Decimal:
    """The newest price of a token."""
    price = world.price(symbol)
    assert price is not None
    return decimal_of(price.quote.price, PRICE_SCALE)


def now_of(world: World) -> datetime:
    """The time in a world."""
    return moment_of(world.now)
