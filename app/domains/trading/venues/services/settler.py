"""Settles what was traded at exchanges: fills, journal, orders and events in one transaction, each trade once."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final
from uuid import UUID, uuid4

import msgspec

from app.domains.trading.exchange.model import Reason
from app.domains.trading.exchanges.model import EXCHANGES
from app.domains.trading.journal.model import Currency, EntryKind, NewEntry
from app.domains.trading.journal.rules.entries import transfer_lines
from app.domains.trading.journal.rules.holdings import PositionKey
from app.domains.trading.journal.services.batches import lock_cash, read_holdings, store_holdings, take_entry_ids
from app.domains.trading.journal.services.posting import post
from app.domains.trading.matching.model import OrderRow
from app.domains.trading.matching.services.storing import facts_of, store_fills, store_orders
from app.domains.trading.matching.statements import MatchingSql
from app.domains.trading.orders.model import OrderFact, OrderStatus, order_stream
from app.domains.trading.portfolios.statements import PortfolioSql, ValueSql
from app.domains.trading.quantities.model import Side
from app.domains.trading.quantities.rules import PRICE_SCALE, decimal_of
from app.domains.trading.venues.model import Closing, RemoteTrade, SentRow
from app.domains.trading.venues.rules.settlement import SettledTrade, VenueSettlement, units
from app.domains.trading.venues.services.epochs import hold_epoch
from app.domains.trading.venues.statements import SendingSql, SettlingSql
from app.kit.clock import Clock
from app.kit.db import SYSTEM, Database, Tx
from app.kit.events import EventLog, Fact
from app.kit.sql import columns_of

SHORT_MEMO: Final = "The exchange had more than the books: it was paid in there."

Trades = Sequence[tuple[UUID, RemoteTrade]]
"""Trades, each with the ID of what was sent."""


@dataclass(frozen=True)
class Settler:
    """Settles trades and ends. Whatever is repeated is done once: a trade by its ID at the exchange."""

    database: Database
    clock: Clock
    events: EventLog
    announce: Callable[[Iterable[UUID]], None]
    finish_closing: Callable[[Tx, UUID], Awaitable[list[Fact]]]

    async def settle(
        self, epoch: int, account_id: UUID, exchange: str, trades: Trades, closings: Sequence[Closing] = ()
    ) -> list[UUID]:
        """Returns what was not closed, since trades of it are missing. Raises LeadershipLost."""
        ids = {id for id, _ in trades} | {each.id for each in closings}
        if not ids:
            return []

        async def work(tx: Tx) -> tuple[list[UUID], set[UUID]]:
            await hold_epoch(tx, epoch)
            sent = await tx.fetch(SettlingSql.sent_to_settle, sorted(ids))
            portfolios = {row.portfolio_id for row in sent}
            cash = await lock_cash(tx, portfolios)
            # Once more: a change may have been asked for until the portfolio was locked.
            sent = await tx.fetch(SettlingSql.sent_to_settle, sorted(ids))
            new = await self._new(tx, account_id, trades)
            if not new and not closings:
                return [], set()
            rows = await tx.fetch(MatchingSql.orders_of_commands, [row.order_id for row in sent])
            quote, at = EXCHANGES[exchange].quote, self.clock.now()
            places, sold = _places(rows, sent, new, quote)
            holdings = await read_holdings(tx, cash, places, sold)
            assets = {each.fee_asset for _, each in new if each.fee_asset not in (None, quote)}
            prices = dict(await tx.fetch(SettlingSql.prices_of, sorted(assets))) if assets else {}
            # A trade is one entry, and two more for a fee in another asset.
            entry_ids = iter(await take_entry_ids(tx, 3 * len(new), at))
            quotes = {row.market: quote for row in sent}
            settlement = VenueSettlement(rows, sent, holdings, entry_ids, uuid4, at, quotes, prices)
            changed, unclosed = settlement.settle(new, closings)
            await self._pay_in(tx, settlement.short, rows)
            await store_orders(tx, changed)
            await store_fills(tx, settlement.fills)
            await store_holdings(tx, holdings, settlement.entries, at)
            await self._store(tx, account_id, settlement, sent)
            await self.events.append(tx, facts_of(changed, settlement.fills))
            return unclosed, portfolios

        unclosed, portfolios = await self.database.write(SYSTEM, work)
        self.announce(portfolios)
        return unclosed

    async def revive(self, epoch: int, id: UUID, exchange_order_id: str) -> None:
        """Takes up again what was given up: the exchange has it after all. It is cancelled. Raises LeadershipLost."""

        async def work(tx: Tx) -> None:
            await hold_epoch(tx, epoch)
            await tx.fetch(SendingSql.lock_portfolio_of, id)
            values = (id, exchange_order_id, Reason.NOT_SENT, self.clock.now())
            order_id = await tx.fetch_one(SettlingSql.revive, *values)
            if order_id is None:
                return
            [row] = await tx.fetch(MatchingSql.orders_of_commands, [order_id])
            [cash] = await lock_cash(tx, [row.portfolio_id])
            holdings = await read_holdings(tx, [cash], [(row.portfolio_id, row.symbol)], {})
            settlement = VenueSettlement([row], [], holdings, iter(()), uuid4, self.clock.now(), {}, {})
            settlement.orders[order_id].reopen()
            changed, _ = settlement.settle([], [])
            await self._pay_in(tx, settlement.short, [row])
            await store_orders(tx, changed)
            await store_holdings(tx, holdings, [], self.clock.now())
            await self.events.append(tx, facts_of(changed, []))

        await self.database.write(SYSTEM, work)

    async def note_cancel(self, epoch: int, id: UUID, until: datetime, failed_at: datetime | None) -> None:
        """Notes that a cancellation was attempted; its owner hears of it where it has failed. Raises LeadershipLost."""

        async def work(tx: Tx) -> None:
            await hold_epoch(tx, epoch)
            order_id = await tx.fetch_one(SendingSql.note_cancel, id, until, failed_at)
            if order_id is None or failed_at is None:
                return
            [row] = await tx.fetch(MatchingSql.orders_of_commands, [order_id])
            fact = OrderFact(order_id, OrderStatus(row.status), row.filled_quantity, Reason.CANCEL_FAILED)
            await self.events.append(tx, [Fact(order_stream(row.portfolio_id), "order", msgspec.to_builtins(fact))])

        await self.database.write(SYSTEM, work)

    async def finish(self, epoch: int, user_id: UUID, portfolio_id: UUID) -> None:
        """Ends a portfolio that is being deleted, once nothing is active in it. Raises LeadershipLost."""

        async def work(tx: Tx) -> bool:
            await hold_epoch(tx, epoch)
            await tx.execute(PortfolioSql.lock_user, str(user_id))
            await lock_cash(tx, [portfolio_id])
            [is_free] = await tx.fetch(SettlingSql.is_free, portfolio_id)
            if is_free:
                await self.events.append(tx, await self.finish_closing(tx, portfolio_id))
            return is_free

        if await self.database.write(SYSTEM, work):
            self.announce([portfolio_id])

    async def _new(self, tx: Tx, account_id: UUID, trades: Trades) -> Trades:
        """Those that have not been settled, each once."""
        by_key = {(each.market, each.id): (id, each) for id, each in trades}
        if not by_key:
            return []
        known = await tx.fetch(SettlingSql.known_trades, account_id, *columns_of(list(by_key), 2))
        for each in known:
            del by_key[each.market, each.trade_id]
        return sorted(by_key.values(), key=lambda pair: (pair[1].at, pair[1].id))

    async def _pay_in(self, tx: Tx, short: Mapping[UUID, int], rows: Iterable[OrderRow]) -> None:
        """Posts what the exchange had and the books did not, before what was bought with it."""
        for portfolio_id, amount in short.items():
            row = next(each for each in rows if each.portfolio_id == portfolio_id)
            at = self.clock.now()
            lines = transfer_lines(Currency(row.currency), amount)
            entry = NewEntry(
                kind=EntryKind.DEPOSIT, portfolio_id=portfolio_id, life=row.life, lines=lines, at=at, memo=SHORT_MEMO
            )
            await post(tx, entry)
            await tx.execute(ValueSql.record_flow, portfolio_id, decimal_of(amount), at)

    async def _store(self, tx: Tx, account_id: UUID, settlement: VenueSettlement, before: Sequence[SentRow]) -> None:
        if settlement.trades:
            rows = [_trade_row(each) for each in settlement.trades]
            await tx.execute(SettlingSql.insert_trades, account_id, *columns_of(rows), self.clock.now())
        changed = [
            (row.id, row.state, row.filled_quantity, settlement.failures.get(row.id))
            for was in before
            if (row := settlement.sent[was.id]) != was
        ]
        if changed:
            await tx.execute(SettlingSql.put_sent, *columns_of(changed))
        if settlement.releases:
            released = [msgspec.structs.astuple(each) for each in settlement.releases]
            await tx.execute(SettlingSql.release_held, *columns_of(released))


def _trade_row(each: SettledTrade) -> tuple[object, ...]:
    trade = each.trade
    fee = None if trade.fee_quantity is None else decimal_of(units(trade.fee_quantity))
    return (
        trade.market,
        trade.id,
        each.sent_id,
        each.fill_id,
        decimal_of(each.quantity),
        decimal_of(each.price, PRICE_SCALE),
        trade.fee_asset,
        fee,
        trade.at,
    )


def _places(
    rows: Iterable[OrderRow], sent: Iterable[SentRow], trades: Trades, quote: str
) -> tuple[set[PositionKey], Mapping[PositionKey, int]]:
    """The positions that trades concern, and how much is taken of each."""
    by_sent = {row.id: order for row in sent for order in rows if order.id == row.order_id}
    places = {(row.portfolio_id, row.symbol) for row in rows}
    taken = Counter[PositionKey]()
    for id, trade in trades:
        order = by_sent[id]
        if order.side == Side.SELL:
            taken[order.portfolio_id, order.symbol] += units(trade.quantity)
        if trade.fee_asset not in (None, quote) and trade.fee_quantity:
            place = (order.portfolio_id, trade.fee_asset or "")
            places.add(place)
            taken[place] += units(trade.fee_quantity + Decimal("1E-8"))
    return places, taken
