"""A bot's portfolio at a paper exchange of its own, in memory: placed, matched and settled as for everybody. Pure."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from itertools import count
from operator import attrgetter
from typing import Final
from uuid import UUID

import msgspec

from app.domains.trading.backtests.model.reports import Exit
from app.domains.trading.exchange.model import OrderType, Quote
from app.domains.trading.exchange.rules.book import QUOTE_AGE_MS
from app.domains.trading.journal.model import Currency, Disposed
from app.domains.trading.matching.model import Command, OrderRow, PlaceOrder, Price, Prices, Replace
from app.domains.trading.matching.rules.memory import Memory
from app.domains.trading.matching.rules.records import changes_of, order_of
from app.domains.trading.matching.rules.settlement import Settlement
from app.domains.trading.matching.rules.venue import Venue
from app.domains.trading.orders.model import INTERNAL, OPEN, BracketRole, Fill, NewBracket, OrderChanges, OrderStatus
from app.domains.trading.orders.rules.changing import changed, check_changeable
from app.domains.trading.orders.rules.checks import check_bracket, check_changes
from app.domains.trading.orders.rules.placing import StoredOrder, check_taken_on, exits_of, plan, plan_exits, stored
from app.domains.trading.orders.rules.terms import MarketTerms, OrderToChange
from app.domains.trading.portfolios.model import LockedPortfolio, Mode, PortfolioStatus
from app.domains.trading.quantities.rules import PRICE_SCALE, decimal_of, moment_of, units_of

SOURCE: Final = "backtest"


class Bracket(msgspec.Struct, frozen=True, gc=False):
    """The orders of an entry, and its slot of a grid."""

    entry: UUID
    take_profit: UUID
    stop_loss: UUID
    slot: int | None


class Held(msgspec.Struct, frozen=True, gc=False):
    """A bracket whose coins are not all sold."""

    bracket: Bracket
    quantity: Decimal
    price: Decimal
    """The average price that was paid, without fees."""
    opened_at: datetime
    take_profit: UUID | None
    """Null: the order is no longer open."""
    limit: int
    """The price of the take profit, in units."""
    stop: int
    """The price of the stop loss, in units."""
    has_stop: bool
    """Whether the stop loss is open."""

    def is_unprotected_at(self, price: int) -> bool:
        """Whether a price is at or below the stop loss, and only the take profit is open."""
        return not self.has_stop and self.take_profit is not None and price <= self.stop


class Closed(msgspec.Struct, frozen=True, gc=False):
    """An entry of which all is sold, as `bot_entries` has it: when, and what it earned after fees, in units."""

    at: datetime
    pnl: int


class Sandbox:
    """One portfolio in dollars, one token, one venue where nobody else trades. IDs are numbers in their order."""

    def __init__(self, symbol: str, cash: int, tier: str) -> None:
        self.symbol: Final = symbol
        self._ids = count(1)
        self._entry_ids = count(1)
        self._portfolio_id = self._new_id()
        self._owner = self._new_id()
        self._tier = tier
        self._venue = Venue(name=INTERNAL)
        self._memory = Memory()
        self._memory.transfer(self._portfolio_id, cash)
        self._initial = decimal_of(cash)
        self.cash = cash
        """The cash in units, reserved or not."""
        self.coins = 0
        """The units of the token that are held."""
        self._quote: Quote | None = None
        self._open = dict[UUID, Bracket]()
        """The brackets that are not over, by their links."""
        self._held: list[Held] | None = None
        self._lowest_limit: int | None = None
        self._highest_stop: int | None = None
        """Of what is held: of the stops those that are open."""
        self._moved = dict[UUID, Exit]()
        self.fills = list[Fill]()
        self.disposed = list[Disposed]()
        self.closed = list[Closed]()
        self.order_of_fill = dict[UUID, UUID]()

    @property
    def cost(self) -> Decimal:
        """What was paid for what is held, fees included."""
        found = self._memory.positions.get((self._portfolio_id, self.symbol))
        return Decimal(0) if found is None else found.cost

    def is_reached_by(self, price: int) -> bool:
        """Whether a price may do something. What is above all stops and below all limits changes no order, and the
        next price replaces it.
        """
        if self.is_buying:
            return True
        limit, stop = self._lowest_limit, self._highest_stop
        return (limit is not None and limit <= price) or (stop is not None and stop >= price)

    @property
    def is_idle(self) -> bool:
        """Whether nothing is held, and nothing is being bought."""
        return not self._open

    @property
    def is_buying(self) -> bool:
        """Whether a purchase is not over."""
        return len(self.held) < len(self._open)

    @property
    def touch(self) -> tuple[int, int] | None:
        """What the house bids and asks."""
        return self._venue.book(self.symbol).touch

    @property
    def held(self) -> list[Held]:
        """What is held, the oldest entry first."""
        if self._held is None:
            self._held = held = [found for each in self._open.values() if (found := self._holding(each)) is not None]
            self._lowest_limit = min((each.limit for each in held), default=None)
            self._highest_stop = max((each.stop for each in held if each.has_stop), default=None)
        return self._held

    def order(self, id: UUID) -> OrderRow:
        """An order."""
        return self._memory.orders[id]

    def moved_for(self, id: UUID) -> Exit | None:
        """Why the price of an order was changed. Null: it was not."""
        return self._moved.get(id)

    def quote(self, quote: Quote) -> None:
        """A new price."""
        self._quote = quote
        self._do(Prices({self.symbol: Price(quote, quote.price, SOURCE)}))

    def stop_between(self, upper: int, lower: int) -> int | None:
        """The highest price of an open stop loss below one price and above another."""
        held = self.held
        if self._highest_stop is None or self._highest_stop <= lower:
            return None
        return max((each.stop for each in held if each.has_stop and lower < each.stop < upper), default=None)

    def place(self, new: NewBracket, slot: int | None = None) -> Bracket:
        """Places a bracket as the service of orders does, and matches it. Raises what that raises."""
        quote = self._now
        now, price = moment_of(quote.at), decimal_of(quote.price, PRICE_SCALE)
        check_bracket(new, now)
        made = Bracket(self._new_id(), self._new_id(), self._new_id(), slot)
        entry = plan(new.entry, made.entry, self._owner, self._locked(), self._terms(quote), now, QUOTE_AGE_MS)
        exits = plan_exits(new, entry, (made.take_profit, made.stop_loss), price, now)
        link = self._new_id()
        rows = {
            role: self._row(stored(given, planned, role, link))
            for given, planned, role in zip((new.entry, *exits_of(new)), (entry, *exits), BracketRole, strict=True)
        }
        # The stop loss first, which protects what the take profit would sell.
        held = (rows[BracketRole.STOP_LOSS], rows[BracketRole.TAKE_PROFIT])
        first = rows[BracketRole.ENTRY]
        self._memory.brackets[link] = [first.id, *(each.id for each in held)]
        self._memory.reserve(first, entry.reserved)
        for each in (first, *held):
            self._memory.note(each)
        self._open[link] = made
        self._do(PlaceOrder(self.symbol, order_of(first), tuple(order_of(each) for each in held)))
        return made

    def change(self, order_id: UUID, changes: OrderChanges, reason: Exit) -> None:
        """Replaces an exit as the service of orders does, and matches it. Raises what that raises."""
        quote, row = self._now, self._memory.orders[order_id]
        found = _to_change(row)
        check_changes(changes, OrderType(row.type), None)
        check_changeable(found, changes)
        change = changed(found, changes, quote.price)
        check_taken_on(change.order, quote.price, moment_of(quote.at))
        self._moved[order_id] = reason
        self._do(Replace(self.symbol, order_id, changes_of(change.changes), change.extra))

    @property
    def _now(self) -> Quote:
        assert self._quote is not None, "there is no price yet"
        return self._quote

    def _new_id(self) -> UUID:
        return UUID(int=next(self._ids))

    def _do(self, command: Command) -> None:
        at = self._now.at
        results = self._venue.apply(command, at)
        if not any(result.outcomes for result in results):
            return
        memory = self._memory
        concerned = memory.touched([command], results)
        holdings = memory.holdings([self._portfolio_id], concerned.places, concerned.sold)
        rows = [memory.orders[each] for each in concerned.orders]
        settlement = Settlement(rows, holdings, self._entry_ids, self._new_id, moment_of(at))
        changed_orders = settlement.settle(results)
        memory.store(holdings, settlement.entries)
        self.cash = holdings.cash[self._portfolio_id].balance
        self.coins = holdings.position(self._portfolio_id, self.symbol).quantity
        for each in changed_orders:
            memory.note(each.row)
        self.fills += settlement.fills
        self.order_of_fill.update((each.id, each.order_id) for each in settlement.fills)
        self.disposed += holdings.disposed
        self._held = None
        self._forget((each.row.bracket_id for each in changed_orders), moment_of(at))

    def _forget(self, links: Iterable[UUID | None], at: datetime) -> None:
        """Drops brackets of which no order is open, and notes those that are sold."""
        for link in dict.fromkeys(links):
            bracket = None if link is None else self._open.get(link)
            if link is not None and bracket is not None and not any(map(self._is_open, _orders(bracket))):
                del self._open[link]
                self._note_closed(bracket, at)

    def _note_closed(self, bracket: Bracket, at: datetime) -> None:
        entry, *exits = (self._memory.orders[each] for each in _orders(bracket))
        if entry.filled_quantity and entry.filled_quantity == sum(each.filled_quantity for each in exits):
            proceeds = sum((each.filled_quote - each.fees for each in exits), Decimal(0))
            self.closed.append(Closed(at, units_of(proceeds - entry.filled_quote - entry.fees)))

    def _is_open(self, id: UUID) -> bool:
        return self._memory.orders[id].status in OPEN

    def _holding(self, bracket: Bracket) -> Held | None:
        entry, take_profit, stop_loss = (self._memory.orders[each] for each in _orders(bracket))
        left = entry.filled_quantity - take_profit.filled_quantity - stop_loss.filled_quantity
        if not left or (entry.filled_at is None and entry.cancelled_at is None):
            return None
        assert take_profit.price is not None
        assert stop_loss.stop_price is not None
        return Held(
            bracket,
            left,
            entry.filled_quote / entry.filled_quantity,
            entry.filled_at or entry.cancelled_at or moment_of(self._now.at),
            take_profit.id if take_profit.status in OPEN else None,
            units_of(take_profit.price, PRICE_SCALE),
            units_of(stop_loss.stop_price, PRICE_SCALE),
            stop_loss.status in OPEN,
        )

    def _locked(self) -> LockedPortfolio:
        cash = self._memory.cash[self._portfolio_id]
        return LockedPortfolio(
            self._portfolio_id,
            self._owner,
            Mode.PAPER,
            Currency.USD,
            False,
            PortfolioStatus.OPEN,
            1,
            self._initial,
            cash.balance,
            cash.reserved,
            None,
        )

    def _terms(self, quote: Quote) -> MarketTerms:
        return MarketTerms(
            is_listed=True,
            is_halted=False,
            is_delisted=False,
            price_usd=decimal_of(quote.price, PRICE_SCALE),
            price_aud=decimal_of(quote.price, PRICE_SCALE),
            quoted_at=moment_of(quote.at),
            tier=self._tier,
            is_user_halted=False,
            duplicate_id=None,
            held=decimal_of(self._memory.available_coins(self._portfolio_id, self.symbol)),
            other_tokens=0,
        )

    def _row(self, order: StoredOrder) -> OrderRow:
        return OrderRow(
            **dict(zip(_STORED, _stored_of(order), strict=True)),
            owner=self._owner,
            portfolio_id=self._portfolio_id,
            currency=Currency.USD,
            life=1,
            symbol=self.symbol,
            reserved_for_changes=Decimal(0),
            filled_quantity=Decimal(0),
            filled_quote=Decimal(0),
            fees=Decimal(0),
            status=OrderStatus.PENDING,
            reason=None,
            priority=None,
            triggered_at=None,
            filled_at=None,
            cancelled_at=None,
        )


_STORED: Final = [name for name in StoredOrder.__struct_fields__ if name in OrderRow.__struct_fields__]
_stored_of: Final = attrgetter(*_STORED)
_CHANGED: Final = [name for name in OrderToChange.__struct_fields__ if name in OrderRow.__struct_fields__]
_changed_of: Final = attrgetter(*_CHANGED)


def _orders(bracket: Bracket) -> tuple[UUID, UUID, UUID]:
    return bracket.entry, bracket.take_profit, bracket.stop_loss


def _to_change(row: OrderRow) -> OrderToChange:
    return OrderToChange(
        **dict(zip(_CHANGED, _changed_of(row), strict=True)),
        is_placed=row.priority is not None,
        is_triggered=row.triggered_at is not None,
        is_changing=False,
    )
