"""What a replacement changes of an open order, and what has to be reserved until it is decided. Pure."""

from typing import Any, Final

import msgspec
from msgspec import UNSET

from app.domains.trading.exchange.model import Order, OrderType, Reason, TimeInForce
from app.domains.trading.orders.model import OPEN, BracketRole, OrderChanges, OrderNotOpen, OrderRefused
from app.domains.trading.orders.rules.placing import protection_price
from app.domains.trading.orders.rules.reservation import extra_for_change
from app.domains.trading.orders.rules.terms import OrderToChange
from app.domains.trading.quantities.model import Side
from app.domains.trading.quantities.rules import COIN, PRICE_SCALE, decimal_of, ms_of, units_of

_SCALES: Final = {
    "quantity": COIN,
    "price": PRICE_SCALE,
    "stop_price": PRICE_SCALE,
    "trail_amount": PRICE_SCALE,
    "trail_fraction": COIN,
}
_EXITS: Final = (BracketRole.TAKE_PROFIT, BracketRole.STOP_LOSS)


class Change(msgspec.Struct, frozen=True):
    """An order as it would be, the changes for the exchange, and how many units it may need in addition."""

    order: Order
    changes: dict[str, str]
    extra: int


def check_changeable(found: OrderToChange, changes: OrderChanges) -> None:
    """Raises OrderNotOpen, OrderRefused."""
    if found.status not in OPEN:
        raise OrderNotOpen
    if found.quote_amount is not None:
        raise OrderRefused(Reason.INVALID, "An order by its quote amount cannot be changed.")
    if found.bracket_role in _EXITS:
        if not found.is_placed:
            raise OrderRefused(Reason.LINKED, "The order is placed once the entry of its bracket has been filled.")
        if changes.quantity is not UNSET:
            raise OrderRefused(Reason.LINKED, "The exits of a bracket have one quantity: what its entry has filled.")
    if found.bot_id is not None and changes.quantity is not UNSET:
        # What it does not sell of an entry nobody protects, and what it sells beyond is another's.
        raise OrderRefused(Reason.LINKED, "A bot sells what it has bought: the quantity of its orders is not changed.")
    if found.is_triggered and changes.stop_price is not UNSET:
        raise OrderRefused(Reason.INVALID, "The stop price was reached before.")
    if found.is_changing:
        # What two changes need together would depend on which of them the exchange accepts.
        raise OrderRefused(Reason.INVALID, "An earlier change of this order is still to be decided. Try again shortly.")
    if changes.quantity is not UNSET and changes.quantity <= found.filled_quantity:
        raise OrderRefused(Reason.ALREADY_FILLED, f"{found.filled_quantity:f} have been filled already.")


def changed(found: OrderToChange, changes: OrderChanges, price: int) -> Change:
    """The order with these changes, which fit its type. `price` is the one in force."""
    before = _order(found)
    given: dict[str, Any] = {
        name: units_of(value, scale)
        for name, scale in _SCALES.items()
        if (value := getattr(changes, name)) is not UNSET
    }
    # Another quantity than all that there was has to be worth the minimum.
    sells_all = before.sells_all and changes.quantity is UNSET
    after = msgspec.structs.replace(before, **given, sells_all=sells_all)
    if after.protection_price is not None and given.keys() - {"quantity"}:
        after = msgspec.structs.replace(after, protection_price=protection_price(after, price))
    written = {name: f"{getattr(changes, name):f}" for name in given}
    if after.protection_price != before.protection_price and after.protection_price is not None:
        written["protection_price"] = f"{decimal_of(after.protection_price, PRICE_SCALE):f}"
    return Change(after, written, _extra(found, before, after))


def _extra(found: OrderToChange, before: Order, after: Order) -> int:
    """What the changed order may need beyond what the unchanged one has, however much is filled in between."""
    fee = units_of(found.taker_fee_fraction)
    rate = None if found.reserve_rate is None else units_of(found.reserve_rate, PRICE_SCALE)
    filled = units_of(found.filled_quantity)
    if before.side is Side.SELL:
        return max(0, _whole(after) - _whole(before))
    return extra_for_change(
        left=_whole(before) - filled,
        worst_price=_worst(before),
        new_left=_whole(after) - filled,
        new_worst_price=_worst(after),
        taker_fee=fee,
        reserve_rate=rate,
    )


def _whole(order: Order) -> int:
    assert order.quantity is not None
    return order.quantity


def _worst(order: Order) -> int:
    worst = order.protection_price if order.price is None else order.price
    assert worst is not None
    return worst


def _order(found: OrderToChange) -> Order:
    def units(name: str, scale: int) -> int | None:
        value = getattr(found, name)
        return None if value is None else units_of(value, scale)

    return Order(
        id=found.id,
        owner=found.id,
        side=Side(found.side),
        type=OrderType(found.type),
        time_in_force=TimeInForce(found.time_in_force),
        quantity=units("quantity", COIN),
        price=units("price", PRICE_SCALE),
        stop_price=units("stop_price", PRICE_SCALE),
        trail_amount=units("trail_amount", PRICE_SCALE),
        trail_fraction=units("trail_fraction", COIN),
        protection_price=units("protection_price", PRICE_SCALE),
        expires_at=None if found.expires_at is None else ms_of(found.expires_at),
        is_post_only=found.post_only,
        sells_all=found.sells_all,
    )
