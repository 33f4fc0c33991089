"""Live prices: complete ticks of the requested tokens for everyone, and of a watchlist for its owner."""

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from app.domains.accounts.model import Viewer
from app.domains.market.prices.model import PRICES_TOPIC, Interval
from app.domains.market.prices.services.ticker import Ticker
from app.domains.market.services import MarketServices
from app.engine.streams.model import Delivery, Transport
from app.engine.streams.subscription import Subscription
from app.kit.clock import FixedClock
from app.kit.hub import Hub
from app.kit.process_rpc import ProcessRpc
from app.kit.pubsub import broadcast_over
from app.kit.volatile import VolatileTopics, latest_key
from app.main import Application, build_runtime
from app.transport.runtime import AppRuntime, Caller
from tests.databases import Owner
from tests.domains.market.price_feed import SOURCE, quoted
from tests.domains.market.token_listing import list_tokens
from tests.engine.support import NOBODY
from tests.factories import CLIENT, register
from tests.waiting import until

TICKS = """subscription Ticks($symbols: [String!]) {
  priceTicks(symbols: $symbols) { at source ticks { symbol priceUsd } }
}"""
CANDLE = """subscription Candle($symbol: String!, $interval: CandleInterval!) {
  candleTicks(symbol: $symbol, interval: $interval) {
    symbol interval open { openedAt open high low close volumeUsd exchange interval symbol } closed { openedAt close }
  }
}"""
WATCHED = "subscription { watchlistTicks { source ticks { symbol priceUsd token { name } } } }"


@dataclass(eq=False)
class Inbox:
    """A subscriber that accepts deliveries unless it is full."""

    full: bool = False
    taken: list[Any] = field(default_factory=list)
    errors: list[dict[str, Any]] | None = None

    def deliver(self, deliveries: Sequence[Delivery]) -> bool:
        if self.full:
            return False
        for each in deliveries:
            body = json.loads(each.body)
            assert "errors" not in body, body
            self.taken.append(next(iter(body["data"].values())))
        return True

    def finish(self, errors: list[dict[str, Any]]) -> None:
        self.errors = errors or []

    @property
    def prices(self) -> list[dict[str, str]]:
        return [{tick["symbol"]: tick["priceUsd"] for tick in each["ticks"]} for each in self.taken]


