"""Rounding. A product is rounded against the party that would gain: it pays up and receives down."""

from typing import Final

from app.domains.trading.quantities.model import Side
from app.domains.trading.quantities.rules import COIN, PRICE_SCALE

MIN_NOTIONAL: Final = 1 * COIN
MAX_UNITS: Final = 10**20
"""Quantities and amounts are less than this; the columns hold no more."""
MAX_PRICE: Final = 10**24
_TICK_DIGITS: Final = 5
_TICKS: Final = tuple(int(10 ** max(0, digits - _TICK_DIGITS)) for digits in range(100))
"""By the number of digits."""


def paid(quantity: int, price: int) -> int:
    """The dollars that a buyer pays."""
    return -(-quantity * price // PRICE_SCALE)


def received(quantity: int, price: int) -> int:
    """The dollars that a seller receives. What is less than the buyer paid belongs to the account `rounding`."""
    return quantity * price // PRICE_SCALE


def cost(side: Side, quantity: int, price: int) -> int:
    """The dollars of a trade for an order of this side."""
    return paid(quantity, price) if side is Side.BUY else received(quantity, price)


def affordable(amount: int, price: int) -> int:
    """The most units whose cost is within an amount, whichever side."""
    return amount * PRICE_SCALE // price


def converted_cost(dollars: int, rate: int) -> int:
    """What a portfolio of another currency pays for dollars, at `rate` of that currency for one dollar."""
    return -(-dollars * rate // PRICE_SCALE)


def converted_proceeds(dollars: int, rate: int) -> int:
    """What a portfolio of another currency receives for dollars."""
    return dollars * rate // PRICE_SCALE


def tick_at(price: int) -> int:
    """The step of prices of this magnitude: five significant digits."""
    return _TICKS[len(str(price))]


def is_on_tick(price: int) -> bool:
    """Whether a price has at most five significant digits."""
    return price % tick_at(price) == 0


def tick_below(price: int) -> int:
    """The highest price on a tick that is not above this one."""
    return price - price % tick_at(price)


def tick_above(price: int) -> int:
    """The lowest price on a tick that is not below this one."""
    return price + -price % tick_at(price)


HIGHEST_TICK: Final = tick_below(MAX_PRICE - 1)
"""The highest price that an order can have."""


def is_dust(quantity: int, price: int) -> bool:
    """Whether a quantity is worth less than the least order. What is left of a position may be sold all the same."""
    return quantity * price < MIN_NOTIONAL * PRICE_SCALE
