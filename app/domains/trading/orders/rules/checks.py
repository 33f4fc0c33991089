"""Whether an order, a bracket or a change fits together. Nothing here depends on a portfolio or a price."""

import re
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Final

from msgspec import UNSET

from app.domains.trading.exchange.model import OrderType, TimeInForce
from app.domains.trading.exchange.rules.rounding import is_on_tick
from app.domains.trading.orders.model import PRICE_LIMIT, QUANTITY_LIMIT, NewBracket, NewOrder, OrderChanges
from app.domains.trading.quantities.model import Side
from app.domains.trading.quantities.rules import PRICE_SCALE, units_of
from app.kit.errors import Faults

QUANTITY_STEP: Final = Decimal("0.00000001")
PRICE_STEP: Final = Decimal("0.000000000001")
MAX_CLIENT_ID_CHARS: Final = 64

_PRICED: Final = {
    OrderType.MARKET: frozenset[str](),
    OrderType.LIMIT: frozenset({"price"}),
    OrderType.STOP: frozenset({"stop_price"}),
    OrderType.STOP_LIMIT: frozenset({"price", "stop_price"}),
    OrderType.TRAILING_STOP: frozenset({"trail_amount", "trail_fraction"}),
}
"""The prices that each type has; a trailing stop has one of the two."""
_PRICES: Final = ("price", "stop_price", "trail_amount", "trail_fraction")
_AT_ONCE: Final = (TimeInForce.IMMEDIATE_OR_CANCEL, TimeInForce.FILL_OR_KILL)
_CLIENT_ID: Final = re.compile(rf"[!-~]{{1,{MAX_CLIENT_ID_CHARS}}}")


def check(order: NewOrder, now: datetime) -> NewOrder:
    """Returns the order if its fields fit each other. Raises InvalidInput, which names all that do not."""
    with Faults() as faults:
        _check_size(faults, order)
        _check_prices(faults, order)
        _check_time(faults, order, now)
        if order.post_only and order.type is not OrderType.LIMIT:
            faults.add("post_only", "Only a limit order can be post-only.")
        if order.reduce_only and order.side is Side.BUY:
            faults.add("reduce_only", "Only a sale reduces a position: there is no short selling.")
        if order.client_order_id is not None and not _CLIENT_ID.fullmatch(order.client_order_id):
            faults.add(
                "client_order_id",
                f"A client order ID has 1 to {MAX_CLIENT_ID_CHARS} letters, digits and signs of ASCII, without spaces.",
            )
    return order


def check_bracket(new: NewBracket, now: datetime) -> NewBracket:
    """Returns the bracket if it fits together. Raises InvalidInput, which names all that does not."""
    with Faults() as faults:
        with faults.at("entry"):
            check(new.entry, now)
        if new.entry.side is not Side.BUY:
            faults.add(("entry", "side"), "The entry of a bracket buys: there is no short selling.")
        if new.entry.quote_amount is not None:
            faults.add(("entry", "quote_amount"), "The entry of a bracket has a quantity, which its exits sell.")
        for name in ("take_profit_price", "stop_loss_stop_price", "stop_loss_price"):
            value = getattr(new, name)
            if value is not None:
                _check_price(faults, name, value, on_tick=True)
        if not faults:
            _check_order_of_prices(faults, new)
    return new


def check_changes(changes: OrderChanges, kind: OrderType, trail: str | None) -> OrderChanges:
    """Returns the changes if an order of this type, with this trail, can have them. Raises InvalidInput."""
    with Faults() as faults:
        for name in _PRICES:
            is_had = name in _PRICED[kind] and (kind is not OrderType.TRAILING_STOP or name == trail)
            if getattr(changes, name) is not UNSET and not is_had:
                faults.add(name, "This order has no such value.")
        faults.check(check_values, changes)
    return changes


def check_values(changes: OrderChanges) -> OrderChanges:
    """Returns the changes if some order can have them. Raises InvalidInput."""
    with Faults() as faults:
        changes.check(faults)
        if changes.quantity is not UNSET:
            _check_number(faults, "quantity", changes.quantity, QUANTITY_LIMIT, QUANTITY_STEP)
        for name in _PRICES:
            if getattr(changes, name) is not UNSET:
                _check_given(faults, name, getattr(changes, name))
    return changes


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
    for name in _PRICES:
        value = getattr(order, name)
        if value is not None and name not in wanted:
            faults.add(name, f"An order of the type {order.type.name} has no such value.")
        elif value is not None:
            _check_given(faults, name, value)
        elif name in wanted and order.type is not OrderType.TRAILING_STOP:
            faults.add(name, f"An order of the type {order.type.name} needs it.")
    if order.type is OrderType.TRAILING_STOP and (order.trail_amount is None) == (order.trail_fraction is None):
        faults.add("trail_amount", "A trailing stop needs either a trail amount or a trail fraction.")


def _check_given(faults: Faults, name: str, value: Decimal) -> None:
    if name != "trail_fraction":
        _check_price(faults, name, value, on_tick=name != "trail_amount")
    elif not value.is_finite() or not 0 < value < 1 or value % QUANTITY_STEP:
        faults.add(name, "The fraction must be more than 0 and less than 1, with at most 8 decimals.")


def _check_time(faults: Faults, order: NewOrder, now: datetime) -> None:
    if (order.expires_at is not None) != (order.time_in_force is TimeInForce.GOOD_TILL_DATE):
        faults.add("expires_at", "An order has an expiry exactly if it is good till a date.")
    elif order.expires_at is not None and order.expires_at <= now:
        faults.add("expires_at", "An order expires in the future.")
    if order.post_only and order.time_in_force in _AT_ONCE:
        faults.add("post_only", "A post-only order rests: it cannot be filled at once or cancelled.")


def _check_order_of_prices(faults: Faults, new: NewBracket) -> None:
    """The take profit is above what the entry pays, the stop loss below it."""
    prices: Iterable[Decimal | None] = (new.entry.price, new.entry.stop_price)
    known = [price for price in prices if price is not None]
    if new.take_profit_price <= max([new.stop_loss_stop_price, *known]):
        faults.add("take_profit_price", "The take profit is above the prices of the entry and of the stop loss.")
    if new.stop_loss_stop_price >= min([new.take_profit_price, *known]):
        faults.add("stop_loss_stop_price", "The stop loss is below the prices of the entry and of the take profit.")


def _check_price(faults: Faults, name: str, value: Decimal, *, on_tick: bool) -> None:
    fits = _check_number(faults, name, value, PRICE_LIMIT, PRICE_STEP)
    if fits and on_tick and not is_on_tick(units_of(value, PRICE_SCALE)):
        faults.add(name, "A price has at most five significant digits.")


def _check_number(faults: Faults, name: str, value: Decimal, limit: Decimal, step: Decimal) -> bool:
    if not value.is_finite() or not 0 < value < limit:
        faults.add(name, f"It must be more than 0 and less than {limit:,f}.")
        return False
    if value % step:
        faults.add(name, f"It can have at most {-step.normalize().as_tuple().exponent} decimals.")  # type: ignore[operator]
        return False
    return True
