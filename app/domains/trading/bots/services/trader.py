"""The orders of bots: entries, exits, and stops that are placed anew."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID, uuid4

import msgspec

from app.domains.trading.bots.model import HeldEntry
from app.domains.trading.bots.statements import RunSql
from app.domains.trading.exchange.model import OrderType, Reason
from app.domains.trading.orders.model import (
    InsufficientPosition,
    NewBracket,
    NewOrder,
    OrderChanges,
    OrderRefused,
    PlacedBracket,
)
from app.domains.trading.orders.rules.checks import check_bracket
from app.domains.trading.orders.services.orders import Orders
from app.domains.trading.orders.services.terms import read_terms
from app.domains.trading.portfolios.model import LockedPortfolio
from app.domains.trading.quantities.model import Side
from app.domains.trading.strategies.rules.acting import NOT_BOUGHT_YET, exit_price, reached_price
from app.kit.clock import Clock
from app.kit.db import Tx
from app.kit.errors import Problem


class Seat(msgspec.Struct, frozen=True):
    """Where a bot trades: the portfolio is locked until the transaction ends."""

    bot_id: UUID
    user_id: UUID
    portfolio: LockedPortfolio


@dataclass(frozen=True)
class BotTrader:
    """Places what bots decide. Everything is in the transaction of the decision: an order is placed with it, or not."""

    orders: Orders
    clock: Clock

    async def price(self, tx: Tx, seat: Seat, symbol: str) -> Decimal | None:
        """The price in force. Null: the market of the token is closed. Raises TokenNotFound."""
        asked = NewOrder(symbol=symbol, side=Side.BUY, type=OrderType.MARKET)
        return (await read_terms(tx, seat.user_id, seat.portfolio.id, asked, self.clock)).price_usd

    async def enter(
        self, tx: Tx, seat: Seat, brackets: Sequence[tuple[int | None, NewBracket]], signal: UUID, at: datetime
    ) -> Problem | None:
        """Buys entries, each with its slot. Returns why none was placed."""
        placed, refusal = list[tuple[UUID, UUID, int | None]](), None
        portfolio = seat.portfolio
        for slot, bracket in brackets:
            made = PlacedBracket(uuid4(), uuid4(), uuid4())
            try:
                check_bracket(bracket, at)
                link = await self.orders.insert_bracket(tx, seat.user_id, portfolio, bracket, made, seat.bot_id)
            except Problem as problem:
                refusal = refusal or problem
                continue
            placed.append((made.entry_id, link, slot))
            # The next one has what this one leaves.
            portfolio = await self.orders.portfolios.lock(tx, seat.user_id, portfolio.id)
        if placed:
            ids, links, slots = map(list, zip(*placed, strict=True))
            symbol = brackets[0][1].entry.symbol
            await tx.execute(RunSql.insert_entries, ids, links, slots, seat.bot_id, symbol, signal, at)
        return None if placed else refusal

    async def leave(self, tx: Tx, seat: Seat, held: Sequence[HeldEntry], price: Decimal) -> Problem | None:
        """Sells entries at the market. Returns why none is being sold.

        A take profit becomes an order that is filled at once, which cancels the stop loss. Where only a stop is open,
        such as one that was placed anew, that becomes one that is reached at once.
        """
        is_selling, refusal = False, None
        for entry in held:
            try:
                if not entry.bought_quantity:
                    raise OrderRefused(Reason.LINKED, NOT_BOUGHT_YET)
                if entry.take_profit_id is not None:
                    changes = OrderChanges(price=exit_price(price))
                    await self.orders.change(tx, seat.user_id, seat.portfolio, entry.take_profit_id, changes)
                elif entry.has_exit:
                    changes = OrderChanges(stop_price=reached_price(price))
                    for order_id in await tx.fetch(RunSql.open_stops, entry.id):
                        await self.orders.change(tx, seat.user_id, seat.portfolio, order_id, changes)
                else:
                    await self._sell(tx, seat, entry, OrderType.MARKET)
                is_selling = True
            except InsufficientPosition:
                await tx.execute(RunSql.abandon_entries, [entry.id], self.clock.now())
            except Problem as problem:
                refusal = refusal or problem
        return None if is_selling else refusal

    async def protect(self, tx: Tx, seat: Seat, held: Sequence[HeldEntry], price: Decimal) -> None:
        """Places the stops of entries anew whose exits are gone, at the stop price that they had; where the price is
        below that, the entry is sold. What somebody else has sold is given up. What is refused, such as during a halt,
        is tried again with the next candle.
        """
        for entry in held:
            if not entry.is_bought or entry.has_exit or entry.bought_quantity <= entry.sold_quantity:
                continue
            try:
                kind = OrderType.STOP if entry.stop_loss_price < price else OrderType.MARKET
                await self._sell(tx, seat, entry, kind)
            except InsufficientPosition:
                await tx.execute(RunSql.abandon_entries, [entry.id], self.clock.now())
            except Problem:
                continue

    async def _sell(self, tx: Tx, seat: Seat, entry: HeldEntry, kind: OrderType) -> None:
        order = NewOrder(
            symbol=entry.symbol,
            side=Side.SELL,
            type=kind,
            quantity=entry.bought_quantity - entry.sold_quantity,
            stop_price=entry.stop_loss_price if kind is OrderType.STOP else None,
        )
        id = uuid4()
        await self.orders.insert(tx, seat.user_id, seat.portfolio, order, id, seat.bot_id)
        await tx.execute(RunSql.insert_exit, id, entry.id)
