"""An exchange over HTTP with the shapes of Binance's, which fails as exchanges do: by chance, from a seed."""

import asyncio
import hashlib
import hmac
import random
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final
from urllib.parse import parse_qsl

from aiohttp import web

from app.domains.trading.quantities.rules import ms_of
from tests.domains.trading.venues.stub_shapes import (
    ERRORS,
    PRICES,
    Refused,
    StubOrder,
    asset_of,
    cut,
    market_of,
    shape_of,
    silence,
)

KEY: Final = "stub-key"
SECRET: Final = "stub-secret"
FEE: Final = Decimal("0.001")
WINDOW_MS: Final = 10_000
UNIT: Final = Decimal("0.00000001")
FAULTS: Final = (
    "cut before",
    "cut after",
    "silence before",
    "silence after",
    "429",
    "500",
    "503 after",
    "nonsense after",
)


@dataclass
class StubExchange:
    """The exchange. `chance` is how often a request fails; `fills` how often an open order is filled at a request."""

    seed: int = 1
    chance: float = 0.0
    fills: float = 0.0
    skew_ms: int = 0
    may_withdraw: bool = False
    faults: tuple[str, ...] = FAULTS
    balances: dict[str, Decimal] = field(default_factory=lambda: {"USDT": Decimal(10_000), "BNB": Decimal(50)})
    locked: defaultdict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    orders: dict[int, StubOrder] = field(default_factory=dict)
    trades: list[dict[str, Any]] = field(default_factory=list)
    received: Counter[str] = field(default_factory=Counter)
    """How often an order was sent under an ID, whatever came of it, unless it may be sent again."""
    taken: Counter[str] = field(default_factory=Counter)
    """How often one was taken on under an ID."""
    calls: Counter[str] = field(default_factory=Counter)
    faulty: int = 0
    """How many requests have failed by chance."""
    failing: dict[str, list[str]] = field(default_factory=dict)
    """By method and path, how the next requests fail: before what chance says."""
    retry_after: str | None = None
    """How long it asks to be left alone, where it is busy."""
    answers: asyncio.Event = field(default_factory=asyncio.Event)
    """Set: what is answered late is answered now."""
    cancels_refused: bool = False
    refuses_keys: bool = False
    is_down: bool = False
    late_trades: bool = False
    """Whether trades are listed by their market only after they were asked for once."""
    stamp: Callable[[], int] | None = None
    """The time of orders and trades, in milliseconds. Null: that of the machine, by which requests are judged."""
    _asked: set[int] = field(default_factory=set)
    """The trades of markets that were asked for once."""
    address: str = ""

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._ids = 1000

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["StubExchange"]:
        """Serves on a port of loopback."""
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._handle)
        runner = web.AppRunner(application, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            await runner.cleanup()

    def reset(self) -> None:
        """As it was, at the same address."""
        fresh = StubExchange(self.seed)
        vars(self).update({name: value for name, value in vars(fresh).items() if name != "address"})

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        call = f"{request.method} /{request.match_info['path']}"
        self.calls[call] += 1
        body = (await request.read()).decode() if request.method == "POST" else request.query_string
        fault = self._fault(call)
        if call == "POST /api/v3/order" and fault != "429":
            self.received[dict(parse_qsl(body))["newClientOrderId"]] += 1
        if fault == "cut before" or self.is_down:
            return cut(request)
        if fault == "silence before":
            return await silence(request)
        if fault == "429":
            headers = {} if self.retry_after is None else {"Retry-After": self.retry_after}
            return web.json_response({"code": -1003, "msg": ERRORS[-1003][1]}, status=429, headers=headers)
        if fault == "500":
            return web.json_response({"code": -1001, "msg": "Internal error."}, status=500)
        try:
            answer, status = self._answer(call, body, request.headers.get("X-MBX-APIKEY")), 200
        except Refused as refused:
            status, message = ERRORS[refused.code]
            answer = {"code": refused.code, "msg": message}
        if fault == "cut after":
            return cut(request)
        if fault == "duplicate after":
            return web.json_response({"code": -2010, "msg": "Duplicate order sent."}, status=400)
        if fault == "late after":
            await self.answers.wait()
        if fault == "silence after":
            return await silence(request)
        if fault == "503 after":
            unknown = "Unknown error, please check your request or try again later."
            return web.json_response({"code": -1000, "msg": unknown}, status=503)
        if fault == "nonsense after":
            return web.Response(text="<html>Bad gateway</html>", status=502)
        return web.json_response(answer, status=status)

    def _fault(self, call: str) -> str | None:
        if self.failing.get(call):
            return self.failing[call].pop(0)
        public = call.endswith(("exchangeInfo", "time"))
        if public or self._random.random() >= self.chance:
            return None
        self.faulty += 1
        return self._random.choice(self.faults)

    def now(self) -> int:
        return ms_of(datetime.now(UTC)) + self.skew_ms

    def _answer(self, call: str, body: str, key: str | None) -> Any:
        if call == "GET /api/v3/exchangeInfo":
            return {"symbols": [market_of(asset) for asset in PRICES]}
        if call == "GET /api/v3/time":
            return {"serverTime": self.now()}
        given = self._authenticated(body, key)
        self.move()
        match call:
            case "GET /api/v3/account":
                return self._account()
            case "GET /sapi/v1/account/apiRestrictions":
                return {"ipRestrict": False, "enableReading": True, "enableWithdrawals": self.may_withdraw}
            case "POST /api/v3/order":
                return self._place(given)
            case "GET /api/v3/order":
                return shape_of(self._find(given, -2013))
            case "DELETE /api/v3/order":
                return self._cancel(given)
            case "GET /api/v3/openOrders":
                asset = asset_of(given["symbol"]) if "symbol" in given else None
                found = (each for each in self.orders.values() if each.is_open)
                return [shape_of(each) for each in found if asset is None or each.asset == asset]
            case "GET /api/v3/myTrades":
                return self._my_trades(given)
        raise AssertionError(f"not asked by ccxt: {call}")

    def _authenticated(self, body: str, key: str | None) -> dict[str, str]:
        signed, _, signature = body.rpartition("&signature=")
        if key != KEY or self.refuses_keys:
            raise Refused(-2015)
        if not hmac.compare_digest(hmac.new(SECRET.encode(), signed.encode(), hashlib.sha256).hexdigest(), signature):
            raise Refused(-1022)
        given = dict(parse_qsl(signed, keep_blank_values=True))
        if abs(self.now() - int(given["timestamp"])) > WINDOW_MS:
            # It is not done, and may be sent again.
            if "newClientOrderId" in given:
                self.received[given["newClientOrderId"]] -= 1
            raise Refused(-1021)
        return given

    def _account(self) -> dict[str, Any]:
        assets = sorted({*self.balances, *self.locked})
        return {
            "canTrade": True,
            "canWithdraw": True,
            "updateTime": self.now(),
            "accountType": "SPOT",
            "balances": [
                {
                    "asset": asset,
                    "free": f"{self.balances.get(asset, Decimal(0)) - self.locked[asset]:f}",
                    "locked": f"{self.locked[asset]:f}",
                }
                for asset in assets
            ],
        }

    def _place(self, given: Mapping[str, str]) -> dict[str, Any]:
        client_id, asset = given["newClientOrderId"], asset_of(given["symbol"])
        price = Decimal(given.get("price", "0"))
        order = StubOrder(
            id=self._next(),
            client_id=client_id,
            asset=asset,
            side=given["side"],
            type=given["type"],
            time_in_force=given.get("timeInForce", "GTC"),
            quantity=Decimal(given["quantity"]),
            price=price,
            stop_price=Decimal(given.get("stopPrice", "0")),
            at=self._stamp(),
            is_triggered="stopPrice" not in given,
        )
        paid, amount = self._needs(order)
        if self.balances.get(paid, Decimal(0)) - self.locked[paid] < amount:
            raise Refused(-2010)
        self.locked[paid] += amount
        self.orders[order.id] = order
        self.taken[client_id] += 1
        if order.type == "MARKET":
            self.fill(order, order.left)
        elif order.is_triggered and order.time_in_force in ("IOC", "FOK"):
            part = self._random.choice((Decimal(1), Decimal("0.5"), Decimal(0)))
            part = Decimal(1) if self.fills == 0 or (order.time_in_force == "FOK" and part) else part
            if part:
                self.fill(order, (order.left * part).quantize(Decimal("0.00001")))
            if order.is_open:
                self._end(order, "EXPIRED")
        elif self._random.random() < self.fills:
            # Before the reply.
            self.fill(order, self._part(order))
        return {**shape_of(order), "transactTime": order.at, "fills": []}

    def _needs(self, order: StubOrder) -> tuple[str, Decimal]:
        """What an order locks."""
        if order.side == "SELL":
            return order.asset, order.left
        price = order.price or PRICES[order.asset]
        return "USDT", (order.left * price).quantize(UNIT)

    def _find(self, given: Mapping[str, str], code: int) -> StubOrder:
        for each in self.orders.values():
            if str(each.id) == given.get("orderId") or each.client_id == given.get("origClientOrderId"):
                return each
        raise Refused(code)

    def _cancel(self, given: Mapping[str, str]) -> dict[str, Any]:
        order = self._find(given, -2011)
        if not order.is_open:
            raise Refused(-2011)
        if self.cancels_refused:
            raise Refused(-1121)
        self._end(order, "CANCELED")
        return shape_of(order)

    def _end(self, order: StubOrder, status: str) -> None:
        paid, amount = self._needs(order)
        self.locked[paid] -= amount
        order.status = status

    def _my_trades(self, given: Mapping[str, str]) -> list[dict[str, Any]]:
        symbol, since = given["symbol"], int(given.get("startTime", 0))
        found = [each for each in self.trades if each["symbol"] == symbol]
        if "orderId" in given:
            return [each for each in found if str(each["orderId"]) == given["orderId"]]
        found = [each for each in found if each["time"] >= since]
        if self.late_trades:
            late = {each["id"] for each in found} - self._asked
            self._asked |= late
            found = [each for each in found if each["id"] not in late]
        return found[: int(given.get("limit", 500))]

    def move(self) -> None:
        """Others trade: some open orders are filled, or a part of them."""
        if not self.fills:
            return
        opened = [each for each in self.orders.values() if each.is_open and each.is_triggered]
        for order in opened:
            if self._random.random() < self.fills / 2:
                self.fill(order, self._part(order))

    def vanish(self, order: StubOrder) -> None:
        """The exchange forgets an order. What was traded stays."""
        self._end(order, "CANCELED")
        del self.orders[order.id]

    def _part(self, order: StubOrder) -> Decimal:
        part = self._random.choice((Decimal(1), Decimal("0.5"), Decimal("0.25")))
        quantity = (order.left * part).quantize(Decimal("0.00001"))
        return quantity or order.left

    def fill(self, order: StubOrder, quantity: Decimal, fee_asset: str | None = None) -> None:
        """A trade. The fee is taken from what was received, or from BNB."""
        paid, before = self._needs(order)
        price = order.price or PRICES[order.asset]
        cost = (quantity * price).quantize(UNIT)
        order.filled += quantity
        order.quote += cost
        order.status = "PARTIALLY_FILLED" if order.left else "FILLED"
        self.locked[paid] -= before - self._needs(order)[1]
        sign = 1 if order.side == "BUY" else -1
        self._add(order.asset, sign * quantity)
        self._add("USDT", -sign * cost)
        received, amount = (order.asset, quantity) if order.side == "BUY" else ("USDT", cost)
        asset = fee_asset or self._random.choice((received, received, "BNB"))
        fee = (amount * FEE).quantize(UNIT) if asset == received else (cost * FEE / PRICES["BNB"]).quantize(UNIT)
        self._add(asset, -fee)
        self.trades.append(
            {
                "symbol": f"{order.asset}USDT",
                "id": self._next(),
                "orderId": order.id,
                "price": f"{price:f}",
                "qty": f"{quantity:f}",
                "quoteQty": f"{cost:f}",
                "commission": f"{fee:f}",
                "commissionAsset": asset,
                "time": self._stamp(),
                "isBuyer": order.side == "BUY",
                "isMaker": order.type == "LIMIT",
                "isBestMatch": True,
            }
        )

    def _add(self, asset: str, amount: Decimal) -> None:
        self.balances[asset] = self.balances.get(asset, Decimal(0)) + amount

    def _stamp(self) -> int:
        return self.now() if self.stamp is None else self.stamp()

    def _next(self) -> int:
        self._ids += 1
        return self._ids
