"""Which orders can be placed. Nothing here depends on a portfolio, a price or the time."""

from decimal import Decimal
from typing import Final

from app.domains.trading.exchange.model import OrderType, TimeInForce
from app.domains.trading.orders.model import NewOrder
from app.kit.errors import Faults

QUANTITY_LIMIT: Final = Decimal(10) ** 12
QUANTITY_STEP: Final = Decimal("0.00000001")
PRICE_LIMIT: Final = Decimal(10) ** 12
PRICE_STEP: Final = Decimal("0.000000000001")

_PRICED: Final = {
    OrderType.MARKET: frozenset[str](),
    OrderType.LIMIT: frozenset({"price"}),
    OrderType.STOP: frozenset({"stop_price"}),
    OrderType.STOP_LIMIT: frozenset({"price", "stop_price"}),
    OrderType.TRAILING_STOP: frozenset({"trail_amount", "trail_fraction"}),
}
"""The prices that each type has; a trailing stop has one of the two."""


def check(order: NewOrder) -> NewOrder:
    """Returns the order if its fields fit each other. Raises InvalidInput, which names all that do not."""
    with Faults() as faults:
        _check_size(faults, order)
        _check_prices(faults, order)
        _check_time(faults, order)
        if order.post_only and order.type is not OrderType.LIMIT:
            faults.add("post_only", "Only a limit order can be post-only.")
    return order


def _check_size(faults: Faults, order: NewOrder) -> None:
    given = [name for name in ("quantity", "quote_amount") if getattr(order, name) is not None]
    if len(given) != 1:
        faults.add("quantity", "Give either a quantity or a quote amount.")
    for name in given:
        _check_number(faults, name, getattr(order, name), QUANTITY_LIMIT, QUANTITY_STEP)
    if order.quote_amount is not None and order.type is not OrderType.MARKET:
        faults.add("quote_amount", "Only a market order can be placed by its quote amount.")


def _check_prices(faults: Faults, order: NewOrder) -> None:
    wanted = _PRICED[order.type]
    for name in ("price", "stop_price", "trail_amount"):
        value = getattr(order, name)
        if value is not None and name in wanted:
            _check_number(faults, name, value, PRICE_LIMIT, PRICE_STEP)
    for name in ("price", "stop_price", "trail_amount", "trail_fraction"):
        value = getattr(order, name)
        if value is not None and name not in wanted:
            faults.add(name, f"An order of the type {order.type.name} has no such value.")
        elif value is None and name in wanted and order.type is not OrderType.TRAILING_STOP:
            faults.add(name, f"An order of the type {order.type.name} needs it.")
    if order.type is OrderType.TRAILING_STOP:
        if (order.trail_amount is None) == (order.trail_fraction is None):
            faults.add("trail_amount", "A trailing stop needs either a trail amount or a trail fraction.")
        if order.trail_fraction is not None and not _is_fraction(order.trail_fraction):
            faults.add("trail_fraction", "The fraction must be more than 0 and less than 1, with at most 8 decimals.")


def _check_time(faults: Faults, order: NewOrder) -> None:
    if (order.expires_at is not None) != (order.time_in_force is TimeInForce.GOOD_TILL_DATE):
        faults.add("expires_at", "An order has an expiry exactly if it is good till a date.")
    if order.post_only and order.time_in_force in (TimeInForce.IMMEDIATE_OR_CANCEL, TimeInForce.FILL_OR_KILL):
        faults.add("post_only", "A post-only order rests: it cannot be filled at once or cancelled.")


def _check_number(faults: Faults, name: str, value: Decimal, limit: Decimal, step: Decimal) -> None:
    if not value.is_finite() or not 0 < value < limit:
        faults.add(name, f"It must be greater than 0 and less than {limit:,f}.")
    elif value % step:
        faults.add(name, f"It can have {-step.normalize().as_tuple().exponent} decimals at most.")  # type: ignore[operator]


def _is_fraction(value: Decimal) -> bool:
    return value.is_finite() and 0 < value < 1 and not value % QUANTITY_STEP
