"""What a wrong clock dates ahead is not kept, or does no harm; and what is stored of it already is put right."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from app.domains.accounts.model import Viewer
from app.domains.market.alerts.model import Comparison, Rearm, TechnicalIndicator
from app.domains.market.alerts.services.indicator_alerts import IndicatorAlerts
from app.domains.market.analysis.model.technical import Indicator
from app.domains.market.prices.model import Candle, Interval
from app.domains.market.prices.services.recorder import Recorder
from app.domains.market.prices.services.ticker import Ticker
from app.domains.market.services import MarketServices
from app.kit.clock import FixedClock
from app.kit.db import Database
from app.kit.house import Services
from app.kit.volatile import VolatileTopics
from tests.databases import Owner
from tests.domains.market.alerts.stage import Stage
from tests.domains.market.price_feed import SOURCE, quoted
from tests.domains.market.token_listing import list_tokens, quote
from tests.factories import register

AHEAD = timedelta(hours=3)
MINUTE = timedelta(minutes=1)
SMA = TechnicalIndicator(Indicator.SMA_20, Interval.ONE_MINUTE, Comparison.ABOVE, Decimal(105))


@pytest.fixture
def clock() -> FixedClock:
    """The beginning of this minute, by the right clock."""
    return FixedClock(datetime.now(UTC).replace(second=0, microsecond=0))


@pytest_asyncio.fixture
async def alice(services: Services, owner: Owner, honest_database: None) -> Viewer:
    await list_tokens(owner)
    return await register(services)


@pytest.fixture
def stage(services: Services, database: Database, owner: Owner, clock: FixedClock, alice: Viewer) -> Stage:
    return Stage(services[MarketServices], database, owner, clock, alice)


async def newest(owner: Owner) -> list[Any]:
    """The newest moment of each kind of price."""
    return [
        await owner.fetchval(f"SELECT max({column}) FROM {table}")
        for table, column in (("candles", "opened_at"), ("price_history", "timestamp"), ("market_data", "last_updated"))
    ]


async def feed(recorder: Recorder, clock: FixedClock, redis: Redis, price: int) -> None:
    """What a worker stores of two minutes that its clock sees."""
    ticker = Ticker(SOURCE, clock, VolatileTopics(redis), every_s=1.0)
    for _ in range(3):
        ticker.take(quoted(clock, {"BTC": price}))
        clock.advance(MINUTE)
        ticker.advance()
    await recorder.record(ticker)


async def test_a_feed_whose_clock_is_ahead_dates_nothing_ahead(
    stage: Stage, owner: Owner, clock: FixedClock, redis: Redis
) -> None:
    recorder = Recorder(stage.database, clock, (), ())
    clock.advance(AHEAD)
    await feed(recorder, clock, redis, 100)
    candles, sampled, quoted_at = await newest(owner)
    assert candles is None
    assert sampled <= datetime.now(UTC)
    assert quoted_at <= datetime.now(UTC)
    assert await owner.fetchval("SELECT price_usd FROM market_data WHERE symbol = 'BTC'") == 100
    # The clock is right again, and what it sees counts at once.
    clock.advance(datetime.now(UTC) - 3 * MINUTE - clock.now())
    await feed(recorder, clock, redis, 200)
    clock.advance(datetime.now(UTC) + timedelta(milliseconds=1) - clock.now())
    await feed(recorder, clock, redis, 300)
    candles, sampled, quoted_at = await newest(owner)
    assert datetime.now(UTC) - 5 * MINUTE < candles <= datetime.now(UTC)
    assert await owner.fetchval("SELECT price_usd FROM market_data WHERE symbol = 'BTC'") == 300


async def test_a_candle_to_come_is_refused_and_the_others_are_kept(stage: Stage, clock: FixedClock) -> None:
    def candle(at: datetime) -> Candle:
        return Candle("BTC", SOURCE, Interval.ONE_MINUTE, at, *[Decimal(1)] * 5)

    moments = [clock.now() - MINUTE, clock.now(), clock.now() + AHEAD, clock.now() + timedelta(days=400)]
    assert await stage.market.history.ingest(map(candle, moments)) == 2
    stored = await stage.owner.fetch("SELECT opened_at FROM candles WHERE interval = '1m' ORDER BY opened_at")
    assert [row[0] for row in stored] == moments[:2]
    partitions = "SELECT count(*) FROM pg_class WHERE relname = $1"
    assert await stage.owner.fetchval(partitions, f"candles_{moments[3]:%Y_%m}") == 0


async def draw(stage: Stage, began: datetime, *closes: int) -> datetime:
    """Candles of a minute from a moment on; then they are measured. Returns where they end."""
    values = [map(Decimal, (close, close, close, close, 1)) for close in closes]
    await stage.market.history.ingest(
        [
            Candle("BTC", SOURCE, Interval.ONE_MINUTE, began + number * MINUTE, *prices)
            for number, prices in enumerate(values)
        ]
    )
    ended = began + len(closes) * MINUTE
    stage.clock.advance(ended - stage.clock.now())
    await IndicatorAlerts(stage.database, stage.clock, stage.market.matcher, stage.market.candles).evaluate(ended)
    return ended


async def test_no_mark_is_set_ahead(stage: Stage, clock: FixedClock) -> None:
    now = clock.now()
    await quote(stage.owner, "BTC", "100")
    await draw(stage, now - 90 * MINUTE, *[100] * 30)
    await stage.create(SMA, rearm=Rearm.EVERY_TIME)
    await IndicatorAlerts(stage.database, clock, stage.market.matcher, stage.market.candles).evaluate(now + AHEAD)
    assert await stage.owner.fetch("SELECT FROM alert_marks WHERE at > now()") == []
    await draw(stage, now - 60 * MINUTE, 100, 300)
    assert await stage.titles() == ["BTC: SMA 20 rose to 105"]


async def test_a_mark_ahead_keeps_nothing_silent(stage: Stage, clock: FixedClock) -> None:
    now = clock.now()
    await quote(stage.owner, "BTC", "100")
    ended = await draw(stage, now - 90 * MINUTE, *[100] * 30)
    await stage.create(SMA, rearm=Rearm.EVERY_TIME)
    await stage.owner.execute(
        "INSERT INTO alert_marks (kind, subject, value, basis, at) VALUES ('technical_indicator', $1, 500, $2, $3)",
        "BTC:sma_20:1m",
        SOURCE,
        now + AHEAD,
    )
    ended = await draw(stage, ended, 100)
    mark = await stage.owner.fetchrow("SELECT value, at FROM alert_marks")
    assert mark is not None
    assert tuple(mark) == (100, ended)
    await draw(stage, ended, 300)
    assert await stage.titles() == ["BTC: SMA 20 rose to 105"]


LEFT_BEHIND = """
INSERT INTO market_data (symbol, exchange, price_usd, price_aud, last_updated)
VALUES ('BTC', 'simulated', 1, 1, now() + '3 h'), ('ETH', 'simulated', 1, 1, now() - interval '1 s');
INSERT INTO candles (symbol, exchange, interval, opened_at, open, high, low, close)
SELECT s, 'simulated', i, date_trunc('minute', now() + ahead), 1, 1, 1, 1
FROM unnest(ARRAY['BTC', 'ETH']) s, unnest(ARRAY['1m', '5m', '1h', '1d']) i,
    unnest(ARRAY[interval '3 h', interval '2 h', interval '-1 h']) ahead;
