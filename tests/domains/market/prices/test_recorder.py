from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from redis.asyncio import Redis

from app.domains.market.prices.model import MARKET, PRICES_TOPIC, Interval, Move
from app.domains.market.prices.services.recorder import Recorder
from app.domains.market.prices.services.ticker import MINUTES_KEPT, Ticker
from app.kit.clock import FixedClock
from app.kit.db import Database
from app.kit.volatile import VolatileTopics
from tests.databases import NOON, Owner
from tests.domains.market.price_feed import SOURCE, quoted
from tests.domains.market.prices.recording import SECOND, Moves, hooks, prices
from tests.waiting import until

pytestmark = pytest.mark.usefixtures("tokens")


async def test_a_tick_is_stored_and_reports_each_move(
    database: Database, clock: FixedClock, ticker: Ticker, owner: Owner
) -> None:
    moves = Moves()
    recorder = Recorder(database, clock, *hooks(moves))
    ticker.take(quoted(clock, {"BTC": 100, "ETH": 10}))
    await recorder.record(ticker)
    clock.advance(SECOND)
    ticker.take(quoted(clock, {"BTC": 101, "ETH": 10}))
    await recorder.record(ticker)
    await recorder.record(ticker)

    assert moves.seen == [
        (SOURCE, [Move("BTC", None, Decimal(100)), Move("ETH", None, Decimal(10))]),
        (SOURCE, [Move("BTC", Decimal(100), Decimal(101)), Move("ETH", Decimal(10), Decimal(10))]),
    ]
    row = await owner.fetchrow("SELECT exchange, price_aud, volume_24h_usd, last_updated FROM market_data LIMIT 1")
    assert row is not None
    assert tuple(row) == (SOURCE, Decimal("151.5"), 86400, NOON + SECOND)


async def test_ticks_that_could_not_be_stored_are_one_move_later(
    database: Database, clock: FixedClock, ticker: Ticker
) -> None:
    moves = Moves()
    recorder = Recorder(database, clock, *hooks(moves))
    ticker.take(quoted(clock, {"BTC": 100, "ETH": 10}))
    await recorder.record(ticker)
    for price in (150, 90, 120):
        clock.advance(SECOND)
        ticker.take(quoted(clock, {"BTC": price}))
    await recorder.record(ticker)
    assert moves.seen[1:] == [(SOURCE, [Move("BTC", Decimal(100), Decimal(120))])]


async def test_what_a_move_sets_off_and_its_price_are_stored_together_or_not_at_all(
    database: Database, clock: FixedClock, ticker: Ticker, owner: Owner
) -> None:
    moves = Moves()
    moves.refuses = True
    recorder = Recorder(database, clock, *hooks(moves))
    ticker.take(quoted(clock, {"BTC": 100, "ETH": 10}))
    with pytest.raises(LookupError):
        await recorder.record(ticker)
    assert await prices(owner) == {}

    clock.advance(SECOND)
    ticker.take(quoted(clock, {"BTC": 105}))
    moves.refuses = False
    await recorder.record(ticker)
    assert await prices(owner) == {"BTC": 105, "ETH": 10}
    assert moves.seen[-1] == (SOURCE, [Move("BTC", None, Decimal(105)), Move("ETH", None, Decimal(10))])


async def test_an_older_quote_and_an_unknown_token_change_nothing(
    database: Database, clock: FixedClock, redis: Redis, ticker: Ticker, owner: Owner
) -> None:
    ticker.take(quoted(clock, {"BTC": 100}))
    await Recorder(database, clock, (), ()).record(ticker)
    late, moves = Ticker(SOURCE, clock, VolatileTopics(redis), every_s=1.0), Moves()
    clock.advance(-SECOND)
    late.take(quoted(clock, {"BTC": 50, "XXX": 1}))
    await Recorder(database, clock, *hooks(moves)).record(late)
    assert await prices(owner) == {"BTC": 100}
    assert moves.seen == [(SOURCE, [])]


async def test_a_quote_of_the_same_moment_changes_nothing(
    database: Database, clock: FixedClock, redis: Redis, ticker: Ticker, owner: Owner
) -> None:
    moves = Moves()
    recorder = Recorder(database, clock, *hooks(moves))
    ticker.take(quoted(clock, {"BTC": 100}))
    await recorder.record(ticker)
    # In the process that feeds: it is not even due.
    ticker.take(quoted(clock, {"BTC": 101}))
    assert ticker.due == {}
    # In another one, which has not seen the first: the database refuses it.
    late = Ticker(SOURCE, clock, VolatileTopics(redis), every_s=1.0)
    late.take(quoted(clock, {"BTC": 102}))
    await recorder.record(late)
    assert await prices(owner) == {"BTC": 100}
    assert moves.seen[1:] == [(SOURCE, [])]
    # An instant later it counts.
    clock.advance(timedelta(microseconds=1))
    ticker.take(quoted(clock, {"BTC": 103}))
    await recorder.record(ticker)
    assert await prices(owner) == {"BTC": 103}
    assert moves.seen[2:] == [(SOURCE, [Move("BTC", Decimal(100), Decimal(103))])]