@dataclass
class Market:
    """A server process, and the price feed of another process."""

    runtime: AppRuntime
    ticker: Ticker
    clock: FixedClock
    application: Application

    async def open(
        self, query: str, variables: dict[str, Any] | None = None, *, by: Viewer | None = None
    ) -> tuple[Inbox, Subscription]:
        inbox = Inbox()
        opened = await self.attempt(query, inbox, variables, by)
        assert isinstance(opened, Subscription), opened
        return inbox, opened

    async def refused(self, query: str, variables: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        opened = await self.attempt(query, Inbox(), variables, None)
        assert isinstance(opened, list)
        return opened

    async def attempt(
        self, query: str, inbox: Inbox, variables: dict[str, Any] | None, by: Viewer | None
    ) -> Subscription | list[dict[str, Any]]:
        prepared = self.runtime.engine.prepare(query, None, variables, introspection_allowed=True)
        if isinstance(prepared, list):
            return prepared  # type: ignore[return-value]  # errors either way
        caller = Caller(viewer=by, client=CLIENT, request_id="test", from_browser=False)
        context = self.runtime.new_context(caller)
        return await self.runtime.subscriptions.open(prepared, context, inbox, Transport.WEBSOCKET, NOBODY)

    async def tick(self, **prices: int) -> None:
        """Publishes a tick, a second after the last."""
        self.clock.advance(timedelta(seconds=1))
        self.ticker.take(quoted(self.clock, prices))
        redis, at = self.application.redis, self.clock.now().isoformat().replace("+00:00", "Z")

        async def published() -> bool:
            # The topics are published in turn, the daily candles last.
            tick = await redis.hget(latest_key(PRICES_TOPIC), "market")
            day = await VolatileTopics(redis).latest(Interval.ONE_DAY.topic)
            closes = {symbol: bars[0][4] for symbol, bars in day["market"]["bars"].items()} if day else {}
            return bool(
                tick
                and json.loads(tick)["at"] == at
                and all(closes.get(symbol) == str(price) for symbol, price in prices.items())
            )

        await until(published)


@pytest_asyncio.fixture
async def market(application: Application, owner: Owner, clock: FixedClock) -> AsyncIterator[Market]:
    await list_tokens(owner)
    hub = Hub(broadcast_over(application.redis), application.events, memory_limit=100)
    runtime = build_runtime(application, hub, ProcessRpc(application.redis))
    await hub.start()
    yield Market(runtime, Ticker(SOURCE, clock, VolatileTopics(application.redis), every_s=1.0), clock, application)
    runtime.subscriptions.stop()
    await hub.stop()


async def test_each_tick_is_one_event_with_the_requested_tokens_in_order(market: Market) -> None:
    inbox, _ = await market.open(TICKS, {"symbols": ["eth", "BTC", " btc ", "DOGE"]})
    await market.tick(BTC=100, ETH=10, USDT=1)
    await until(lambda: len(inbox.taken) == 1)
    await market.tick(BTC=101, ETH=11)
    await until(lambda: len(inbox.taken) == 2)
    # DOGE has not been quoted yet. The order is the caller's.
    assert inbox.taken[1] == {
        "at": "2026-11-21T12:00:02Z",
        "source": "SIMULATED",
        "ticks": [{"symbol": "ETH", "priceUsd": "11"}, {"symbol": "BTC", "priceUsd": "101"}],
    }
    assert inbox.prices == [{"ETH": "10", "BTC": "100"}, {"ETH": "11", "BTC": "101"}]


async def test_without_symbols_all_quoted_tokens_are_sent(market: Market) -> None:
    await market.tick(BTC=100, ETH=10, USDT=1)
    first, _ = await market.open(TICKS)
    null, _ = await market.open(TICKS, {"symbols": None})
    await until(lambda: len(first.taken) == 1 and len(null.taken) == 1)
    assert first.prices == null.prices == [{"BTC": "100", "ETH": "10", "USDT": "1"}]


async def test_fields_of_a_tick_and_its_token(market: Market) -> None:
    await market.tick(BTC=100)
    query = """subscription { priceTicks(symbols: ["BTC"]) { ticks {
        symbol priceUsd priceAud changePercentage24h volume24hUsd at token { name priceUsd } } } }"""
    inbox, _ = await market.open(query)
    await until(lambda: len(inbox.taken) == 1)
    assert inbox.taken[0]["ticks"] == [
        {
            "symbol": "BTC",
            "priceUsd": "100",
            "priceAud": "150.0",
            "changePercentage24h": None,
            "volume24hUsd": "86400",
            "at": "2026-11-21T12:00:01Z",
            "token": {"name": "Bitcoin", "priceUsd": None},
        }
    ]


@pytest.mark.parametrize(
    ("symbols", "message"),
    [
        (["BTC", "XXX", "YYY"], "There is no token XXX, YYY."),
        (["", "BTC"], 'There is no token "".'),
        (["A" * 5000], f"There is no token {'A' * 20}."),
        (["B\u202eC"], "There is no token B\u202eC."),
        ([f"X{n}" for n in range(13)], f"There is no token {', '.join(f'X{n}' for n in range(10))} and 3 more."),
        ([], "Name 1 to 250 tokens, or none of them for all."),
        (["BTC"] * 251, "Name 1 to 250 tokens, or none of them for all."),
    ],
)
async def test_the_error_names_unknown_tokens(market: Market, symbols: list[str], message: str) -> None:
    errors = await market.refused(TICKS, {"symbols": symbols})
    assert [(error["message"], error["extensions"]) for error in errors] == [
        (message, {"code": "BAD_USER_INPUT", "fields": [{"path": ["symbols"], "message": message}]})
    ]
    assert len(market.runtime.subscriptions) == 0


async def test_two_hundred_and_fifty_tokens_can_be_requested(market: Market, owner: Owner) -> None:
    await owner.execute(
        "INSERT INTO tokens (coingecko_id, symbol, name, market_cap_rank)"
        " SELECT 't' || n, 'T' || n, 'T' || n, n FROM generate_series(1, 250) n"
    )
    inbox, _ = await market.open(TICKS, {"symbols": [f"T{n}" for n in range(1, 251)]})
    await market.tick(T250=5)
    await until(lambda: bool(inbox.taken))
    assert inbox.prices == [{"T250": "5"}]


async def test_a_slow_reader_receives_the_latest_tick_only_and_completely(market: Market) -> None:
    slow, subscription = await market.open(TICKS, {"symbols": ["BTC", "ETH"]})
    quick, _ = await market.open(TICKS, {"symbols": ["BTC", "ETH"]})
    await market.tick(BTC=1, ETH=1)
    await until(lambda: len(slow.taken) == 1)
    slow.full = True
    for price in range(2, 12):
        await market.tick(BTC=price, ETH=price)
        await until(lambda: quick.prices[-1]["BTC"] == str(price))  # noqa: B023  # awaited within the turn
    assert len(slow.taken) == 1
    slow.full = False
    subscription.resume()
    await until(lambda: len(slow.taken) == 2)
    assert slow.prices == [{"BTC": "1", "ETH": "1"}, {"BTC": "11", "ETH": "11"}]
    assert len(quick.taken) == 11


async def test_equal_subscriptions_share_their_executions_across_viewers(market: Market) -> None:
    alice = await register(market.application.services)
    inboxes = [(await market.open(TICKS, {"symbols": ["BTC"]}, by=by))[0] for by in (None, alice, None)]
    other, _ = await market.open(TICKS, {"symbols": ["ETH"]})
    counters = market.runtime.subscriptions.counters
    before = counters.executions
    await market.tick(BTC=1, ETH=2)
    await until(lambda: all(each.taken for each in (*inboxes, other)))
    assert market.runtime.subscriptions.groups == 2
    assert counters.executions - before == 2
    assert [each.prices for each in inboxes] == [[{"BTC": "1"}]] * 3
    assert other.prices == [{"ETH": "2"}]


async def test_the_open_candle_is_sent_with_the_last_closed_candle(market: Market) -> None:
    inbox, _ = await market.open(CANDLE, {"symbol": "btc", "interval": "ONE_MINUTE"})
    await market.tick(BTC=100, ETH=1)
    await until(lambda: len(inbox.taken) == 1)
    market.clock.advance(timedelta(seconds=60))
    await market.tick(BTC=120)
    await until(lambda: len(inbox.taken) == 2)
    await market.tick(BTC=110)
    await until(lambda: len(inbox.taken) == 3)
    assert inbox.taken[0]["closed"] is None
    assert inbox.taken[2] == {
        "symbol": "BTC",
        "interval": "ONE_MINUTE",
        "open": {
            "openedAt": "2026-11-21T12:01:00Z",
            "open": "120",
            "high": "120",
            "low": "110",
            "close": "110",
            "volumeUsd": "3.00",
            "exchange": "simulated",
            "interval": "ONE_MINUTE",
            "symbol": "BTC",
        },
        "closed": {"openedAt": "2026-11-21T12:00:00Z", "close": "100"},
    }


async def test_a_slow_reader_of_candles_misses_no_close_within_the_last_interval(market: Market) -> None:
    inbox, subscription = await market.open(CANDLE, {"symbol": "BTC", "interval": "ONE_MINUTE"})
    await market.tick(BTC=100)
    await until(lambda: len(inbox.taken) == 1)
    inbox.full = True
    await market.tick(BTC=130)
    market.clock.advance(timedelta(seconds=60))
    await market.tick(BTC=90)
    witness, _ = await market.open(CANDLE, {"symbol": "BTC", "interval": "FIVE_MINUTES"})
    await until(lambda: bool(witness.taken))
    inbox.full = False
    subscription.resume()
    await until(lambda: len(inbox.taken) == 2)
    assert inbox.taken[1]["closed"] == {"openedAt": "2026-11-21T12:00:00Z", "close": "130"}
    assert inbox.taken[1]["open"]["open"] == "90"
    assert witness.taken[0]["open"]["open"] == "100"


async def test_candles_of_an_unknown_token_and_of_a_token_without_a_price(market: Market) -> None:
    errors = await market.refused(CANDLE, {"symbol": "XXX", "interval": "ONE_DAY"})
    assert [error["message"] for error in errors] == ["There is no token XXX."]
    silent, _ = await market.open(CANDLE, {"symbol": "SOL", "interval": "ONE_DAY"})
    quoted_one, _ = await market.open(CANDLE, {"symbol": "BTC", "interval": "ONE_DAY"})
    await market.tick(BTC=1)
    await until(lambda: bool(quoted_one.taken))
    assert silent.taken == []


async def watch(market: Market, viewer: Viewer, *symbols: str) -> None:
    for symbol in symbols:
        await market.application.services[MarketServices].watchlist.add(
            viewer, symbol, None, f"key-{viewer.user_id}-{symbol}"
        )


async def test_a_watchlist_is_sent_to_its_owner_only_and_follows_changes(market: Market, owner: Owner) -> None:
    services = market.application.services
    alice, bob = await register(services), await register(services, "bob@example.com")
    await watch(market, alice, "ETH", "BTC")
    await watch(market, bob, "DOGE")
    hers, _ = await market.open(WATCHED, by=alice)
    again, _ = await market.open(WATCHED, by=alice)
    his, _ = await market.open(WATCHED, by=bob)
    await market.tick(BTC=100, ETH=10, DOGE=2, SOL=3)
    await until(lambda: bool(hers.taken and his.taken and again.taken))
    assert hers.taken == again.taken
    assert hers.taken == [
        {
            "source": "SIMULATED",
            "ticks": [
                {"symbol": "ETH", "priceUsd": "10", "token": {"name": "Ethereum"}},
                {"symbol": "BTC", "priceUsd": "100", "token": {"name": "Bitcoin"}},
            ],
        }
    ]
    assert his.prices == [{"DOGE": "2"}]
    assert market.runtime.subscriptions.groups == 2

    await watch(market, alice, "SOL")
    await owner.execute("DELETE FROM watchlist_items WHERE symbol = 'ETH'")
    await market.tick(BTC=101, ETH=11)
    await until(lambda: len(hers.taken) == 2)
    assert hers.prices[1] == {"BTC": "101", "SOL": "3"}
    await owner.execute("DELETE FROM watchlist_items")
    await market.tick(BTC=102)
    await until(lambda: len(hers.taken) == 3)
    assert hers.prices[2] == {}


async def test_watchlist_ticks_require_a_viewer(market: Market) -> None:
    errors = await market.refused(WATCHED)
    assert [error["extensions"]["code"] for error in errors] == ["UNAUTHENTICATED"]
