import random
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
import pytest_asyncio

from app.domains.market.prices.model import Candle, Interval, Quote
from app.domains.market.prices.services.candles import Candles
from app.domains.market.prices.services.history import History
from app.kit.db import Database
from tests.databases import NOON, Owner

MINUTE = timedelta(minutes=1)


@pytest_asyncio.fixture(autouse=True)
async def tokens(owner: Owner) -> None:
    await owner.execute(
        """
        INSERT INTO tokens (coingecko_id, symbol, name, market_cap_rank)
        VALUES ('bitcoin', 'BTC', 'Bitcoin', 1), ('ethereum', 'ETH', 'Ethereum', 2);
        INSERT INTO market_data (symbol, exchange, price_usd, price_aud, last_updated)
        VALUES ('BTC', 'simulated', 1, 1, now()), ('BTC', 'other', 1, 1, now() - interval '1 day'),
               ('ETH', 'simulated', 1, 1, now());
        """
    )


def candle(at: datetime, price: int = 100, *, symbol: str = "BTC", interval: Interval = Interval.ONE_MINUTE) -> Candle:
    """Opens at `price`, ranges 10 around it, closes 5 above."""
    values = (price, price + 10, price - 10, price + 5, 1000)
    return Candle(symbol, "simulated", interval, at, *map(Decimal, values))


def minutes(since: datetime, count: int, *, symbol: str = "BTC") -> list[Candle]:
    """One a minute, each a dollar above the one before."""
    return [candle(since + n * MINUTE, 100 + n, symbol=symbol) for n in range(count)]


async def stored(owner: Owner, interval: str, symbol: str = "BTC") -> list[tuple[object, ...]]:
    rows = await owner.fetch(
        "SELECT opened_at, open, high, low, close, volume_usd FROM candles WHERE interval = $1 AND symbol = $2"
        " ORDER BY opened_at",
        interval,
        symbol,
    )
    return [tuple(row) for row in rows]


def made(at: datetime, *values: int) -> tuple[object, ...]:
    """A row: open, high, low, close, volume."""
    return (at, *map(Decimal, values))


async def test_longer_candles_are_made_of_the_shorter(database: Database, owner: Owner) -> None:
    history = History(database)
    assert await history.ingest(minutes(NOON, 12)) == 12
    await history.roll_up(["BTC"], "simulated", NOON, NOON + 12 * MINUTE)

    assert await stored(owner, "5m") == [
        made(NOON, 100, 114, 90, 109, 5000),
        made(NOON + 5 * MINUTE, 105, 119, 95, 114, 5000),
        made(NOON + 10 * MINUTE, 110, 121, 100, 116, 2000),
    ]
    assert await stored(owner, "1h") == [made(NOON, 100, 121, 90, 116, 12000)]
    assert await stored(owner, "1d") == [made(NOON - timedelta(hours=12), 100, 121, 90, 116, 12000)]


async def test_candles_that_come_late_and_in_any_order_make_the_same(database: Database, owner: Owner) -> None:
    history = History(database)
    series = minutes(NOON - 90 * MINUTE, 180)
    shuffled = random.Random(1).sample(series, len(series))
    for start in range(0, 180, 40):
        part = shuffled[start : start + 40]
        await history.ingest(part)
        for each in part:
            await history.roll_up(["BTC"], "simulated", each.opened_at, each.opened_at + MINUTE)
    late = {interval: await stored(owner, interval) for interval in ("1m", "5m", "1h", "1d")}

    await owner.execute("TRUNCATE candles")
    await history.ingest(series)
    await history.roll_up(["BTC"], "simulated", series[0].opened_at, series[-1].opened_at + MINUTE)
    assert late == {interval: await stored(owner, interval) for interval in ("1m", "5m", "1h", "1d")}
    assert [len(rows) for rows in late.values()] == [180, 36, 4, 1]


async def test_what_is_stored_again_changes_nothing_not_even_a_row_version(database: Database, owner: Owner) -> None:
    history = History(database)

    async def store() -> list[tuple[object, ...]]:
        await history.ingest(minutes(NOON, 7))
        await history.roll_up(["BTC"], "simulated", NOON, NOON + 7 * MINUTE)
        return [tuple(row) for row in await owner.fetch("SELECT xmin::text, ctid::text, * FROM candles ORDER BY 4, 5")]

    first = await store()
    assert first == await store()
    assert len(first) == 11