async def test_a_minute_that_ended_is_stored_rolled_up_and_sampled_as_it_ended(
    database: Database, clock: FixedClock, ticker: Ticker, owner: Owner
) -> None:
    ended: list[datetime] = []

    async def after(at: datetime) -> None:
        ended.append(at)
        assert await owner.fetchval("SELECT count(*) FROM candles WHERE interval = '1d'") == 1

    recorder = Recorder(database, clock, *hooks(minute=after))
    for price in (100, 130, 90, 110):
        ticker.take(quoted(clock, {"BTC": price}))
        await recorder.record(ticker)
        clock.advance(15 * SECOND)
    assert not await owner.fetchval("SELECT count(*) FROM candles")
    assert ended == []
    ticker.take(quoted(clock, {"BTC": 500}))
    await recorder.record(ticker)
    await recorder.record(ticker)

    rows = await owner.fetch("SELECT interval, opened_at, open, high, low, close, volume_usd FROM candles")
    # A dollar a second; of the first tick a second is known, of those after a long silence two.
    assert {row[0]: tuple(row)[1:] for row in rows} == {
        "1m": (NOON, 100, 130, 90, 110, 7),
        "5m": (NOON, 100, 130, 90, 110, 7),
        "1h": (NOON, 100, 130, 90, 110, 7),
        "1d": (NOON - timedelta(hours=12), 100, 130, 90, 110, 7),
    }
    samples = await owner.fetch("SELECT symbol, exchange, price_usd, timestamp FROM price_history")
    assert [tuple(row) for row in samples] == [("BTC", SOURCE, 110, NOON + 45 * SECOND)]
    assert ended == [NOON + timedelta(minutes=1)]


async def test_a_minute_ends_without_a_tick(clock: FixedClock, ticker: Ticker) -> None:
    ticker.take(quoted(clock, {"BTC": 100}))
    clock.advance(59 * SECOND)
    assert not ticker.advance()
    clock.advance(SECOND)
    assert ticker.advance()
    assert not ticker.advance()
    assert [minute.ended_at for minute in ticker.minutes] == [NOON + timedelta(minutes=1)]


async def test_a_hook_that_fails_costs_neither_the_minute_nor_the_hooks_after_it(
    database: Database, clock: FixedClock, ticker: Ticker
) -> None:
    reached: list[datetime] = []

    async def broken(at: datetime) -> None:
        raise LookupError

    async def whole(at: datetime) -> None:
        reached.append(at)

    ticker.take(quoted(clock, {"BTC": 100}))
    clock.advance(60 * SECOND)
    ticker.advance()
    await Recorder(database, clock, (), (broken, whole)).record(ticker)
    assert reached == [NOON + timedelta(minutes=1)]
    assert not ticker.minutes


async def test_a_minute_that_can_never_be_stored_does_not_keep_back_the_next(
    clock: FixedClock, recorder: Recorder, ticker: Ticker, owner: Owner
) -> None:
    await owner.execute("ALTER TABLE candles ADD CONSTRAINT broken CHECK (symbol <> 'ETH')")
    for symbol in ("ETH", "BTC"):
        ticker.take(quoted(clock, {symbol: 100}))
        clock.advance(60 * SECOND)
        ticker.advance()
    for _ in range(2):
        with pytest.raises(Exception, match="broken"):
            await recorder.record(ticker)
    await recorder.record(ticker)
    stored = await owner.fetch("SELECT DISTINCT symbol FROM candles")
    assert [row[0] for row in stored] == ["BTC"]


async def test_what_waits_for_the_database_is_bounded(clock: FixedClock, ticker: Ticker) -> None:
    for _ in range(MINUTES_KEPT + 2):
        ticker.take(quoted(clock, {"BTC": 100}))
        clock.advance(60 * SECOND)
    assert len(ticker.minutes) == MINUTES_KEPT
    assert ticker.minutes[0].ended_at == NOON + 2 * timedelta(minutes=1)


async def test_a_tick_is_published_whole_with_its_candles(redis: Redis, clock: FixedClock, ticker: Ticker) -> None:
    ticker.take(quoted(clock, {"BTC": 100, "ETH": 10}))
    clock.advance(61 * SECOND)
    ticker.take(quoted(clock, {"BTC": 120}))
    volatile = VolatileTopics(redis)

    async def published() -> bool:
        day = await volatile.latest(Interval.ONE_DAY.topic)
        return bool(day and day[MARKET]["bars"]["BTC"][0][4] == "120")

    await until(published)
    tick = await volatile.latest(PRICES_TOPIC)
    assert tick is not None
    assert tick[MARKET] == {
        "source": SOURCE,
        "at": "2026-11-21T12:01:01Z",
        "quotes": {
            "BTC": {
                "symbol": "BTC",
                "price_usd": "120",
                "price_aud": "180.0",
                "change_percentage_24h": None,
                "volume_24h_usd": "86400",
                "at": "2026-11-21T12:01:01Z",
            },
            "ETH": {
                "symbol": "ETH",
                "price_usd": "10",
                "price_aud": "15.0",
                "change_percentage_24h": None,
                "volume_24h_usd": "86400",
                "at": "2026-11-21T12:00:00Z",
            },
        },
    }
    minute = await volatile.latest(Interval.ONE_MINUTE.topic)
    assert minute is not None
    assert minute[MARKET]["bars"] == {
        "BTC": [
            ["2026-11-21T12:01:00Z", "120", "120", "120", "120", "2.00"],
            ["2026-11-21T12:00:00Z", "100", "100", "100", "100", "1.00"],
        ],
        "ETH": [None, ["2026-11-21T12:00:00Z", "10", "10", "10", "10", "1.00"]],
    }