INSERT INTO price_history (symbol, exchange, price_usd, price_aud, timestamp)
SELECT s, 'simulated', 1, 1, now() + ahead
FROM unnest(ARRAY['BTC', 'ETH']) s, unnest(ARRAY[interval '3 h', interval '-1 h']) ahead;
INSERT INTO alert_marks (kind, subject, value, basis, at) VALUES
    ('technical_indicator', 'BTC:sma_20:1m', 1, 'simulated', now() + '3 h'),
    ('technical_indicator', 'ETH:sma_20:1m', 1, 'simulated', now() - interval '1 h');
INSERT INTO alert_marks (kind, subject, position, at) VALUES ('whale_tx', 'x', 7, now() + '3 h');
INSERT INTO news_articles (title, source, url, published_at, created_at) VALUES
    ('ahead', 's', 'https://a', now() + '3 h', now() + '3 h'), ('past', 's', 'https://b', now(), now());
INSERT INTO news_mentions (symbol, published_at, article_id) SELECT 'BTC', published_at, id FROM news_articles;
INSERT INTO analysis_cache (symbol, analysis_type, data, data_quality_score, created_at, expires_at) VALUES
    ('BTC', 'risk', '{}', 1, now() + '3 h', now() + '4 h'), ('ETH', 'risk', '{}', 1, now(), now() + '1 h');
"""


async def test_what_was_dated_ahead_is_put_right_and_nothing_else(stage: Stage, clock: FixedClock) -> None:
    owner = stage.owner
    await owner.execute(LEFT_BEHIND)
    kept = await stage.create(SMA)
    id = (await stage.create(SMA)).id
    await owner.execute("UPDATE alerts SET armed_at = now() + '3 h', created_at = now() + '3 h' WHERE id = $1", id)
    for title, at in (("ahead", AHEAD), ("past", -AHEAD)):
        await owner.execute(
            "INSERT INTO notifications (user_id, type, title, message, created_at) VALUES ($1, 'alert', $2, '', $3)",
            stage.alice.user_id,
            title,
            datetime.now(UTC) + at,
        )
    before = await rows(owner)

    assert await stage.market.clock_repair.run() == (
        "16 candles, 2 prices, 1 quotes, 1 marks, 1 alerts, 1 notifications, 1 articles, 1 analyses"
    )
    assert await owner.fetchval("SELECT count(*) FROM candles WHERE opened_at < now()") == 8
    after = await rows(owner)
    assert after["ahead"] == 0
    assert before["ahead"] == 11
    assert after["past"] >= before["past"]
    assert await owner.fetchval("SELECT armed_at FROM alerts WHERE id = $1", kept.id) == kept.armed_at
    assert await owner.fetchval("SELECT position FROM alert_marks WHERE kind = 'whale_tx'") == 7
    assert await owner.fetchval("SELECT title FROM notifications ORDER BY created_at DESC LIMIT 1") == "ahead"
    assert await stage.market.clock_repair.run() == "nothing was dated ahead"


async def rows(owner: Owner) -> dict[str, int]:
    """How many rows there are ahead, and in the past, where something is listed or compared by its time."""
    columns = (
        "market_data.last_updated", "price_history.timestamp", "news_articles.published_at", "news_articles.created_at",
        "news_mentions.published_at", "notifications.created_at", "alerts.armed_at", "alerts.created_at",
        "analysis_cache.created_at", "alert_marks.at",
    )  # fmt: skip
    found = {"ahead": 0, "past": 0}
    for table, column in (name.split(".") for name in columns):
        where = " AND position IS NULL" if table == "alert_marks" else ""
        for when, sign in (("ahead", ">"), ("past", "<=")):
            found[when] += await owner.fetchval(
                f"SELECT count(*) FROM {table} WHERE {column} {sign} now() + interval '1 minute'{where}"
            )
    return found
