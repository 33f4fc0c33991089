"""Books as they are read: what waits in them, and what an order would meet there. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

from app.domains.trading.exchange.model import BookState, Level, OpenOrder, Order, OrderType
from app.domains.trading.exchange.rules.house import House
from app.domains.trading.orders.model import OrderBookLevel, OrderBookSnapshot
from app.domains.trading.quantities.model import Side
from app.domains.trading.quantities.rules import PRICE_SCALE, decimal_of, units_of


class StoredBook(msgspec.Struct, frozen=True):
    """A book without its orders."""

    state: Any
    number: int
    is_halted: bool
    quoted_at: datetime | None


class RestingOrder(msgspec.Struct, frozen=True):
    """A limit order that waits in a book, and whose it is."""

    id: UUID
    owner: UUID
    price: Decimal
    quantity: Decimal
    link: UUID | None
    priority: int


def state_of(stored: StoredBook) -> BookState:
    """What the book is beside its orders."""
    return msgspec.convert(stored.state, BookState)


def open_orders(resting: Iterable[RestingOrder], side: Side) -> list[OpenOrder]:
    """Orders of one side as a book holds them."""
    return [
        OpenOrder(
            Order(
                id=each.id,
                owner=each.owner,
                side=side,
                type=OrderType.LIMIT,
                quantity=units_of(each.quantity),
                price=units_of(each.price, PRICE_SCALE),
                link=each.link,
            ),
            units_of(each.quantity),
            each.priority,
        )
        for each in resting
    ]


def snapshot_of(
    symbol: str,
    stored: StoredBook | None,
    bids: Sequence[tuple[Decimal, Decimal]],
    asks: Sequence[tuple[Decimal, Decimal]],
    levels: int,
) -> OrderBookSnapshot:
    """The best levels of users' orders and of the house together."""
    if stored is None:
        return OrderBookSnapshot(symbol, [], [], None, is_halted=False, number=0)
    state = state_of(stored)
    house = House(state.quote, state.bids, state.asks)
    return OrderBookSnapshot(
        symbol,
        _joined(bids, house.levels(Side.BUY), levels, Side.BUY),
        _joined(asks, house.levels(Side.SELL), levels, Side.SELL),
        stored.quoted_at if state.quote is not None else None,
        stored.is_halted,
        stored.number,
    )


def _joined(
    users: Sequence[tuple[Decimal, Decimal]], house: Sequence[Level], levels: int, side: Side
) -> list[OrderBookLevel]:
    joined = dict[int, int]()
    for price, quantity in users:
        joined[units_of(price, PRICE_SCALE)] = units_of(quantity)
    for level in house:
        joined[level.price] = joined.get(level.price, 0) + level.quantity
    best = sorted(joined, reverse=side is Side.BUY)[:levels]
    return [OrderBookLevel(decimal_of(price, PRICE_SCALE), decimal_of(joined[price])) for price in best]
