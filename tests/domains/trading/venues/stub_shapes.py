"""What the stub exchange answers: shapes of Binance's, errors, and no answer at all."""

import asyncio
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from aiohttp import web

PRICES: Final = {"BTC": Decimal(100), "ETH": Decimal(10), "BNB": Decimal(5)}
ERRORS: Final = {
    -1003: (429, "Too many requests."),
    -1021: (400, "Timestamp for this request is outside of the recvWindow."),
    -1022: (400, "Signature for this request is not valid."),
    -1121: (400, "Invalid symbol."),
    -2010: (400, "Account has insufficient balance for requested action."),
    -2011: (400, "Unknown order sent."),
    -2013: (400, "Order does not exist."),
    -2015: (401, "Invalid API-key, IP, or permissions for action."),
}


class Refused(Exception):
    """What the exchange answers instead."""

    def __init__(self, code: int) -> None:
        self.code = code


@dataclass
class StubOrder:
    """An order as the exchange has it."""

    id: int
    client_id: str
    asset: str
    side: str
    type: str
    time_in_force: str
    quantity: Decimal
    price: Decimal
    stop_price: Decimal
    at: int
    filled: Decimal = Decimal(0)
    quote: Decimal = Decimal(0)
    status: str = "NEW"
    is_triggered: bool = True

    @property
    def is_open(self) -> bool:
        return self.status in ("NEW", "PARTIALLY_FILLED")

    @property
    def left(self) -> Decimal:
        return self.quantity - self.filled


def asset_of(symbol: str) -> str:
    asset = symbol.removesuffix("USDT")
    if asset not in PRICES:
        raise Refused(-1121)
    return asset


def shape_of(order: StubOrder) -> dict[str, Any]:
    return {
        "symbol": f"{order.asset}USDT",
        "orderId": order.id,
        "orderListId": -1,
        "clientOrderId": order.client_id,
        "price": f"{order.price:f}",
        "origQty": f"{order.quantity:f}",
        "executedQty": f"{order.filled:f}",
        # As of old orders: then there is no average price.
        "cummulativeQuoteQty": "-1" if order.id % 3 == 0 else f"{order.quote:f}",
        "status": order.status,
        "timeInForce": order.time_in_force,
        "type": order.type,
        "side": order.side,
        "stopPrice": f"{order.stop_price:f}",
        "time": order.at,
        "updateTime": order.at,
        "isWorking": order.is_triggered,
    }


def market_of(asset: str) -> dict[str, Any]:
    return {
        "symbol": f"{asset}USDT",
        "status": "TRADING",
        "baseAsset": asset,
        "baseAssetPrecision": 8,
        "quoteAsset": "USDT",
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS", "STOP_LOSS_LIMIT"],
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000", "tickSize": "0.01"},
            {"filterType": "LOT_SIZE", "minQty": "0.00001", "maxQty": "9000", "stepSize": "0.00001"},
            {"filterType": "NOTIONAL", "minNotional": "1.0"},
        ],
        "permissions": ["SPOT"],
        "permissionSets": [["SPOT"]],
    }


def cut(request: web.Request) -> web.Response:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def silence(request: web.Request) -> web.Response:
    """No answer: the client gives up."""
    await asyncio.Event().wait()
    return web.Response()
