"""What an order is to an exchange. Pure."""

from decimal import Decimal
from typing import Final

from app.domains.trading.exchange.model import OrderType, TimeInForce
from app.domains.trading.quantities.model import Side
from app.domains.trading.venues.model import DueOrder, OrderRequest

_TIMES: Final = {
    TimeInForce.GOOD_TILL_CANCELLED: "GTC",
    TimeInForce.IMMEDIATE_OR_CANCEL: "IOC",
    TimeInForce.FILL_OR_KILL: "FOK",
}


def request_of(due: DueOrder, protection_price: Decimal | None) -> OrderRequest:
    """What is sent. A purchase without a limit is sent as one with its protection price: it never pays more, whatever
    the exchange quotes.

    `protection_price` is that of such a purchase, as the exchange counts prices.
    """
    type, params = OrderType(due.type), dict[str, object]()
    price = due.price if type in (OrderType.LIMIT, OrderType.STOP_LIMIT) else protection_price
    if type is OrderType.MARKET and price is not None:
        params["timeInForce"] = _TIMES[TimeInForce.IMMEDIATE_OR_CANCEL]
    elif type in (OrderType.LIMIT, OrderType.STOP_LIMIT) and not due.post_only:
        params["timeInForce"] = _TIMES[TimeInForce(due.time_in_force)]
    if due.post_only:
        params["postOnly"] = True
    if due.stop_price is not None:
        params["triggerPrice"] = f"{due.stop_price:f}"
    return OrderRequest(
        client_id=client_id_of(due),
        market=due.market,
        type="market" if price is None else "limit",
        side=Side(due.side),
        quantity=due.quantity,
        price=price,
        params=params,
    )


def client_id_of(due: DueOrder) -> str:
    """Our ID of it, in 32 letters and digits: all that every exchange takes."""
    return due.id.hex


def needs_protection(due: DueOrder) -> bool:
    """Whether its price is a protection price."""
    return due.price is not None and OrderType(due.type) in (OrderType.MARKET, OrderType.STOP)


def is_never_open_for_long(due: DueOrder) -> bool:
    """Whether the exchange itself ends what is not filled at once."""
    return due.type == OrderType.MARKET or due.time_in_force != TimeInForce.GOOD_TILL_CANCELLED
