"""Speaking to an exchange, through ccxt: each call has an answer, or a reason that says whether it was done."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any, Final, TypeVar

import structlog

from app.domains.trading.exchanges.model import Exchange
from app.domains.trading.quantities.rules import decimal_of, ms_of
from app.domains.trading.venues.model import (
    MAX_PAUSE_ASKED_FOR,
    BadKey,
    Busy,
    NoSuchOrder,
    OrderRequest,
    OutcomeUnknown,
    RemoteOrder,
    RemoteStatus,
    RemoteTrade,
    Unsuitable,
    VenueError,
)
from app.domains.trading.venues.rules.answers import decimal_in, may_withdraw, order_of, trade_of
from app.kit.work import free_to_wait

T = TypeVar("T")

CALL_S: Final = 30.0
"""For a call: several requests perhaps, and the turns that they wait for."""
MAX_PAGES: Final = 20
MARKETS_MAX_AGE_S: Final = 3600.0
SEARCHED_BEFORE: Final = timedelta(minutes=5)
"""Orders are searched for from so long before they were sent: the exchange's clock is another."""
_UNSUITABLE: Final = (
    "InsufficientFunds",
    "InvalidOrder",
    "BadRequest",
    "NotSupported",
    "ArgumentsRequired",
    "OperationRejected",
)
_UNIT: Final = decimal_of(1)
_BUSY: Final = ("RateLimitExceeded", "DDoSProtection", "OnMaintenance")

_at_once: ContextVar[bool] = ContextVar("at_once", default=False)
"""Whether the request that is being made does not wait for its turn."""

log = structlog.get_logger(__name__)


