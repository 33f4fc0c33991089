"""Steps of a history. They name orders by numbers and prices by units: any part of a history can be repeated."""

from typing import TypeAlias
from uuid import UUID

import msgspec

from app.domains.trading.exchange.model import OrderType, TimeInForce
from app.domains.trading.quantities.model import Side

BASES = {"BTC": 100 * 10**12, "ETH": 2_345_678 * 10**9, "DOGE": 123_456_789}
"""The tokens, and about what they cost: whole dollars, with odd decimals, and a small part of a cent."""
RATE = 3 * 10**12 // 2
"""About how many Australian dollars a dollar costs."""


class Exits(msgspec.Struct, frozen=True):
    """The prices of a bracket's take profit and stop loss."""

    take_profit: int
    stop: int
    limit: int | None = None


class PlaceOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order. Its exits have the next two numbers."""

    number: int
    portfolio: int
    symbol: str
    side: Side
    type: OrderType
    time_in_force: TimeInForce = TimeInForce.GOOD_TILL_CANCELLED
    quantity: int | None = None
    amount: int | None = None
    price: int | None = None
    stop_price: int | None = None
    trail_amount: int | None = None
    trail_fraction: int | None = None
    is_post_only: bool = False
    lives_ms: int | None = None
    exits: Exits | None = None


class Cancel(msgspec.Struct, frozen=True):
    """An order is cancelled by its user."""

    number: int


class Replace(msgspec.Struct, frozen=True, kw_only=True):
    """An order is changed by its user."""

    number: int
    quantity: int | None = None
    price: int | None = None
    stop_price: int | None = None
    trail_amount: int | None = None
    trail_fraction: int | None = None


class Tick(msgspec.Struct, frozen=True):
    """Prices in both dollars, by symbol, and the volume of a day."""

    prices: dict[str, tuple[int, int]]
    volume: int
    volatility: int


class Halt(msgspec.Struct, frozen=True):
    """Trading stops."""

    symbol: str | None


class Resume(msgspec.Struct, frozen=True):
    """Trading goes on."""

    symbol: str | None


class Delist(msgspec.Struct, frozen=True):
    """A token is no longer traded."""

    symbol: str


class Transfer(msgspec.Struct, frozen=True):
    """Cash comes, or goes if the amount is negative."""

    portfolio: int
    amount: int


class Close(msgspec.Struct, frozen=True):
    """A portfolio is reset, or deleted and followed by another."""

    portfolio: int
    deletes: bool


class Restart(msgspec.Struct, frozen=True):
    """The books are rebuilt from what is stored."""


class Pause(msgspec.Struct, frozen=True):
    """Time passes."""


Action: TypeAlias = PlaceOrder | Cancel | Replace | Tick | Halt | Resume | Delist | Transfer | Close | Restart | Pause


class Step(msgspec.Struct, frozen=True):
    """Something happens after a time. What is not matched yet is matched with the next step that is."""

    action: Action
    after_ms: int = 0
    is_matched: bool = True


class Broken(Exception):
    """What must always hold does not."""

    def __init__(self, law: str, **found: object) -> None:
        super().__init__(f"{law}: " + ", ".join(f"{name} {value}" for name, value in found.items()))
        self.law = law


def id_of(number: int) -> UUID:
    """The ID of an order."""
    return UUID(int=number)
