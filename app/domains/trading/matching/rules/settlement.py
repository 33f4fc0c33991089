"""What a batch of results does to orders and portfolios: fills with their entries, statuses, reservations. Pure."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec

from app.domains.trading.exchange.model import (
    Accepted,
    Cancelled,
    Expired,
    Filled,
    Liquidity,
    Outcome,
    Reason,
    Refused,
    Rejected,
    Replaced,
    Rested,
    Traded,
    Triggered,
)
from app.domains.trading.exchange.rules.fees import FeeSchedule, fee
from app.domains.trading.exchange.rules.rounding import converted_cost, converted_proceeds, paid, received
from app.domains.trading.journal.model import Currency, EntryKind, Fill, NewEntry
from app.domains.trading.journal.rules.entries import fill_lines
from app.domains.trading.journal.rules.holdings import Holdings
from app.domains.trading.matching.model import Market, OrderRow, Replace, Result, Trade
from app.domains.trading.matching.rules.working import Working
from app.domains.trading.orders.model import BracketRole, OrderStatus
from app.domains.trading.orders.model import Fill as OrderFill
from app.domains.trading.quantities.model import Side
from app.domains.trading.quantities.rules import PRICE_SCALE, decimal_of, moment_of

_ROLES: Final = (BracketRole.TAKE_PROFIT, BracketRole.STOP_LOSS)
"""Of the exits of a bracket the first that is open has what both reserve."""


class Terms(msgspec.Struct, frozen=True):
    """What a portfolio pays or receives in a fill, in units."""

    quote: int
    """Dollars without the fee."""
    fee: int
    fx_rate: int | None = None
    debit: int | None = None
    """What a buy takes of the cash, in another currency than dollars."""


class Settlement:
    """Settles the results of a batch, in order."""

    def __init__(  # what a batch touches
        self,
        rows: Iterable[OrderRow],
        holdings: Holdings,
        entry_ids: Iterator[int],
        new_id: Callable[[], UUID],
        at: datetime,
    ) -> None:
        self.orders: Final = {row.id: Working(row) for row in rows}
        self._holdings = holdings
        self._entry_ids = entry_ids
        self._new_id = new_id
        self._at = at
        self.entries: list[tuple[int, NewEntry]] = []
        self.fills: list[OrderFill] = []
        self.trades: list[Trade] = []

    def settle(self, results: Iterable[Result]) -> list[Working]:
        """Returns the orders that have changed, in the order in which that began."""
        began: dict[UUID, None] = {}
        for result in results:
            if isinstance(result.command, Replace) and result.command.order_id in self.orders:
                self.orders[result.command.order_id].release_extra(result.command.extra)
            for outcome in result.outcomes:
                self._settle(result, outcome)
                for id in orders_of(outcome):
                    began[id] = None
        self._reserve()
        # Not before: what one exit of a bracket reserved may have passed to the other.
        return [each for id in began | dict.fromkeys(self.orders) if (each := self.orders[id]).is_changed]

    def _settle(self, result: Result, outcome: Outcome) -> None:
        match outcome:
            case Traded():
                self._trade(result, outcome)
            case Refused():
                return
            case Accepted(order_id, quantity):
                self.orders[order_id].accept(quantity)
            case Rested(order_id, _, priority):
                self.orders[order_id].rest(priority)
            case Triggered(order_id):
                self.orders[order_id].trigger(self._at)
            case Replaced(order_id, quantity, _, priority, reason):
                self.orders[order_id].change(quantity, priority)
                if reason is Reason.REQUESTED and isinstance(result.command, Replace):
                    self.orders[order_id].reprice(result.command.changes)
            case Filled(order_id):
                self.orders[order_id].end(OrderStatus.FILLED, None, self._at)
            case Cancelled(order_id, reason):
                self.orders[order_id].end(OrderStatus.CANCELLED, reason, self._at)
            case Rejected(order_id, reason):
                self.orders[order_id].end(OrderStatus.REJECTED, reason, self._at)
            case Expired(order_id, reason):
                self.orders[order_id].end(OrderStatus.EXPIRED, reason, self._at)

    def _trade(self, result: Result, traded: Traded) -> None:
        market = result.market
        if market is None:
            raise ValueError(f"traded without a quote: {traded}")
        trade_id = self._new_id()
        # A microsecond apart, so that fills of one batch keep their order.
        at = self._at + timedelta(microseconds=len(self.trades))
        for order_id, counter_id, liquidity in (
            (traded.taker_id, traded.maker_id, Liquidity.TAKER),
            (traded.maker_id, traded.taker_id, Liquidity.MAKER),
        ):
            if order_id is not None:
                self._fill(trade_id, self.orders[order_id], counter_id, liquidity, traded, market, at)
        self.trades.append(
            Trade(
                trade_id,
                result.symbol,
                decimal_of(traded.price, PRICE_SCALE),
                decimal_of(traded.quantity),
                traded.taker_side,
                at,
            )
        )

    def _fill(  # noqa: PLR0917  # what a fill is
        self,
        trade_id: UUID,
        order: Working,
        counter_id: UUID | None,
        liquidity: Liquidity,
        traded: Traded,
        market: Market,
        at: datetime,
    ) -> None:
        row, currency = order.row, Currency(order.row.currency)
        terms = terms_of(order, currency, market, liquidity, traded)
        fill_id, entry_id = self._new_id(), next(self._entry_ids)
        lines = fill_lines(
            Fill(
                side=order.side,
                symbol=row.symbol,
                quantity=traded.quantity,
                price=traded.price,
                fee=terms.fee,
                currency=currency,
                fx_rate=terms.fx_rate,
                paid=terms.quote if order.side is Side.BUY else None,
                debit=terms.debit,
            )
        )
        entry = NewEntry(
            kind=EntryKind.FILL,
            portfolio_id=row.portfolio_id,
            life=row.life,
            lines=lines,
            at=self._at,
            order_id=row.id,
            fill_id=fill_id,
        )
        self._holdings.post(entry, self._new_id())
        self.entries.append((entry_id, entry))
        order.fill(traded.quantity, terms.quote, terms.fee)
        in_dollars = terms.fx_rate is None
        self.fills.append(
            OrderFill(
                id=fill_id,
                trade_id=trade_id,
                order_id=row.id,
                portfolio_id=row.portfolio_id,
                life=row.life,
                symbol=row.symbol,
                side=order.side,
                quantity=decimal_of(traded.quantity),
                price=decimal_of(traded.price, PRICE_SCALE),
                quote_quantity=decimal_of(terms.quote),
                fee=decimal_of(terms.fee),
                liquidity=liquidity,
                counter_order_id=counter_id,
                quote_bid=decimal_of(market.bid, PRICE_SCALE),
                quote_ask=decimal_of(market.ask, PRICE_SCALE),
                quote_at=moment_of(market.at),
                currency=currency,
                fx_rate=None if terms.fx_rate is None else decimal_of(terms.fx_rate, PRICE_SCALE),
                fx_source=None if in_dollars else market.source,
                fx_at=None if in_dollars else moment_of(market.at),
                entry_id=entry_id,
                created_at=at,
            )
        )

    def _reserve(self) -> None:
        """Makes what is reserved what the open orders need."""
        exits: dict[UUID, list[Working]] = {}
        for order in self.orders.values():
            if order.row.bracket_role in _ROLES and order.row.bracket_id is not None:
                exits.setdefault(order.row.bracket_id, []).append(order)
        holders: set[UUID] = set()
        for each in exits.values():
            placed = [order for order in each if order.is_open and order.is_placed]
            if placed:
                holders.add(min(placed, key=_place_of_role).row.id)
        for order in self.orders.values():
            is_exit = order.row.bracket_role in _ROLES
            need = 0 if is_exit and order.row.id not in holders else order.need()
            if delta := order.reserve(need):
                if order.side is Side.BUY:
                    self._holdings.cash[order.row.portfolio_id].reserved += delta
                else:
                    self._holdings.position(order.row.portfolio_id, order.row.symbol).reserved += delta


def orders_of(outcome: Outcome) -> list[UUID]:
    """The orders that an outcome is about; the house has none."""
    if isinstance(outcome, Traded):
        return [each for each in (outcome.taker_id, outcome.maker_id) if each is not None]
    return [] if isinstance(outcome, Refused) else [outcome.order_id]


def _place_of_role(order: Working) -> int:
    return _ROLES.index(BracketRole(order.row.bracket_role or ""))


def terms_of(order: Working, currency: Currency, market: Market, liquidity: Liquidity, traded: Traded) -> Terms:
    """What a fill costs or brings, before the order is changed by it.

    Everything is rounded against the portfolio, as far as that was reserved: a buy never takes more than what it needs
    less, and a sale never costs more than it brings.
    """
    fees = FeeSchedule(order.maker_fee, order.taker_fee)
    if order.side is Side.SELL:
        quote = received(traded.quantity, traded.price)
        charged = min(fee(fees, liquidity, quote), quote)
        return Terms(quote, charged, None if currency is Currency.USD else market.rate)
    high, low = paid(traded.quantity, traded.price), received(traded.quantity, traded.price)
    budget = order.need_in_dollars() - order.need_in_dollars(after=traded.quantity, spent=high)
    quote = max(low, min(high, budget))
    charged = max(0, min(fee(fees, liquidity, quote), budget - quote))
    if currency is Currency.USD:
        return Terms(quote, charged)
    assert order.reserve_rate is not None
    # Whatever the rate has become: more than the buffer is Moneta's risk.
    rate, dollars = min(market.rate, order.reserve_rate), quote + charged
    debit_budget = order.need() - order.need(after=traded.quantity, spent=high)
    debit = max(converted_proceeds(dollars, rate), min(converted_cost(dollars, rate), debit_budget))
    return Terms(quote, charged, rate, debit)
