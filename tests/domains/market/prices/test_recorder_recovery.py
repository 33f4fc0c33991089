"""What the ticker and the recorder do after restarts, wrong clocks and outages."""

from datetime import timedelta
from decimal import Decimal

import pytest
from redis.asyncio import Redis

from app.domains.market.prices.model import MARKET, PRICES_TOPIC, Interval, Move
from app.domains.market.prices.services.recorder import Recorder
from app.domains.market.prices.services.ticker import Ticker
from app.kit.clock import FixedClock
from app.kit.db import Database
from app.kit.errors import Unavailable
from app.kit.volatile import VolatileTopics
from tests.databases import NOON, Owner
from tests.domains.market.price_feed import SOURCE, quoted
from tests.domains.market.prices.recording import SECOND, Moves, hooks, prices, was_published
from tests.waiting import until

pytestmark = pytest.mark.usefixtures("tokens")


async def test_a_new_ticker_goes_on_with_the_open_candles(
    redis: Redis, clock: FixedClock, recorder: Recorder, ticker: Ticker, owner: Owner
) -> None:
    volatile = VolatileTopics(redis)
    ticker.take(quoted(clock, {"BTC": 100}))
    clock.advance(60 * SECOND)
    ticker.take(quoted(clock, {"BTC": 300}))

    async def published() -> bool:
        day = await volatile.latest(Interval.ONE_DAY.topic)
        return bool(day and day[MARKET]["bars"]["BTC"][0][4] == "300")

    await until(published)
    # The first one dies with a minute that it closed and did not store.
    clock.advance(10 * SECOND)
    heir = Ticker(SOURCE, clock, volatile, every_s=1.0)
    await heir.restore([])
    heir.take(quoted(clock, {"BTC": 200}))
    clock.advance(60 * SECOND)
    heir.advance()
    await recorder.record(heir)
    rows = await owner.fetch(
        "SELECT interval, opened_at, open, high, low, close FROM candles WHERE interval IN ('1m', '1h') ORDER BY 2, 1"
    )
    assert [tuple(row) for row in rows] == [
        ("1h", NOON, 100, 300, 100, 200),
        ("1m", NOON, 100, 100, 100, 100),
        ("1m", NOON + timedelta(minutes=1), 300, 300, 200, 200),
    ]


async def test_a_minute_that_ended_when_its_feed_died_is_sampled(
    redis: Redis, clock: FixedClock, recorder: Recorder, ticker: Ticker, owner: Owner
) -> None:
    clock.advance(59 * SECOND)
    ticker.take(quoted(clock, {"BTC": 100, "ETH": 10}))
    await until(lambda: was_published(redis))
    clock.advance(2 * SECOND)
    heir = Ticker(SOURCE, clock, VolatileTopics(redis), every_s=1.0)
    await heir.restore([])
    heir.take(quoted(clock, {"BTC": 200}))
    await recorder.record(heir)
    rows = await owner.fetch("SELECT symbol, price_usd, price_aud, volume_24h_usd, timestamp FROM price_history")
    assert sorted(tuple(row) for row in rows) == [
        ("BTC", 100, 150, 86400, NOON + 59 * SECOND),
        ("ETH", 10, 15, 86400, NOON + 59 * SECOND),
    ]
    # What nobody has quoted since is not stored as if somebody had.
    assert await prices(owner) == {"BTC": 200}


async def test_without_redis_a_new_ticker_goes_on_with_what_is_stored(
    redis: Redis, clock: FixedClock, recorder: Recorder, ticker: Ticker
) -> None:
    ticker.take(quoted(clock, {"BTC": 100}))
    clock.advance(60 * SECOND)
    ticker.advance()
    await recorder.record(ticker)
    await until(lambda: was_published(redis))
    await redis.flushall()

    heir = Ticker(SOURCE, clock, VolatileTopics(redis), every_s=1.0)
    await heir.restore(await recorder.open_candles(["BTC"], SOURCE))
    heir.take(quoted(clock, {"BTC": 200}))

    async def published() -> bool:
        day = await VolatileTopics(redis).latest(Interval.ONE_DAY.topic)
        expected = ["100.000000000000", "200", "100.000000000000", "200"]
        return bool(day and day[MARKET]["bars"]["BTC"][0][1:5] == expected)

    await until(published)
    minute = await VolatileTopics(redis).latest(Interval.ONE_MINUTE.topic)
    assert minute is not None
    assert minute[MARKET]["bars"]["BTC"][0][1] == "200"


async def test_a_clock_that_was_ahead_once_does_not_stop_the_market(
    database: Database, clock: FixedClock, ticker: Ticker, owner: Owner
) -> None:
    moves = Moves()
    recorder = Recorder(database, clock, *hooks(moves))
    clock.advance(timedelta(days=400))
    ticker.take(quoted(clock, {"BTC": 100}))
    await recorder.record(ticker)
    clock.advance(-timedelta(days=400))
    ticker.take(quoted(clock, {"BTC": 120}))
    await recorder.record(ticker)
    assert moves.seen[-1] == (SOURCE, [Move("BTC", Decimal(100), Decimal(120))])
    assert await prices(owner) == {"BTC": 120}
    clock.advance(60 * SECOND)
    ticker.advance()
    await recorder.record(ticker)
    rows = await owner.fetch("SELECT interval, opened_at, open FROM candles WHERE interval IN ('1m', '1d') ORDER BY 1")
    assert [tuple(row) for row in rows] == [("1d", NOON - timedelta(hours=12), 120), ("1m", NOON, 120)]


