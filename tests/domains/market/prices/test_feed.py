import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from decimal import Decimal

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from app.domains.market.prices.model import MARKET, PRICES_TOPIC
from app.domains.market.prices.services.feed import PriceFeed, next_tick, pause_after
from app.domains.market.sources.services import Sources
from app.kit.clock import FixedClock
from app.kit.db import Database
from app.kit.volatile import VolatileTopics, latest_key
from tests.conftest import APP_ROLE
from tests.databases import Owner
from tests.domains.market.price_feed import SOURCE, Provider, running
from tests.domains.market.token_listing import list_tokens
from tests.kit.event_pipeline import cancel
from tests.waiting import HANG_S, until

NAMES = {"BTC": ("bitcoin", "Bitcoin"), "ETH": ("ethereum", "Ethereum")}


@pytest_asyncio.fixture(autouse=True)
async def tokens(owner: Owner) -> None:
    await list_tokens(owner, NAMES)


@pytest.fixture
def provider(clock: FixedClock) -> Provider:
    return Provider(clock, BTC=100, ETH=10)


@pytest.fixture
def feed(provider: Provider, database: Database, redis: Redis, clock: FixedClock) -> PriceFeed:
    return PriceFeed(provider, database, clock, VolatileTopics(redis), Sources(database, clock))


async def stored(owner: Owner, symbol: str = "BTC") -> Decimal | None:
    value: Decimal | None = await owner.fetchval("SELECT price_usd FROM market_data WHERE symbol = $1", symbol)
    return value


async def latest_price(redis: Redis) -> str | None:
    body = await redis.hget(latest_key(PRICES_TOPIC), MARKET)
    return None if body is None else json.loads(body)["quotes"]["BTC"]["price_usd"]


def is_stored(owner: Owner, price: int) -> Callable[[], Awaitable[bool]]:
    async def check() -> bool:
        return await stored(owner) == price

    return check


def is_published(redis: Redis, price: int) -> Callable[[], Awaitable[bool]]:
    async def check() -> bool:
        return await latest_price(redis) == str(price)

    return check


@contextlib.asynccontextmanager
async def without_database(owner: Owner, administrator: Owner) -> AsyncIterator[None]:
    """Nobody can connect, and existing connections are closed."""
    name = await owner.fetchval("SELECT current_database()")
    await administrator.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    await owner.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    try:
        yield
    finally:
        await administrator.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")


async def test_prices_are_requested_published_and_stored(
    feed: PriceFeed, provider: Provider, redis: Redis, owner: Owner
) -> None:
    async with running(feed):
        await until(is_stored(owner, 100))
        await until(is_published(redis, 100))
        provider.prices["BTC"] = 120
        await until(is_stored(owner, 120))
        await until(is_published(redis, 120))
    assert await stored(owner, "ETH") == 10
    assert provider.asked[0] == ["BTC", "ETH"]


async def test_minutes_become_candles_and_the_source_is_counted(
    feed: PriceFeed, owner: Owner, database: Database, clock: FixedClock
) -> None:
    async def two_minutes() -> bool:
        return int(await owner.fetchval("SELECT count(*) FROM candles WHERE interval = '1m' AND symbol = 'BTC'")) >= 2

    async def counted() -> bool:
        sources = await Sources(database, clock).all()
        return bool(sources) and sources[0].source == SOURCE and sources[0].accepted > 0

    async with running(feed):
        await until(two_minutes)
        await until(counted)
    row = (await Sources(database, clock).all())[0]
    assert row.accepted == 2 * row.ignored["stale"]
    volume = await owner.fetchval("SELECT volume_usd FROM candles WHERE interval = '1m' ORDER BY opened_at LIMIT 1")
    # A dollar was traded in each second, and the first tick came a second after the minute began.
    assert volume <= 60


async def test_one_of_two_is_active_and_the_other_takes_over(
    database: Database, redis: Redis, clock: FixedClock, owner: Owner
) -> None:
    providers = [Provider(clock, BTC=100, ETH=10) for _ in range(2)]
    feeds = [PriceFeed(each, database, clock, VolatileTopics(redis), Sources(database, clock)) for each in providers]
    async with running(feeds[0]) as first:
        await until(lambda: bool(providers[0].asked))
        async with running(feeds[1]):
            asked = len(providers[0].asked)
            await until(lambda: len(providers[0].asked) > asked + 20)
            assert providers[1].asked == []
            await cancel(first)
            providers[1].prices["BTC"] = 130
            await until(is_stored(owner, 130))
            await until(is_published(redis, 130))