async def test_the_last_of_the_same_moment_counts(database: Database, owner: Owner) -> None:
    history = History(database)
    assert await history.ingest([candle(NOON, 100), candle(NOON, 200)]) == 1
    await history.ingest([candle(NOON, 300), candle(NOON + MINUTE, 400)])
    assert [row[1] for row in await stored(owner, "1m")] == [300, 400]


async def test_windows_that_were_not_touched_stay(database: Database, owner: Owner) -> None:
    history = History(database)
    await history.ingest([candle(NOON, 100), candle(NOON - timedelta(hours=1), 100)])
    await history.roll_up(["BTC"], "simulated", NOON, NOON + MINUTE)
    assert [row[0] for row in await stored(owner, "1h")] == [NOON]
    await history.roll_up(["ETH"], "simulated", NOON - timedelta(days=1), NOON + MINUTE)
    await history.roll_up(["BTC"], "other", NOON - timedelta(days=1), NOON + MINUTE)
    assert [row[0] for row in await stored(owner, "1h")] == [NOON]


async def test_only_longer_candles_than_the_source_are_made(database: Database, owner: Owner) -> None:
    history = History(database)
    await history.ingest([candle(NOON, 100), candle(NOON, 500, interval=Interval.ONE_HOUR)])
    await history.roll_up(["BTC"], "simulated", NOON, NOON + MINUTE, source=Interval.ONE_HOUR)
    assert await stored(owner, "5m") == []
    assert [row[1] for row in await stored(owner, "1h")] == [500]
    assert [row[1] for row in await stored(owner, "1d")] == [500]
    await history.roll_up(["BTC"], "simulated", NOON, NOON + MINUTE, source=Interval.ONE_DAY)
    assert [row[1] for row in await stored(owner, "1d")] == [500]


async def test_the_past_gets_partitions_as_far_back_as_is_kept(database: Database, owner: Owner) -> None:
    history = History(database)
    kept_since = await history.kept_since()
    before = await partitions(owner)
    months = [kept_since - MINUTE, kept_since, kept_since + timedelta(days=200), NOON]
    assert await history.ingest([candle(at) for at in months]) == 3
    assert [row[0] for row in await stored(owner, "1m")] == months[1:]
    new = await partitions(owner) - before
    assert new == {f"candles_{at:%Y_%m}" for at in months[1:3]}
    assert not await owner.fetchval("SELECT has_table_privilege('moneta_app', $1, 'SELECT')", min(new))


async def partitions(owner: Owner) -> set[str]:
    tables = await owner.fetch("SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relname LIKE 'candles\\_2%'")
    return {row[0] for row in tables}


async def test_nothing_is_stored_of_a_batch_that_fails(database: Database, owner: Owner) -> None:
    bad = Candle(
        "BTC", "simulated", Interval.ONE_MINUTE, NOON, Decimal(5), Decimal(1), Decimal(1), Decimal(1), Decimal(0)
    )
    with pytest.raises(Exception, match="candles_range"):
        await History(database).ingest([candle(NOON - MINUTE), bad])
    assert await stored(owner, "1m") == []


async def test_samples_are_kept_once(database: Database, owner: Owner) -> None:
    history = History(database)
    quotes = [Quote("BTC", NOON, Decimal(100), Decimal(150), Decimal(7)), Quote("ETH", NOON, Decimal(3), Decimal(4))]
    await history.sample("simulated", quotes)
    await history.sample("simulated", quotes)
    await history.sample("simulated", [])
    rows = await owner.fetch(
        "SELECT symbol, exchange, price_usd, price_aud, volume_24h_usd FROM price_history ORDER BY 1"
    )
    assert [tuple(row) for row in rows] == [
        ("BTC", "simulated", 100, 150, 7),
        ("ETH", "simulated", 3, 4, None),
    ]


async def test_the_latest_candles_come_oldest_first_of_the_exchange_that_quotes(database: Database) -> None:
    history, candles = History(database), Candles(database)
    other = [Candle("BTC", "other", Interval.ONE_MINUTE, NOON, *[Decimal(1)] * 5)]
    await history.ingest([*minutes(NOON, 5), *other, *minutes(NOON, 2, symbol="ETH")])
    assert await candles.latest("BTC", Interval.ONE_MINUTE, 3) == minutes(NOON, 5)[2:]
    assert await candles.latest_of(["ETH", "XRP", "BTC"], Interval.ONE_MINUTE, 1) == {
        "ETH": minutes(NOON, 2, symbol="ETH")[1:],
        "XRP": [],
        "BTC": minutes(NOON, 5)[4:],
    }
    assert await candles.latest("BTC", Interval.ONE_DAY, 3) == []
