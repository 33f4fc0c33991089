"""Rows as the exchange takes them, and back: decimals as whole numbers, moments as milliseconds since 1970."""

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import msgspec

from app.domains.trading.exchange.model import (
    BookState,
    Changes,
    OpenOrder,
    Order,
    OrderType,
    Quote,
    Reason,
    TimeInForce,
    Traded,
)
from app.domains.trading.journal.rules.holdings import PositionKey
from app.domains.trading.matching.model import (
    BookedRow,
    BookRow,
    Cancel,
    Close,
    Command,
    Delist,
    Halt,
    InboxRow,
    OrderRow,
    PlaceOrder,
    Price,
    Prices,
    Relist,
    Replace,
    Result,
    Resume,
)
from app.domains.trading.matching.rules.brackets import Bracket
from app.domains.trading.matching.rules.venue import StoredBook
from app.domains.trading.orders.model import BracketRole
from app.domains.trading.quantities.model import Side
from app.domains.trading.quantities.rules import COIN, PRICE_SCALE, ms_of, units_of

_UNITS_OF_CHANGES: Final = {
    "quantity": COIN,
    "price": PRICE_SCALE,
    "stop_price": PRICE_SCALE,
    "trail_amount": PRICE_SCALE,
    "trail_fraction": COIN,
    "protection_price": PRICE_SCALE,
}


def order_of(row: OrderRow | BookedRow) -> Order:
    """An order as a book takes it."""
    is_exit = row.bracket_role in (BracketRole.TAKE_PROFIT, BracketRole.STOP_LOSS)
    return Order(
        id=row.id,
        owner=row.owner,
        side=Side(row.side),
        type=OrderType(row.type),
        time_in_force=TimeInForce(row.time_in_force),
        quantity=_units(row.quantity, COIN),
        amount=_units(row.quote_amount, COIN),
        price=_units(row.price, PRICE_SCALE),
        stop_price=_units(row.stop_price, PRICE_SCALE),
        trail_amount=_units(row.trail_amount, PRICE_SCALE),
        trail_fraction=_units(row.trail_fraction, COIN),
        protection_price=_units(row.protection_price, PRICE_SCALE),
        expires_at=None if row.expires_at is None else ms_of(row.expires_at),
        is_post_only=row.post_only,
        bound=_units(row.bound, COIN),
        # However little the entry filled, it can be sold.
        sells_all=row.sells_all or is_exit,
        link=row.bracket_id if is_exit else None,
    )


def open_order_of(row: OrderRow | BookedRow) -> OpenOrder:
    """An order that is in a book."""
    order = order_of(row)
    assert row.priority is not None
    assert order.quantity is not None
    filled = units_of(row.filled_quantity)
    return OpenOrder(order, order.quantity - filled, row.priority, row.triggered_at is not None)


def stored_book_of(row: BookRow, orders: list[OpenOrder]) -> StoredBook:
    """A book as it was stored."""
    state = msgspec.convert(row.state, BookState)
    price = None
    if state.quote is not None and row.price_aud is not None and row.source is not None:
        price = Price(state.quote, units_of(row.price_aud, PRICE_SCALE), row.source)
    return StoredBook(state, orders, price, row.is_halted_alone)


def brackets_of(entries: dict[UUID, UUID], exits: Iterable[OrderRow]) -> Iterable[Bracket]:
    """The brackets of these entries, by the IDs of the brackets. `exits` are open, the stop loss of each first."""
    of_bracket: dict[UUID, list[OrderRow]] = {bracket_id: [] for bracket_id in entries}
    for row in exits:
        if row.bracket_id in of_bracket:
            of_bracket[row.bracket_id].append(row)
    for bracket_id, rows in of_bracket.items():
        held = tuple(order_of(row) for row in rows if row.priority is None)
        yield Bracket(entries[bracket_id], bracket_id, frozenset(row.id for row in rows), held)


def command_of(row: InboxRow, orders: dict[UUID, OrderRow], exits: dict[UUID, list[OrderRow]]) -> Command:
    """A command with the orders that it is about: by their IDs, and exits by the ID of their bracket."""
    payload: dict[str, Any] = row.payload
    match row.kind, row.symbol, row.order_id:
        case "place", str(symbol), UUID() as order_id:
            order = orders[order_id]
            held = exits.get(order.bracket_id, []) if order.bracket_id is not None else []
            return PlaceOrder(symbol, order_of(order), tuple(order_of(each) for each in held))
        case "cancel", str(symbol), UUID() as order_id:
            return Cancel(symbol, order_id, Reason(payload["reason"]))
        case "replace", str(symbol), UUID() as order_id:
            extra = units_of(Decimal(payload.get("extra", 0)))
            return Replace(symbol, order_id, changes_of(payload["changes"]), extra)
        case "prices", _, _:
            return Prices({symbol: price_of(each) for symbol, each in payload.items()})
        case "close", _, _:
            assert row.portfolio_id is not None
            return Close(row.portfolio_id)
        case "halt", symbol, _:
            return Halt(symbol)
        case "resume", symbol, _:
            return Resume(symbol)
        case "delist", str(symbol), _:
            return Delist(symbol, Reason(payload["reason"]))
        case "relist", str(symbol), _:
            return Relist(symbol)
    raise ValueError(f"no such command: {row}")


def extra_of(payload: Any) -> int:
    """What was reserved for a replacement, in units; 0 if it cannot be read."""
    try:
        return units_of(Decimal(payload["extra"]))
    except (KeyError, TypeError, ValueError, ArithmeticError):
        return 0


def changes_of(given: dict[str, str]) -> Changes:
    """The changes of a replacement."""
    return Changes(**{name: units_of(Decimal(value), _UNITS_OF_CHANGES[name]) for name, value in given.items()})


def price_of(given: dict[str, Any]) -> Price:
    """A quote of a tick: its price in both currencies, its volume in dollars, its volatility, its time, its source."""
    quote = Quote(
        price=units_of(Decimal(given["usd"]), PRICE_SCALE),
        volume=units_of(Decimal(given["volume"])),
        volatility=units_of(Decimal(given["volatility"])),
        at=int(given["at"]),
    )
    return Price(quote, units_of(Decimal(given["aud"]), PRICE_SCALE), given["source"])


def _units(value: Decimal | None, scale: int) -> int | None:
    return None if value is None else units_of(value, scale)


def positions_of(rows: Iterable[OrderRow], results: Iterable[Result]) -> tuple[set[PositionKey], Counter[PositionKey]]:
    """The positions that a batch concerns, and how much is sold of each."""
    by_id = {row.id: row for row in rows}
    places = {(row.portfolio_id, row.symbol) for row in by_id.values()}
    sold: Counter[PositionKey] = Counter()
    for result in results:
        for outcome in result.outcomes:
            if isinstance(outcome, Traded):
                for order_id in (outcome.taker_id, outcome.maker_id):
                    row = None if order_id is None else by_id[order_id]
                    if row is not None and row.side == Side.SELL:
                        sold[row.portfolio_id, row.symbol] += outcome.quantity
    return places, sold
