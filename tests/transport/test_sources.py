"""How the sources of the market show in /metrics and in /health/ready."""

import dataclasses
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from redis.asyncio import Redis

from app.domains.market.house import MARKET
from app.domains.market.providers.services import Providers
from app.domains.market.providers.services.directory import Directory
from app.domains.market.providers.services.simulated import SimulatedProvider
from app.domains.market.services import MarketServices
from app.domains.market.sources.metrics import SourceMetrics
from app.domains.market.sources.model import MarketSource, SourceKind
from app.kit.clock import FixedClock
from app.kit.db import Database
from app.kit.errors import Unavailable
from app.main import Application
from app.settings import Settings
from tests.conftest import settings_for_tests
from tests.databases import NOON
from tests.transport.support import build, client_for

FEEDS = [
    MarketSource("https://news.example/a?key=secret", SourceKind.NEWS, NOON, NOON, "HTTP 500", 3, {"duplicate": 1}),
    MarketSource("https://news.example/b", SourceKind.NEWS, NOON + timedelta(hours=1), None, None, 4, {"duplicate": 2}),
]
PRICES = MarketSource("coingecko", SourceKind.PRICES, NOON, None, None, 250, {"stale": 7})


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A server that asks CoinGecko."""
    return settings_for_tests(tmp_path).model_copy(update={"market_provider": "coingecko"})


async def shown(reads: list[Sequence[MarketSource] | Exception]) -> list[list[str]]:
    """The lines about sources of as many scrapes of /metrics as there are reads."""

    async def read() -> Sequence[MarketSource]:
        now = reads.pop(0)
        if isinstance(now, Exception):
            raise now
        return now

    metrics = SourceMetrics(read)
    client, scrapes = client_for(build(collectors=[metrics], metric_refreshes=[metrics.refresh])), len(reads)
    texts = [(await client.get("/metrics")).text for _ in range(scrapes)]
    return [sorted(line for line in text.splitlines() if line.startswith("moneta_source_")) for text in texts]


async def test_metrics_show_each_source_and_feeds_by_their_host() -> None:
    [lines] = await shown([[PRICES, *FEEDS]])
    assert lines == [
        'moneta_source_accepted_total{kind="news",source="news.example"} 7.0',
        'moneta_source_accepted_total{kind="prices",source="coingecko"} 250.0',
        'moneta_source_ignored_total{kind="news",reason="duplicate",source="news.example"} 3.0',
        'moneta_source_ignored_total{kind="prices",reason="stale",source="coingecko"} 7.0',
        # NOON, and an hour later.
        'moneta_source_last_failure_timestamp_seconds{kind="news",source="news.example"} 1.7952624e+09',
        'moneta_source_last_success_timestamp_seconds{kind="news",source="news.example"} 1.795266e+09',
        'moneta_source_last_success_timestamp_seconds{kind="prices",source="coingecko"} 1.7952624e+09',
    ]


async def test_metrics_without_a_database_show_what_it_said_last() -> None:
    before, during, after = await shown([[PRICES], Unavailable(), []])
    assert before == during != []
    assert after == []


async def test_only_a_provider_that_is_asked_can_fail(application: Application, settings: Settings) -> None:
    market = application.services[MarketServices]
    assert MARKET.checks(application.wiring, market).keys() == {"coingecko"}
    simulated = SimulatedProvider(Directory(application.database), application.clock, seed=1, period_s=1.0)
    invented = dataclasses.replace(market, providers=Providers(simulated))
    assert MARKET.checks(application.wiring, invented) == {}


async def test_ready_unless_the_provider_has_failed_for_too_long(
    application: Application, database: Database, redis: Redis, clock: FixedClock, settings: Settings
) -> None:
    market = application.services[MarketServices]
    client = client_for(
        build(database=database, redis=redis, readiness_checks=MARKET.checks(application.wiring, market))
    )

    async def apis() -> tuple[int, str]:
        response = await client.get("/health/ready")
        return response.status_code, response.json()["checks"]["apis"]

    # No worker has asked yet.
    assert await apis() == (200, "healthy")
    await market.sources.succeeded("coingecko", SourceKind.PRICES, accepted=250)
    clock.advance(timedelta(seconds=settings.market_silence_s))
    await market.sources.failed("coingecko", SourceKind.PRICES, Unavailable("HTTP 500"))
    assert await apis() == (200, "healthy")
    clock.advance(timedelta(seconds=1))
    assert await apis() == (503, "unhealthy")
    await market.sources.succeeded("coingecko", SourceKind.PRICES, accepted=250)
    assert await apis() == (200, "healthy")
