"""The demo market: a past without holes or jumps, that ends where the feed goes on, and is made once."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest_asyncio

from app.dev.demo_market import load_demo_market
from app.dev.demo_news import SOURCE, drafts
from app.dev.demo_prices import DemoSize
from app.domains.accounts.model import Viewer
from app.domains.market.providers.services.simulated import SIMULATED
from app.domains.market.services import MarketServices
from app.kit.clock import FixedClock
from app.kit.db import Database
from app.kit.house import Services
from tests.databases import Owner
from tests.factories import register

SIZE = DemoSize(minute_tokens=3, days=2, daily_days=5)
MIDNIGHT = datetime.fromisoformat("2026-11-21T00:00Z")


async def load(services: Services, database: Database, clock: FixedClock, people: tuple[Viewer, Viewer]) -> list[int]:
    """Loads it; returns the progress that was reported: steps done, of how many."""
    steps: list[int] = []
    is_new = await load_demo_market(
        services[MarketServices],
        database,
        clock,
        people,
        size=SIZE,
        progressed=lambda done, total: steps.append(done),
    )
    assert is_new == bool(steps)
    return steps


@pytest_asyncio.fixture
async def people(services: Services) -> tuple[Viewer, Viewer]:
    return await register(services, "alice@example.com"), await register(services, "bob@example.com")


async def test_the_demo_market(
    services: Services, database: Database, owner: Owner, clock: FixedClock, people: tuple[Viewer, Viewer]
) -> None:
    clock.advance(timedelta(minutes=7, seconds=30))
    assert await load(services, database, clock, people) == list(range(1, 501))
    await candles_are_whole(owner, clock.now().replace(second=0))
    await quotes_are_where_candles_end(owner, clock.now())
    assert await owner.fetchval("SELECT count(*) FROM price_history") == 3 * 288
    news = await owner.fetchrow(
        "SELECT count(*) AS articles, count(DISTINCT title) AS titles, max(published_at) AS newest,"
        " count(*) FILTER (WHERE symbols_mentioned <> '{}') AS about_tokens FROM news_articles WHERE source = $1",
        SOURCE,
    )
    assert news is not None
    assert (news["articles"], news["titles"]) == (60, 60)
    assert news["about_tokens"] >= 45
    assert news["newest"] > clock.now() - timedelta(hours=1)
    kinds = await owner.fetch("SELECT DISTINCT alert_type FROM alerts")
    assert len(kinds) == 7
    near = await owner.fetchval(
        "SELECT count(*) FROM alerts a JOIN market_data m USING (symbol) WHERE is_armed AND alert_type LIKE 'price_%'"
        " AND abs(threshold_value / price_usd - 1) < 0.00021"
    )
    assert near == 4

    # Once: not again, and not where somebody has cleared away what came with it.
    before = await owner.fetchval("SELECT count(*) FROM candles")
    await owner.execute("DELETE FROM watchlist_items; DELETE FROM alerts; DELETE FROM news_articles")
    clock.advance(timedelta(hours=5))
    assert await load(services, database, clock, people) == []
    assert await owner.fetchval("SELECT count(*) FROM candles") == before
    for table in ("watchlist_items", "alerts", "news_articles"):
        assert await owner.fetchval(f"SELECT count(*) FROM {table}") == 0


async def candles_are_whole(owner: Owner, until: datetime) -> None:
    """Each begins where the one before ended, from the first to the last, and longer ones hold what the shorter do."""
    spans = {
        row["interval"]: (row["symbols"], row["first"], row["last"], row["candles"])
        for row in await owner.fetch(
            "SELECT interval, count(DISTINCT symbol) AS symbols, min(opened_at) AS first, max(opened_at) AS last,"
            " count(*) AS candles FROM candles WHERE exchange = $1 GROUP BY interval",
            SIMULATED,
        )
    }
    since, minute = MIDNIGHT - timedelta(days=2), timedelta(minutes=1)
    minutes = (until - since) // minute
    assert minutes == 2 * 1440 + 727
    assert spans == {
        "1m": (3, since, until - minute, 3 * minutes),
        "5m": (3, since, until.replace(minute=5), 3 * -(-minutes // 5)),
        "1h": (250, since, until.replace(minute=0), 250 * -(-minutes // 60)),
        "1d": (250, MIDNIGHT - timedelta(days=5), MIDNIGHT, 250 * 6),
    }
    jumps = await owner.fetchval(
        "SELECT count(*) FROM"
        " (SELECT open, lag(close) OVER (PARTITION BY symbol, interval ORDER BY opened_at) AS before FROM candles) c"
        " WHERE open <> before"
    )
    assert jumps == 0
    unequal = await owner.fetchval(
        "SELECT count(*) FROM candles d JOIN LATERAL (SELECT max(high) AS high, min(low) AS low FROM candles m"
        " WHERE m.symbol = d.symbol AND m.interval = '1h' AND m.opened_at >= d.opened_at"
        " AND m.opened_at < d.opened_at + interval '1 day') hours ON hours.high IS NOT NULL"
        " WHERE d.interval = '1d' AND (d.high, d.low) <> (hours.high, hours.low)"
    )
    assert unequal == 0


async def quotes_are_where_candles_end(owner: Owner, now: datetime) -> None:
    quotes = await owner.fetch(
        "SELECT m.price_usd, m.low_24h, m.high_24h, m.last_updated, c.close FROM market_data m JOIN LATERAL"
        " (SELECT close FROM candles c WHERE c.symbol = m.symbol ORDER BY opened_at DESC, interval LIMIT 1) c ON true"
    )
    assert len(quotes) == 250
    for quote in quotes:
        assert quote["last_updated"] == now
        assert quote["price_usd"] == quote["close"]
        assert quote["low_24h"] <= quote["price_usd"] <= quote["high_24h"]


async def test_the_feed_goes_on_without_a_jump(
    services: Services, database: Database, clock: FixedClock, people: tuple[Viewer, Viewer], owner: Owner
) -> None:
    await load(services, database, clock, people)
    rows = await owner.fetch("SELECT symbol, price_usd FROM market_data")
    before: dict[str, Decimal] = {row["symbol"]: row["price_usd"] for row in rows}
    # A night without a worker.
    clock.advance(timedelta(hours=9))
    after = {
        quote.symbol: quote.price_usd
        for quote in (await services[MarketServices].providers.prices.quotes(list(before))).accepted
    }
    assert before.keys() == after.keys()
    assert max(abs(after[symbol] / before[symbol] - 1) for symbol in before) < Decimal("0.02")


async def test_what_an_interrupted_start_has_left_is_made_anew(
    services: Services, database: Database, clock: FixedClock, people: tuple[Viewer, Viewer], owner: Owner
) -> None:
    await load(services, database, clock, people)
    whole = await owner.fetchval("SELECT count(*) FROM candles")
    await owner.execute("DELETE FROM market_data; DELETE FROM candles WHERE interval = '1d'")
    clock.advance(timedelta(seconds=10))
    assert len(await load(services, database, clock, people)) == 500
    assert await owner.fetchval("SELECT count(*) FROM candles") == whole
    assert await owner.fetchval("SELECT count(*) FROM news_articles") == 60
    assert await owner.fetchval("SELECT count(*) FROM watchlist_items") == 9


def test_the_paper_is_not_a_real_one(clock: FixedClock) -> None:
    articles = drafts(clock.now())
    assert {article.url.split("/")[2] for article in articles} == {"news.moneta.example"}
    assert len({article.url for article in articles}) == len(articles) == 60
