from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from app.domains.market.prices.model import MARKET, PRICES_TOPIC, Interval, Move
from app.domains.market.prices.services.recorder import AfterMinute, OnMoves, Recorder
from app.domains.market.prices.services.ticker import MINUTES_KEPT, Ticker
from app.kit.clock import FixedClock
from app.kit.db import Database, Tx
from app.kit.errors import Unavailable
from app.kit.volatile import VolatileTopics, latest_key
from tests.conftest import NOON, Owner
from tests.domains.market.price_feed import SOURCE, quoted
from tests.domains.market.token_listing import list_tokens
from tests.waiting import until

SECOND = timedelta(seconds=1)
NAMES = {"BTC": ("bitcoin", "Bitcoin"), "ETH": ("ethereum", "Ethereum")}


@pytest_asyncio.fixture(autouse=True)
async def tokens(owner: Owner) -> None:
    await list_tokens(owner, NAMES)


@pytest.fixture
def ticker(clock: FixedClock, redis: Redis) -> Ticker:
    return Ticker(SOURCE, clock, VolatileTopics(redis), every_s=1.0)


@pytest.fixture
def recorder(database: Database, clock: FixedClock) -> Recorder:
    return Recorder(database, clock, (), ())


class Moves:
    """Notes what it is given in the transaction of a tick, and may refuse."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, list[Move]]] = []
        self.refuses = False

    async def __call__(self, tx: Tx, source: str, moves: Sequence[Move]) -> None:
        self.seen.append((source, sorted(moves, key=lambda move: move.symbol)))
        if self.refuses:
            raise LookupError("an alert that cannot be evaluated")


def hooks(moves: OnMoves | None = None, minute: AfterMinute | None = None) -> tuple[list[OnMoves], list[AfterMinute]]:
    return [moves] if moves else [], [minute] if minute else []


async def _told_to(redis: Redis) -> bool:
    """Whether the last of a tick's topics was told."""
    return bool(await redis.exists(latest_key(Interval.ONE_DAY.topic)))


async def prices(owner: Owner) -> dict[str, Decimal]:
    return {row[0]: row[1] for row in await owner.fetch("SELECT symbol, price_usd FROM market_data ORDER BY symbol")}


async def test_a_tick_is_stored_and_tells_each_move(
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


async def test_a_tick_is_told_whole_with_its_candles(redis: Redis, clock: FixedClock, ticker: Ticker) -> None:
    ticker.take(quoted(clock, {"BTC": 100, "ETH": 10}))
    clock.advance(61 * SECOND)
    ticker.take(quoted(clock, {"BTC": 120}))
    volatile = VolatileTopics(redis)

    async def told() -> bool:
        day = await volatile.latest(Interval.ONE_DAY.topic)
        return bool(day and day[MARKET]["bars"]["BTC"][0][4] == "120")

    await until(told)
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


async def test_a_new_ticker_goes_on_with_the_open_candles(
    redis: Redis, clock: FixedClock, recorder: Recorder, ticker: Ticker, owner: Owner
) -> None:
    volatile = VolatileTopics(redis)
    ticker.take(quoted(clock, {"BTC": 100}))
    clock.advance(60 * SECOND)
    ticker.take(quoted(clock, {"BTC": 300}))

    async def told() -> bool:
        day = await volatile.latest(Interval.ONE_DAY.topic)
        return bool(day and day[MARKET]["bars"]["BTC"][0][4] == "300")

    await until(told)
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
    await until(lambda: _told_to(redis))
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
    await until(lambda: _told_to(redis))
    await redis.flushall()

    heir = Ticker(SOURCE, clock, VolatileTopics(redis), every_s=1.0)
    await heir.restore(await recorder.open_candles(["BTC"], SOURCE))
    heir.take(quoted(clock, {"BTC": 200}))

    async def told() -> bool:
        day = await VolatileTopics(redis).latest(Interval.ONE_DAY.topic)
        expected = ["100.000000000000", "200", "100.000000000000", "200"]
        return bool(day and day[MARKET]["bars"]["BTC"][0][1:5] == expected)

    await until(told)
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
    await until(lambda: _told_to(redis))
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


async def test_a_token_that_is_listed_no_more_is_told_no_more(redis: Redis, clock: FixedClock, ticker: Ticker) -> None:
    ticker.take(quoted(clock, {"BTC": 100, "ETH": 10}))
    ticker.follow(["BTC"], {})
    clock.advance(SECOND)
    ticker.take(quoted(clock, {"BTC": 110}))

    async def told() -> bool:
        latest = await VolatileTopics(redis).latest(PRICES_TOPIC)
        return latest is not None and MARKET in latest and list(latest[MARKET]["quotes"]) == ["BTC"]

    await until(told)


async def test_another_sources_candles_are_not_gone_on_with(redis: Redis, clock: FixedClock, ticker: Ticker) -> None:
    ticker.take(quoted(clock, {"BTC": 100}))
    await until(lambda: _told_to(redis))
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


async def test_a_day_is_told_by_our_own_candles_where_the_provider_is_silent(
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
