"""Placing, changing and cancelling orders. The exchange decides what becomes of them, in the order of its inbox."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID, uuid4

import msgspec

from app.domains.accounts.model import Viewer
from app.domains.market.tokens.model import symbol_of
from app.domains.trading.exchange.model import OrderType, Reason
from app.domains.trading.orders.model import (
    OPEN,
    BracketRole,
    NewBracket,
    NewOrder,
    Order,
    OrderChanges,
    OrderFact,
    OrderNotOpen,
    OrderRefused,
    OrderStatus,
    PlacedBracket,
    TradingHalted,
    order_stream,
)
from app.domains.trading.orders.rules.changing import Change, changed, check_changeable
from app.domains.trading.orders.rules.checks import check, check_bracket, check_changes, check_values
from app.domains.trading.orders.rules.placing import (
    StoredOrder,
    check_funds,
    check_market,
    check_plan,
    check_taken_on,
    exchange_of,
    exits_of,
    plan,
    plan_exits,
    stored,
)
from app.domains.trading.orders.rules.terms import OrderToChange
from app.domains.trading.orders.services.terms import (
    read_terms,
    read_terms_of_change,
    request_of,
    system_scope,
    with_symbol,
)
from app.domains.trading.orders.statements import OrderSql
from app.domains.trading.portfolios.model import LockedPortfolio, Portfolio
from app.domains.trading.portfolios.services.portfolios import Portfolios
from app.domains.trading.portfolios.statements import PortfolioSql
from app.domains.trading.quantities.model import Side
from app.domains.trading.quantities.rules import PRICE_SCALE, decimal_of, units_of
from app.kit.clock import Clock
from app.kit.db import Database, Tx
from app.kit.errors import NotFound, ResultDeleted
from app.kit.events import EventLog, Fact
from app.kit.idempotency import KeyedRequest, Made, check_key, once_known
from app.kit.wake import Wake

T = TypeVar("T", bound=msgspec.Struct)
"""IDs of orders."""


@dataclass(frozen=True)
class Orders:
    """The orders of all users. A transaction locks the portfolio first, as the matcher does.

    An order, what it reserves and its command are one transaction: an order that was acknowledged is matched.
    """

    database: Database
    clock: Clock
    events: EventLog
    portfolios: Portfolios
    wake: Wake
    quote_age_ms: int

    async def place(self, viewer: Viewer, portfolio_id: UUID, new: NewOrder, idempotency_key: str) -> UUID:
        """Places an order; returns its ID.

        Raises InvalidInput, NotFound, PortfolioNotOpen, LiveTradingUnavailable, PlanRequired, TokenNotFound,
        DuplicateClientOrderId, TradingHalted, MarketClosed, OrderRefused, TooManyPositions, InsufficientCash,
        InsufficientPosition, IdempotencyKeyReused, and ResultDeleted for a replay whose portfolio has been deleted.
        """
        new, made = with_symbol(new), Made(uuid4())

        async def place(tx: Tx) -> None:
            check(new, self.clock.now())
            portfolio = await self.portfolios.lock(tx, viewer.user_id, portfolio_id)
            await self.insert(tx, viewer.user_id, portfolio, new, made.id)

        check_key(idempotency_key, lambda: check(new, self.clock.now()))
        request = {"portfolio": str(portfolio_id), **request_of(new)}
        return (await self._once(viewer, idempotency_key, "placeOrder", request, made, place)).id

    async def place_bracket(
        self, viewer: Viewer, portfolio_id: UUID, new: NewBracket, idempotency_key: str
    ) -> PlacedBracket:
        """Places an entry and its two exits. Raises as `place` does."""
        new = msgspec.structs.replace(new, entry=with_symbol(new.entry))
        made = PlacedBracket(uuid4(), uuid4(), uuid4())

        async def place(tx: Tx) -> None:
            check_bracket(new, self.clock.now())
            portfolio = await self.portfolios.lock(tx, viewer.user_id, portfolio_id)
            if exchange_of(portfolio) is not None:
                raise OrderRefused(Reason.UNSUPPORTED, "The exchange of this portfolio has no brackets.")
            await self.insert_bracket(tx, viewer.user_id, portfolio, new, made)

        check_key(idempotency_key, lambda: check_bracket(new, self.clock.now()))
        request = {"portfolio": str(portfolio_id), **request_of(new)}
        return await self._once(viewer, idempotency_key, "placeBracket", request, made, place)

    async def cancel(self, viewer: Viewer, order_id: UUID) -> None:
        """Asks for the cancellation of what is left of an order: it may be filled before that. Raises NotFound,
        OrderNotOpen.
        """

        async def work(tx: Tx) -> None:
            status = await tx.fetch_one(OrderSql.cancel_order, order_id, viewer.user_id, self.clock.now())
            if status is None:
                raise NotFound(Order)
            if status not in OPEN:
                raise OrderNotOpen
            tx.after_commit(self.wake.ring_soon)

        await self.database.write(system_scope(viewer), work)

    async def cancel_all(self, viewer: Viewer, portfolio_id: UUID, symbol: str | None) -> int:
        """Asks for the cancellation of all open orders of a portfolio, or of those in one token; returns how many there
        are. Raises NotFound.
        """
        wanted = None if symbol is None else symbol_of(symbol)

        async def work(tx: Tx) -> int:
            # Also of one that is being closed: a second request does no harm.
            if await tx.fetch_one(PortfolioSql.lock_portfolio, portfolio_id, viewer.user_id) is None:
                raise NotFound(Portfolio)
            asked = ([portfolio_id], wanted, Reason.REQUESTED, self.clock.now())
            [count] = await tx.fetch(OrderSql.cancel_orders, *asked)
            if count:
                tx.after_commit(self.wake.ring_soon)
            return count

        return await self.database.write(system_scope(viewer), work)

    async def replace(self, viewer: Viewer, order_id: UUID, changes: OrderChanges, idempotency_key: str) -> UUID:
        """Asks for a change of what is left of an order; returns its ID. What it may need in addition is reserved until
        the exchange has decided. Without any changes it stays as it is.

        Raises InvalidInput, NotFound, PortfolioNotOpen, OrderNotOpen, OrderRefused, TradingHalted, MarketClosed,
        InsufficientCash, InsufficientPosition, IdempotencyKeyReused, ResultDeleted.
        """

        async def replace(tx: Tx) -> None:
            check_values(changes)
            portfolio_id = await tx.fetch_one(OrderSql.portfolio_of_order, order_id, viewer.user_id)
            if portfolio_id is None:
                raise NotFound(Order)
            portfolio = await self.portfolios.lock(tx, viewer.user_id, portfolio_id)
            if not changes.is_empty:
                await self.change(tx, viewer.user_id, portfolio, order_id, changes)

        check_key(idempotency_key, lambda: check_values(changes))
        request = {"order": str(order_id), **request_of(changes)}
        return (await self._once(viewer, idempotency_key, "replaceOrder", request, Made(order_id), replace)).id

    async def insert(  # noqa: PLR0917  # whose order it is
        self, tx: Tx, user_id: UUID, portfolio: LockedPortfolio, new: NewOrder, id: UUID, bot_id: UUID | None = None
    ) -> None:
        """Places an order in a locked portfolio of this user, maybe of a bot. Its symbol is as tokens have it, and it
        has passed `check`. Raises as `place` does, before anything is written.
        """
        terms = await read_terms(tx, user_id, portfolio.id, new, self.clock)
        planned = plan(new, id, user_id, portfolio, terms, self.clock.now(), self.quote_age_ms)
        await self._insert(tx, portfolio, new.symbol, [stored(new, planned, bot_id=bot_id)])

    async def insert_bracket(  # noqa: PLR0917  # whose bracket it is
        self,
        tx: Tx,
        user_id: UUID,
        portfolio: LockedPortfolio,
        new: NewBracket,
        made: PlacedBracket,
        bot_id: UUID | None = None,
    ) -> UUID:
        """Places a bracket that has passed `check_bracket`, as `insert` places an order. Returns its ID."""
        now, link = self.clock.now(), uuid4()
        terms = await read_terms(tx, user_id, portfolio.id, new.entry, self.clock)
        entry = plan(new.entry, made.entry_id, user_id, portfolio, terms, now, self.quote_age_ms)
        assert terms.price_usd is not None
        exits = plan_exits(new, entry, (made.take_profit_id, made.stop_loss_id), terms.price_usd, now)
        rows = [
            stored(given, planned, role, link, bot_id)
            for given, planned, role in zip((new.entry, *exits_of(new)), (entry, *exits), BracketRole, strict=True)
        ]
        await self._insert(tx, portfolio, new.entry.symbol, rows)
        return link

    async def change(
        self, tx: Tx, user_id: UUID, portfolio: LockedPortfolio, order_id: UUID, changes: OrderChanges
    ) -> None:
        """Asks for a change of an order of a locked portfolio. Raises as `replace` does, before anything is written."""
        [found] = await tx.fetch(OrderSql.order_to_change, order_id)
        side, now = Side(found.side), self.clock.now()
        check_changes(changes, OrderType(found.type), _trail_of(found.trail_amount))
        check_changeable(found, changes)
        asked = NewOrder(symbol=found.symbol, side=side, type=OrderType(found.type))
        terms = await read_terms_of_change(tx, user_id, portfolio.id, asked, self.clock)
        if terms.is_user_halted:
            raise TradingHalted
        check_market(terms, now, self.quote_age_ms)
        assert terms.price_usd is not None
        price = units_of(terms.price_usd, PRICE_SCALE)
        change = changed(found, changes, price)
        check_taken_on(change.order, price, now)
        check_funds(side, change.extra, portfolio, terms, found.symbol)
        extra, nothing = decimal_of(change.extra), Decimal(0)
        if exchange_of(portfolio) is not None:
            if change.extra > 0:
                check_plan(side, terms)
            await self._change_live(tx, portfolio, found, change)
            return
        await tx.execute(
            OrderSql.change_order,
            order_id,
            portfolio.id,
            found.symbol,
            {"changes": change.changes, "extra": f"{extra:f}"},
            extra if side is Side.BUY else nothing,
            extra if side is Side.SELL else nothing,
            now,
        )
        tx.after_commit(self.wake.ring_soon)

    async def _change_live(self, tx: Tx, portfolio: LockedPortfolio, found: OrderToChange, change: Change) -> None:
        """Cancels what is at the exchange; what is left of the changed order is sent once that is done."""
        if change.order.type is not OrderType.LIMIT or change.order.price is None or change.order.quantity is None:
            raise OrderRefused(Reason.UNSUPPORTED, "At an exchange only limit orders are changed.")
        extra, nothing = decimal_of(change.extra), Decimal(0)
        asked = await tx.fetch_one(
            OrderSql.change_live_order,
            found.id,
            portfolio.id,
            found.symbol,
            decimal_of(change.order.quantity),
            decimal_of(change.order.price, PRICE_SCALE),
            extra if change.order.side is Side.BUY else nothing,
            extra if change.order.side is Side.SELL else nothing,
            self.clock.now(),
            uuid4(),
        )
        if asked is None:
            raise OrderNotOpen
        tx.after_commit(self.wake.ring_soon)

    async def _insert(self, tx: Tx, portfolio: LockedPortfolio, symbol: str, rows: Sequence[StoredOrder]) -> None:
        """Stores orders, of which the first is placed, and what it reserves."""
        reserved, nothing, exchange = rows[0].reserved, Decimal(0), exchange_of(portfolio)
        cash = reserved if rows[0].side == Side.BUY else nothing
        coins = reserved if rows[0].side == Side.SELL else nothing
        if exchange is not None:
            given = msgspec.to_builtins(rows[0])
            values = (symbol, given, cash, coins, self.clock.now(), exchange.name, exchange.market(symbol))
            await tx.execute(OrderSql.place_live_order, portfolio.id, portfolio.life, *values)
        else:
            stored_rows = msgspec.to_builtins(rows)
            whose = (portfolio.id, portfolio.life, portfolio.mode, symbol)
            await tx.execute(OrderSql.place_orders, *whose, stored_rows, cash, coins, self.clock.now())
        placed = [OrderFact(row.id, OrderStatus.PENDING, Decimal(0), None) for row in rows]
        stream = order_stream(portfolio.id)
        await self.events.append(tx, [Fact(stream, "order", msgspec.to_builtins(fact)) for fact in placed])
        tx.after_commit(self.wake.ring_soon)

    async def _once(  # noqa: PLR0917  # what all have in common
        self,
        viewer: Viewer,
        key: str,
        operation: str,
        request: dict[str, Any],
        result: T,
        work: Callable[[Tx], Awaitable[None]],
    ) -> T:
        keyed = KeyedRequest.of(viewer.user_id, key, operation, request)

        async def write(tx: Tx) -> T:
            outcome = await once_known(tx, keyed, result, lambda: work(tx))
            if outcome.replayed:
                ids = msgspec.structs.astuple(outcome.result)
                [visible] = await tx.fetch(OrderSql.visible_orders, list(ids), viewer.user_id)
                if visible < len(ids):
                    raise ResultDeleted
            return outcome.result

        return await self.database.write(system_scope(viewer), write)


def _trail_of(trail_amount: Decimal | None) -> str:
    """Which trail a trailing stop has."""
    return "trail_fraction" if trail_amount is None else "trail_amount"