async def test_candles_of_a_clock_that_was_ahead_are_not_gone_on_with(
    redis: Redis, clock: FixedClock, ticker: Ticker
) -> None:
    clock.advance(timedelta(days=400))
    ticker.take(quoted(clock, {"BTC": 100}))
    await until(lambda: was_published(redis))
    clock.advance(-timedelta(days=400))
    heir = Ticker(SOURCE, clock, VolatileTopics(redis), every_s=1.0)
    await heir.restore([])
    heir.take(quoted(clock, {"BTC": 200}))
    clock.advance(60 * SECOND)
    assert heir.advance()
    assert [(each.opened_at, each.open) for each in heir.minutes[0].candles] == [(NOON, Decimal(200))]


async def test_a_tick_that_cannot_be_stored_does_not_keep_back_the_candles(
    database: Database, clock: FixedClock, ticker: Ticker, owner: Owner
) -> None:
    moves = Moves()
    moves.refuses = True
    ticker.take(quoted(clock, {"BTC": 100}))
    clock.advance(60 * SECOND)
    ticker.advance()
    with pytest.raises(LookupError):
        await Recorder(database, clock, *hooks(moves)).record(ticker)
    assert await owner.fetchval("SELECT count(*) FROM candles WHERE interval = '1m'") == 1
    assert list(ticker.due) == ["BTC"]


async def test_a_token_that_is_listed_no_more_is_published_no_more(
    redis: Redis, clock: FixedClock, ticker: Ticker
) -> None:
    ticker.take(quoted(clock, {"BTC": 100, "ETH": 10}))
    ticker.follow(["BTC"], {})
    clock.advance(SECOND)
    ticker.take(quoted(clock, {"BTC": 110}))

    async def published() -> bool:
        latest = await VolatileTopics(redis).latest(PRICES_TOPIC)
        return latest is not None and MARKET in latest and list(latest[MARKET]["quotes"]) == ["BTC"]

    await until(published)


async def test_another_sources_candles_are_not_gone_on_with(redis: Redis, clock: FixedClock, ticker: Ticker) -> None:
    ticker.take(quoted(clock, {"BTC": 100}))
    await until(lambda: was_published(redis))
    heir = Ticker("coingecko", clock, VolatileTopics(redis), every_s=1.0)
    await heir.restore([])
    clock.advance(60 * SECOND)
    assert not heir.advance()


@pytest.mark.parametrize("rubbish", ["[]", "not json", '{"source": "simulated", "bars": {"BTC": [1]}}'])
async def test_what_redis_holds_of_another_release_is_passed_over(
    redis: Redis, clock: FixedClock, ticker: Ticker, rubbish: str
) -> None:
    await redis.hset("moneta:latest:candles:1m", MARKET, rubbish)
    await ticker.restore([])
    ticker.take(quoted(clock, {"BTC": 100}))
    assert list(ticker.due) == ["BTC"]


async def test_a_day_is_computed_from_our_own_candles_where_the_provider_reports_none(
    clock: FixedClock, recorder: Recorder, ticker: Ticker, owner: Owner
) -> None:
    ticker.take(quoted(clock, {"BTC": 100}))
    clock.advance(60 * SECOND)
    ticker.advance()
    await recorder.record(ticker)
    days = await recorder.days(["BTC", "ETH"], SOURCE)
    assert list(days) == ["BTC"]
    ticker.follow(["BTC", "ETH"], days)
    ticker.take(quoted(clock, {"BTC": 120}, volume=None))
    await recorder.record(ticker)
    row = await owner.fetchrow(
        "SELECT change_24h, change_percentage_24h, high_24h, low_24h, volume_24h_usd FROM market_data"
    )
    assert row is not None
    assert tuple(row) == (20, 20, 120, 100, 1)


async def test_a_lost_database_keeps_what_is_due(
    database: Database, clock: FixedClock, recorder: Recorder, ticker: Ticker, owner: Owner
) -> None:
    ticker.take(quoted(clock, {"BTC": 100}))
    clock.advance(60 * SECOND)
    ticker.advance()
    await owner.execute(
        "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS"
        " $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN new; END $$"
    )
    await owner.execute("CREATE TRIGGER die BEFORE INSERT ON market_data FOR EACH ROW EXECUTE FUNCTION die()")
    with pytest.raises(Unavailable):
        await recorder.record(ticker)
    assert list(ticker.due) == ["BTC"]
    assert len(ticker.minutes) == 1
    await owner.execute("DROP TRIGGER die ON market_data")
    await recorder.record(ticker)
    assert await prices(owner) == {"BTC": 100}
    assert await owner.fetchval("SELECT count(*) FROM candles WHERE interval = '1m'") == 1
