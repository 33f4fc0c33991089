"""Which orders a book takes on."""

from app.domains.trading.exchange.model import Order, OrderType, Reason, TimeInForce
from app.domains.trading.exchange.rules.rounding import MAX_PRICE, MAX_UNITS, MIN_NOTIONAL, is_dust, is_on_tick
from app.domains.trading.quantities.model import Side
from app.domains.trading.quantities.rules import COIN, PRICE_SCALE

_LIMITED = (OrderType.LIMIT, OrderType.STOP_LIMIT)
_STOPPED = (OrderType.STOP, OrderType.STOP_LIMIT)
_AT_ONCE = (TimeInForce.IMMEDIATE_OR_CANCEL, TimeInForce.FILL_OR_KILL)


def refusal(order: Order, price: int, now: int) -> Reason | None:
    """Why an order is not taken on at this price; None if it is."""
    return _shape(order) or _prices(order) or _size(order, price) or _time(order, now)


def quantity_taken_on(order: Order) -> int:
    """The units that an order may fill: no more than a reduce-only order may reduce."""
    quantity = MAX_UNITS if order.quantity is None else order.quantity
    return quantity if order.bound is None else min(quantity, order.bound)


def _shape(order: Order) -> Reason | None:
    kind = order.type
    fits = (
        (order.price is not None) is (kind in _LIMITED)
        and (order.stop_price is not None) is (kind in _STOPPED)
        and (order.trail_amount is not None or order.trail_fraction is not None) is (kind is OrderType.TRAILING_STOP)
        and (order.trail_amount is None or order.trail_fraction is None)
        and (order.quantity is None) is not (order.amount is None)
        and (order.amount is None or kind is OrderType.MARKET)
        # What was reserved for a buy without a limit is reserved at its protection price.
        and (order.price is not None or order.side is Side.SELL or order.protection_price is not None)
        and not (order.is_post_only and (kind is not OrderType.LIMIT or order.time_in_force in _AT_ONCE))
        and (order.expires_at is not None) is (order.time_in_force is TimeInForce.GOOD_TILL_DATE)
        and not (order.sells_all and order.side is Side.BUY)
    )
    return None if fits else Reason.INVALID


def _prices(order: Order) -> Reason | None:
    for price in (order.price, order.stop_price, order.trail_amount, order.protection_price):
        if price is not None and price <= 0:
            return Reason.INVALID
        if price is not None and price >= MAX_PRICE:
            return Reason.TOO_LARGE
    if order.trail_fraction is not None and not 0 < order.trail_fraction < COIN:
        return Reason.INVALID
    for price in (order.price, order.stop_price):
        if price is not None and not is_on_tick(price):
            return Reason.TICK
    return None


def _size(order: Order, price: int) -> Reason | None:
    if order.bound is not None and order.bound <= 0:
        return Reason.REDUCE_ONLY
    if order.amount is not None:
        if order.amount <= 0:
            return Reason.INVALID
        if order.amount < MIN_NOTIONAL:
            return Reason.TOO_SMALL
        return Reason.TOO_LARGE if order.amount >= MAX_UNITS else None
    quantity = order.quantity or 0
    if quantity <= 0:
        return Reason.INVALID
    worth_at = order.price or order.stop_price or price
    dearest = max(worth_at, order.protection_price or 0)
    if quantity >= MAX_UNITS or quantity * dearest >= MAX_UNITS * PRICE_SCALE:
        return Reason.TOO_LARGE
    return Reason.TOO_SMALL if is_dust(quantity, worth_at) and not order.sells_all else None


def _time(order: Order, now: int) -> Reason | None:
    return Reason.EXPIRED if order.expires_at is not None and order.expires_at <= now else None
