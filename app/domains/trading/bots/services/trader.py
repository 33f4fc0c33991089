"""The orders of bots: entries, exits, and stops that are placed anew."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID, uuid4

import msgspec

from app.domains.trading.bots.model import ChangedSignal, HeldEntry
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


class Leaving(msgspec.Struct):
    """What became of entries that were to be sold."""

    sold: list[UUID] = []
    """Those whose sale was asked for."""
    abandoned: bool = False
    """Whether some were no longer there to be sold."""
    refusal: Problem | None = None
    """Why the first was refused that was. Those that are neither are being sold already."""
    changed: list[ChangedSignal] = []
    """The signals that will not sell what was abandoned."""


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

    async def leave(self, tx: Tx, seat: Seat, held: Sequence[HeldEntry], price: Decimal) -> Leaving:
        """Sells entries at the market.

        A take profit becomes an order that is filled at once, which cancels the stop loss. Where only a stop is open,
        such as one that was placed anew, that becomes one that is reached at once.
        """
        leaving = Leaving()
        for entry in held:
            try:
                if await self._leave(tx, seat, entry, price):
                    leaving.sold.append(entry.id)
            except InsufficientPosition:
                leaving.abandoned = True
                leaving.changed += await self.abandon(tx, [entry])
            except Problem as problem:
                leaving.refusal = leaving.refusal or problem
        return leaving

    async def _leave(self, tx: Tx, seat: Seat, entry: HeldEntry, price: Decimal) -> bool:
        """Asks for the sale of an entry; returns False if it is being sold already."""
        if not entry.bought_quantity:
            raise OrderRefused(Reason.LINKED, NOT_BOUGHT_YET)
        if entry.take_profit_id is not None:
            changes = OrderChanges(price=exit_price(price))
            await self.orders.change(tx, seat.user_id, seat.portfolio, entry.take_profit_id, changes)
            return True
        if not entry.has_stop:
            await self._sell(tx, seat, entry, OrderType.MARKET)
            return True
        stops = await tx.fetch(RunSql.open_stops, entry.id)
        for order_id in stops:
            changes = OrderChanges(stop_price=reached_price(price))
            await self.orders.change(tx, seat.user_id, seat.portfolio, order_id, changes)
        return bool(stops)

    async def protect(self, tx: Tx, seat: Seat, held: Sequence[HeldEntry], price: Decimal) -> list[ChangedSignal]:
        """Places the stops of entries anew whose exits are gone, at the stop price that they had; where the price is
        below that, the entry is sold. Where a take profit is left, which has the coins, that is sold by, and once the
        price is there. What somebody else has sold is given up: returns the signals that will not sell it. What is
        refused, such as during a halt, is tried again with the next candle.
        """
        changed = list[ChangedSignal]()
        for entry in held:
            is_reached = price <= entry.stop_loss_price
            if not entry.is_unprotected or (entry.take_profit_id is not None and not is_reached):
                continue
            try:
                if entry.take_profit_id is not None:
                    await self._leave(tx, seat, entry, price)
                else:
                    await self._sell(tx, seat, entry, OrderType.MARKET if is_reached else OrderType.STOP)
            except InsufficientPosition:
                changed += await self.abandon(tx, [entry])
            except Problem:
                continue
        return changed

    async def abandon(self, tx: Tx, lost: Sequence[HeldEntry]) -> list[ChangedSignal]:
        """Gives entries up whose coins are gone; returns the signals that will not sell them."""
        if not lost:
            return []
        return await tx.fetch(RunSql.abandon_entries, [entry.id for entry in lost], self.clock.now())

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
