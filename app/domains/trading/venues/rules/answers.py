"""What exchanges answer, as ccxt gives it: what cannot be read is no answer. Pure."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from app.domains.trading.exchange.model import Liquidity
from app.domains.trading.exchanges.model import ExchangeName
from app.domains.trading.quantities.rules import moment_of
from app.domains.trading.venues.model import OutcomeUnknown, RemoteOrder, RemoteStatus, RemoteTrade


def order_of(given: Mapping[str, Any]) -> RemoteOrder:
    """An order. Raises OutcomeUnknown."""
    status, id = str(given.get("status")), given.get("id")
    if id is None or status not in RemoteStatus.__members__.values():
        raise OutcomeUnknown(f"status {status}")
    filled = decimal_in(given.get("filled"))
    quantity = decimal_in(given.get("amount"))
    if filled is None:
        raise OutcomeUnknown("nothing said of what is filled")
    client_id = given.get("clientOrderId")
    return RemoteOrder(
        str(id),
        None if client_id is None else str(client_id),
        str(given["symbol"]),
        RemoteStatus(status),
        quantity,
        filled,
    )


def trade_of(given: Mapping[str, Any]) -> RemoteTrade:
    """A trade. Raises OutcomeUnknown."""
    quantity, price, cost = (decimal_in(given.get(name)) for name in ("amount", "price", "cost"))
    if given.get("id") is None or not quantity or not price or given.get("timestamp") is None:
        raise OutcomeUnknown("a trade without an ID, an amount, a price or a time")
    fee: Mapping[str, Any] = given.get("fee") or {}
    charged, asset = decimal_in(fee.get("cost")), fee.get("currency")
    order_id = given.get("order")
    return RemoteTrade(
        id=str(given["id"]),
        order_id=None if order_id is None else str(order_id),
        market=str(given["symbol"]),
        quantity=quantity,
        price=price,
        cost=quantity * price if cost is None else cost,
        fee_asset=None if asset is None or charged is None else str(asset),
        fee_quantity=None if asset is None else charged,
        liquidity=Liquidity.MAKER if given.get("takerOrMaker") == "maker" else Liquidity.TAKER,
        at=moment_of(int(given["timestamp"])),
    )


def decimal_in(value: Any) -> Decimal | None:
    """A number. Raises OutcomeUnknown."""
    try:
        number = None if value is None else Decimal(str(value))
    except InvalidOperation:
        raise OutcomeUnknown("not a number") from None
    if number is not None and not number.is_finite():
        raise OutcomeUnknown("not a number")
    return number


def may_withdraw(name: ExchangeName, answer: Any) -> bool:
    """Whether a key may withdraw, as an exchange says that says such a thing. Raises OutcomeUnknown."""
    match name, answer:
        case ExchangeName.BINANCE, {"enableWithdrawals": bool(may)}:
            return may
        case ExchangeName.BYBIT, {"result": {"permissions": {"Wallet": list(permissions)}}}:
            return any("withdraw" in str(each).lower() for each in permissions)
        case ExchangeName.COINBASE, {"can_transfer": bool(may)}:
            return may
        case ExchangeName.OKX, {"data": [{"perm": str(permissions)}, *_]}:
            return "withdraw" in permissions
        case _:
            raise OutcomeUnknown("nothing said of withdrawals")