async def test_a_leader_whose_session_is_taken_stands_down_and_nothing_is_lost(
    database: Database, database_url: str, redis: Redis, clock: FixedClock, owner: Owner
) -> None:
    providers = [Provider(clock, BTC=100, ETH=10) for _ in range(2)]
    other = await Database.open(database_url, role=APP_ROLE, size=4, timeout_s=HANG_S)
    feeds = [
        PriceFeed(each, pool, clock, VolatileTopics(redis), Sources(pool, clock))
        for each, pool in zip(providers, (database, other), strict=True)
    ]
    try:
        async with running(feeds[0]):
            await until(lambda: bool(providers[0].asked))
            async with running(feeds[1]):
                await owner.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory'")
                # Whichever it is now, one alone goes on.
                await until(lambda: bool(providers[1].asked) or len(providers[0].asked) > 300)
                leader, stander = (1, 0) if providers[1].asked else (0, 1)
                await until(lambda: _alone(providers[leader], providers[stander]))
                providers[leader].prices["BTC"] = 777
                await until(is_stored(owner, 777))
    finally:
        await other.close()


async def _alone(leader: Provider, stander: Provider) -> bool:
    """Whether only one of them is asked, over twenty periods."""
    asked, before = len(leader.asked), len(stander.asked)
    await until(lambda: len(leader.asked) > asked + 20)
    return len(stander.asked) == before


async def test_without_a_database_prices_are_published_and_stored_later(
    feed: PriceFeed, provider: Provider, redis: Redis, owner: Owner, administrator: Owner
) -> None:
    async with running(feed):
        await until(is_stored(owner, 100))
        async with without_database(owner, administrator):
            provider.prices["BTC"] = 150
            await until(is_published(redis, 150))
            provider.prices["BTC"] = 160
            await until(is_published(redis, 160))
            assert await stored(owner) == 100
        await until(is_stored(owner, 160))


async def test_without_redis_prices_are_stored(
    provider: Provider, database: Database, clock: FixedClock, owner: Owner
) -> None:
    nowhere: Redis = Redis.from_url("redis://127.0.0.1:1")
    feed = PriceFeed(provider, database, clock, VolatileTopics(nowhere), Sources(database, clock))
    async with running(feed):
        await until(is_stored(owner, 100))
        provider.prices["BTC"] = 170
        await until(is_stored(owner, 170))
    await nowhere.aclose()


async def test_a_provider_that_fails_is_noted_and_asked_again_more_and_more_seldom(
    feed: PriceFeed, provider: Provider, database: Database, clock: FixedClock, owner: Owner
) -> None:
    async def noted() -> bool:
        sources = await Sources(database, clock).all()
        return bool(sources) and sources[0].last_failure == "The provider does not answer."

    async with running(feed):
        await until(is_stored(owner, 100))
        provider.fails = True
        await until(noted)
        provider.fails = False
        provider.prices["BTC"] = 180
        await until(is_stored(owner, 180))


async def test_tokens_that_are_listed_later_are_asked_for(
    feed: PriceFeed, provider: Provider, owner: Owner, redis: Redis
) -> None:
    await owner.execute("DELETE FROM tokens")
    async with running(feed):
        await until(lambda: _active(owner))
        assert provider.asked == []
        await list_tokens(owner, {"BTC": NAMES["BTC"]})
        await until(is_stored(owner, 100))
        await list_tokens(owner, {"ETH": NAMES["ETH"]})

        async def ether_too() -> bool:
            return await stored(owner, "ETH") == 10

        await until(ether_too)
    assert provider.asked[0] == ["BTC"]


async def _active(owner: Owner) -> bool:
    return bool(await owner.fetchval("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"))


@given(st.integers(0, 10**6), st.floats(0, 10**6), st.sampled_from([0.01, 0.5, 1.0, 60.0]))
def test_ticks_keep_to_multiples_of_their_period(number: int, late_s: float, every_s: float) -> None:
    elapsed_s = number * every_s + late_s
    turn = next_tick(number, elapsed_s, every_s)
    assert turn > number
    # In the future, and no sooner one is passed over.
    rounding_s = 1e-9 * elapsed_s
    assert turn * every_s >= elapsed_s - rounding_s or turn == number + 1
    assert turn == number + 1 or (turn - 1) * every_s < elapsed_s + rounding_s


def test_a_provider_that_fails_is_asked_more_and_more_seldom_and_never_given_up() -> None:
    assert [pause_after(failures, 1.0) for failures in (0, 1, 2, 5, 6, 7, 5000)] == [0, 2, 4, 32, 60, 60, 60]
    assert [pause_after(failures, 300.0) for failures in (0, 1, 5000)] == [0, 300, 300]
    assert pause_after(5000, 0.01) == pytest.approx(10.24)
