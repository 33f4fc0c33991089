"""A book to try rules on, in coins and dollars."""

from decimal import Decimal
from itertools import count
from typing import Any, TypeAlias, TypeVar
from uuid import UUID

from app.domains.trading.exchange.model import (
    FINAL,
    BookState,
    Cancelled,
    Order,
    OrderType,
    Outcome,
    Quote,
    Reason,
    Refused,
    Rejected,
    TimeInForce,
    Traded,
)
from app.domains.trading.exchange.rules.book import Book
from app.domains.trading.quantities.model import Side
from app.domains.trading.quantities.rules import COIN, PRICE_SCALE, decimal_of, units_of

T = TypeVar("T")
Number: TypeAlias = int | str
Placed: TypeAlias = tuple[Order, list[Outcome]]

ALICE, BOB, CAROL = (UUID(int=number) for number in (1, 2, 3))
BUY, SELL = Side.BUY, Side.SELL
IOC, FOK, GTD = TimeInForce.IMMEDIATE_OR_CANCEL, TimeInForce.FILL_OR_KILL, TimeInForce.GOOD_TILL_DATE
VOLUME = 50_000_000
"""Dollars a day, so that the house has 100,000 dollars on each side."""


def coins(value: Number) -> int:
    return units_of(Decimal(value))


def dollars(value: Number) -> int:
    return units_of(Decimal(value))


def price(value: Number) -> int:
    return units_of(Decimal(value), PRICE_SCALE)


def at(units: int) -> str:
    """A price in dollars."""
    return str(decimal_of(units, PRICE_SCALE))


def coins_of(units: int) -> str:
    return str(decimal_of(units))


def quote(value: Number, at: int = 0, *, volume: int = VOLUME, volatility: str = "0.02") -> Quote:
    return Quote(price(value), volume * COIN, units_of(Decimal(volatility)), at)


class Stage:
    """A book at a price of 100 dollars."""

    def __init__(self, at: Number = 100) -> None:
        self.book = Book(BookState(venue="internal", symbol="BTC", quote=quote(at)))
        self.now = 0
        self._ids = count(1_000)

    def order(self, side: Side, kind: OrderType, quantity: Number | None, owner: UUID = ALICE, **parts: Any) -> Order:
        for name in ("price", "stop_price", "trail_amount", "protection_price"):
            if name in parts:
                parts[name] = price(parts[name])
        if side is BUY and kind is not OrderType.LIMIT and "price" not in parts:
            parts.setdefault("protection_price", price("1000000"))
        return Order(
            id=UUID(int=next(self._ids)),
            owner=owner,
            side=side,
            type=kind,
            quantity=None if quantity is None else coins(quantity),
            **parts,
        )

    def market(self, side: Side, quantity: Number | None, owner: UUID = ALICE, **parts: Any) -> Placed:
        return self.place(self.order(side, OrderType.MARKET, quantity, owner, **parts))

    def limit(self, side: Side, quantity: Number, at: Number, owner: UUID = ALICE, **parts: Any) -> Placed:
        return self.place(self.order(side, OrderType.LIMIT, quantity, owner, price=at, **parts))

    def stop(self, side: Side, quantity: Number, at: Number, owner: UUID = ALICE, **parts: Any) -> Placed:
        kind = OrderType.STOP_LIMIT if "price" in parts else OrderType.STOP
        return self.place(self.order(side, kind, quantity, owner, stop_price=at, **parts))

    def trail(self, side: Side, quantity: Number, owner: UUID = ALICE, **parts: Any) -> Placed:
        return self.place(self.order(side, OrderType.TRAILING_STOP, quantity, owner, **parts))

    def place(self, order: Order) -> Placed:
        return order, self.book.place(order, self.now)

    def move(self, to: Number, after_ms: int = 1_000, **parts: Any) -> list[Outcome]:
        self.now += after_ms
        return self.book.requote(quote(to, self.now, **parts), self.now)

    def best(self, side: Side) -> int:
        """The best price of one side of the book."""
        snapshot = self.book.snapshot(1)
        return (snapshot.bids if side is BUY else snapshot.asks)[0].price


def only(outcomes: list[Outcome], kind: type[T]) -> list[T]:
    return [each for each in outcomes if isinstance(each, kind)]


def trades(outcomes: list[Outcome]) -> list[tuple[int, int]]:
    """Price and quantity of each trade."""
    return [(each.price, each.quantity) for each in only(outcomes, Traded)]


def finals(outcomes: list[Outcome], order: Order) -> list[Outcome]:
    return [each for each in outcomes if isinstance(each, FINAL) and each.order_id == order.id]


def reasons(outcomes: list[Outcome]) -> list[Reason]:
    return [each.reason for each in outcomes if isinstance(each, Cancelled | Rejected | Refused)]