class ExchangeClient:
    """One account at one exchange."""

    def __init__(self, exchange: Exchange, client: Any, errors: Any, markets: "Markets") -> None:
        self.exchange = exchange
        self._client = client
        self._errors = errors
        self._markets = markets
        self._is_ready = False
        self._wait = client.throttle
        client.throttle = self._throttle

    @property
    def is_ready(self) -> bool:
        """Whether `prepare` has been called."""
        return self._is_ready

    async def close(self) -> None:
        """Closes what is open."""
        await self._client.close()

    def doubt_key(self) -> None:
        """A key that worked and is refused has been revoked. Without this ccxt counts it as a pause of the exchange."""
        self._client.options["hasAlreadyAuthenticatedSuccessfully"] = False

    def is_exact(self, request: OrderRequest) -> bool:
        """Whether the exchange counts as finely as this request does; if not, it would be another order. `prepare` has
        been called.
        """
        try:
            # Trades are as fine as orders, and the books count in units.
            if Decimal(self._client.market(request.market)["precision"]["amount"]) < _UNIT:
                return False
            if self._precise("amount", request.market, request.quantity) != request.quantity:
                return False
            return all(
                price is None or self._precise("price", request.market, price) == price
                for price in (request.price, decimal_in(request.params.get("triggerPrice")))
            )
        except Exception:
            # ccxt raises for what is less than the smallest.
            return False

    def rounded_price(self, market: str, price: Decimal) -> Decimal:
        """A price as the exchange counts it. `prepare` has been called."""
        return self._precise("price", market, price)

    def has_market(self, market: str) -> bool:
        """Whether the exchange has this market. `prepare` has been called."""
        return market in self._client.markets

    async def prepare(self) -> None:
        """Reads the markets and the clock of the exchange, unless that was done. Raises VenueError."""
        if not self._is_ready:
            await self._call(self._load)
            self._is_ready = True

    async def turn(self) -> None:
        """Waits until the rate limit lets the next request go out at once: ccxt would hold it back otherwise, and at
        some exchanges by seconds. Raises VenueError.
        """
        await self._call(lambda: self._client.throttle(0))

    async def create(self, request: OrderRequest) -> RemoteOrder:
        """Sends an order. Raises OutcomeUnknown, Busy, Unsuitable, BadKey."""
        arguments = (request.market, request.type, request.side.value, _text(request.quantity), _text(request.price))
        given = {**request.params, self.exchange.client_id: request.client_id}
        try:
            made = await self._call(lambda: self._client.create_order(*arguments, given))
        except NoSuchOrder as error:
            raise OutcomeUnknown(error.kind) from None
        if made.get("id") is None:
            raise OutcomeUnknown("no ID")
        # Of what else is in the reply some exchanges say nothing.
        return RemoteOrder(str(made["id"]), request.client_id, request.market, RemoteStatus.OPEN, None, Decimal(0))

    async def cancel(self, id: str, market: str) -> None:
        """Cancels an order, whosever turn it is: at some exchanges the turns of what was read take seconds, and what
        they count a cancellation as is nothing or little. Raises VenueError; NoSuchOrder where it is not open any more.
        """
        token = _at_once.set(True)
        try:
            await self._call(lambda: self._client.cancel_order(id, market))
        finally:
            _at_once.reset(token)

    async def order(self, id: str, market: str) -> RemoteOrder:
        """An order. Raises VenueError."""
        return order_of(await self._call(lambda: self._client.fetch_order(id, market)))

    async def find(self, client_id: str, market: str, sent_at: datetime) -> RemoteOrder | None:
        """The order that was sent under our ID; None: the exchange has answered that it has none. Raises VenueError."""
        if self.exchange.lookup_id is not None:
            params = {self.exchange.lookup_id: client_id}
            try:
                found = await self._call(lambda: self._client.fetch_order(client_id, market, params))
            except NoSuchOrder:
                pass
            else:
                return order_of(found)
        for each in await self.open_orders(market):
            if each.client_id == client_id:
                return each
        if self.exchange.lookup_id is not None:
            return None
        name = "fetch_orders" if self._client.has.get("fetchOrders") is True else "fetch_closed_orders"
        orders = await self._pages(getattr(self._client, name), market, sent_at - SEARCHED_BEFORE)
        return next((order_of(each) for each in orders if each.get("clientOrderId") == client_id), None)

    async def open_orders(self, market: str | None = None) -> list[RemoteOrder]:
        """The open orders of a market, or of all. Raises VenueError."""
        found = await self._call(lambda: self._client.fetch_open_orders(market))
        return [order_of(each) for each in found]

    async def trades(self, market: str, since: datetime) -> list[RemoteTrade]:
        """The account's trades of a market since a moment. Raises VenueError."""
        found = await self._pages(self._client.fetch_my_trades, market, since)
        return [trade_of(each) for each in found]

    async def order_trades(self, id: str, market: str, since: datetime) -> list[RemoteTrade]:
        """The trades of an order, which was sent at this time. Raises VenueError."""
        if self._client.has.get("fetchOrderTrades") is True:
            found = await self._call(lambda: self._client.fetch_order_trades(id, market))
            return [trade_of(each) for each in found]
        return [each for each in await self.trades(market, since - SEARCHED_BEFORE) if each.order_id == id]

    async def balances(self) -> dict[str, Decimal]:
        """What the account holds of each asset, what orders have reserved included. Raises VenueError."""
        found = await self._call(self._client.fetch_balance)
        totals = {asset: decimal_in(amount) for asset, amount in found["total"].items()}
        return {asset: amount for asset, amount in totals.items() if amount}

    async def may_withdraw(self) -> bool | None:
        """Whether the key may withdraw; None: the exchange does not say. Raises VenueError."""
        if self.exchange.permissions is None:
            return None
        answer = await self._call(getattr(self._client, self.exchange.permissions))
        return may_withdraw(self.exchange.name, answer)

    async def _throttle(self, cost: float | None = None) -> None:
        if not _at_once.get():
            await self._wait(cost)

    async def _load(self) -> None:
        if self._client.has.get("fetchTime"):
            await self._client.load_time_difference()
        await self._markets.load(self.exchange.name, self._client)

    async def _pages(
        self, fetch: Callable[..., Awaitable[Sequence[dict[str, Any]]]], market: str, since: datetime
    ) -> list[dict[str, Any]]:
        """All of a list from a moment on, in whatever order. Raises VenueError, also where it has no end."""
        found, size = dict[str, dict[str, Any]](), self.exchange.page
        start_ms, params = ms_of(since), dict[str, int]()
        for _ in range(MAX_PAGES):
            page = await self._call(partial(fetch, market, start_ms, size, params))
            new = [each for each in page if str(each["id"]) not in found]
            found.update((str(each["id"]), each) for each in new)
            if len(page) < size:
                return list(found.values())
            if not new:
                break
            times = [int(each["timestamp"]) for each in page]
            if self.exchange.lists_newest_first:
                # Some exclude the end: what has the same time is read again.
                params = {"until": min(times) + 1}
            else:
                start_ms = max(times)
        raise OutcomeUnknown("pages without end")

    def _precise(self, what: str, market: str, value: Decimal) -> Decimal:
        return Decimal(getattr(self._client, f"{what}_to_precision")(market, f"{value:f}"))

    async def _call(self, call: Callable[[], Awaitable[T]]) -> T:
        free_to_wait("an exchange")
        try:
            async with asyncio.timeout(CALL_S):
                return await call()
        except VenueError:
            raise
        except TimeoutError:
            raise OutcomeUnknown("Timeout") from None
        except Exception as error:
            # Without its cause: its text has the address with the signature, and what the exchange answered.
            failure = self._failure(error)
            if _is_early_or_late(error):
                # The clock of the exchange is asked again.
                self._is_ready = False
        log.info("exchange.call_failed", exchange=self.exchange.name, kind=failure.kind, means=type(failure).__name__)
        raise failure

    def _failure(self, error: Exception) -> VenueError:
        kind, errors = type(error).__name__, self._errors
        if not isinstance(error, errors.BaseError):
            return OutcomeUnknown(kind)
        if isinstance(error, errors.OrderNotFound):
            return NoSuchOrder(kind)
        if isinstance(error, errors.AuthenticationError):
            return BadKey(kind)
        if kind in _BUSY or _is_early_or_late(error):
            return Busy(kind, self._pause_asked_for())
        # There is one under this ID already: perhaps ours.
        is_repeated = isinstance(error, errors.DuplicateOrderId) or "uplicate" in str(error)
        if not is_repeated and isinstance(error, tuple(getattr(errors, name) for name in _UNSUITABLE)):
            return Unsuitable(kind)
        return OutcomeUnknown(kind)

    def _pause_asked_for(self) -> timedelta:
        """How long the exchange asks to be left alone, in the headers of what it answered last."""
        headers = self._client.last_response_headers or {}
        seconds = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
        # It may be a date instead, which no exchange that is declared sends.
        if not seconds.isascii() or not seconds.isdigit():
            return timedelta(0)
        return min(MAX_PAUSE_ASKED_FOR, timedelta(seconds=int(seconds[:9])))


class Markets:
    """The markets of exchanges, which are the same for all accounts and long to read."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[float, Any]] = {}

    async def load(self, name: str, client: Any) -> None:
        """Gives a client the markets of its exchange."""
        now_s = asyncio.get_running_loop().time()
        read_s, markets = self._kept.get(name, (0.0, None))
        if markets is None or now_s - read_s > MARKETS_MAX_AGE_S:
            await client.load_markets()
            self._kept[name] = (now_s, list(client.markets.values()))
        else:
            client.set_markets(markets)


def _text(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:f}"


def _is_early_or_late(error: Exception) -> bool:
    """Whether the exchange refuses a request because of the time in it. Of Binance ccxt has two classes for that."""
    return type(error).__name__ == "InvalidNonce" or '"code":-1021' in str(error)
