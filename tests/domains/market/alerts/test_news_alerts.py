"""Alerts on news: each article is evaluated once."""

import asyncio
import json
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import pytest

from app.domains.accounts.model import Viewer
from app.domains.market.alerts.model import NewsImpact, Rearm
from app.domains.market.alerts.services import matcher
from app.domains.market.alerts.services.news_alerts import NewsAlerts
from tests.domains.market.alerts.stage import Stage


async def publish(stage: Stage, impact: int, symbols: Sequence[str], title: str = "Bitcoin surges") -> UUID:
    id: UUID = await stage.owner.fetchval(
        "INSERT INTO news_articles (title, source, url, impact, symbols_mentioned, published_at, created_at)"
        " VALUES ($1, 'x', 'https://news.example/' || gen_random_uuid(), $2, $3, $4, $4) RETURNING id",
        title, impact, list(symbols), stage.clock.now(),
    )  # fmt: skip
    return id


async def test_an_article_fires_the_alerts_of_its_impact(stage: Stage, bob: Viewer) -> None:
    await stage.create(NewsImpact(70))
    await stage.create(NewsImpact(71), by=bob)
    await stage.create(NewsImpact(1), symbol="SOL", by=bob)
    news_alerts = NewsAlerts(stage.database, stage.clock, stage.market.matcher)
    article = await publish(stage, 70, ["BTC", "ETH"])
    await news_alerts.evaluate({"ids": [str(article)]})
    assert (await stage.titles(), await stage.titles(bob)) == (["BTC: Bitcoin surges"], [])
    assert await stage.owner.fetchval("SELECT alerts_evaluated_at FROM news_articles") == stage.clock.now()


async def test_an_article_from_before_an_alert_was_armed_does_not_fire_it(stage: Stage, bob: Viewer) -> None:
    await stage.create(NewsImpact(1), by=bob)
    article = await publish(stage, 70, ["BTC"])
    stage.clock.advance(timedelta(hours=1))
    await stage.create(NewsImpact(1))
    await NewsAlerts(stage.database, stage.clock, stage.market.matcher).evaluate({"ids": [str(article)]})
    assert (await stage.titles(), await stage.titles(bob)) == ([], ["BTC: Bitcoin surges"])


@pytest.mark.usefixtures("warm")
async def test_an_article_is_evaluated_once_however_often_it_is_tried(stage: Stage) -> None:
    await stage.create(NewsImpact(1), rearm=Rearm.EVERY_TIME)
    await stage.create(NewsImpact(1), symbol="ETH", rearm=Rearm.EVERY_TIME)
    news_alerts = NewsAlerts(stage.database, stage.clock, stage.market.matcher)
    ids = [str(await publish(stage, 50, ["BTC", "ETH"], title=f"News {number}")) for number in range(3)]
    await asyncio.gather(*(news_alerts.evaluate({"ids": order}) for order in (ids, ids[::-1], ids, [*ids, *ids])))
    assert sorted(await stage.titles()) == sorted(f"{s}: News {n}" for s in ("BTC", "ETH") for n in range(3))


async def test_many_alerts_on_one_article_fire_in_batches(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matcher, "BATCH", 4)
    for impact in range(1, 11):
        await stage.create(NewsImpact(impact))
    article = await publish(stage, 50, ["BTC"])
    await NewsAlerts(stage.database, stage.clock, stage.market.matcher).evaluate({"ids": [str(article)]})
    assert len(await stage.titles()) == 4
    [payload] = [row[0] for row in await stage.owner.fetch("DELETE FROM pgqueuer RETURNING payload")]
    for _ in range(2):
        await stage.market.matcher.work_off(json.loads(payload))
    assert await stage.titles() == ["BTC: Bitcoin surges"] * 10


async def test_a_long_headline_fits(stage: Stage) -> None:
    await stage.create(NewsImpact(1))
    article = await publish(stage, 100, ["BTC"], title="x" * 500)
    await NewsAlerts(stage.database, stage.clock, stage.market.matcher).evaluate({"ids": [str(article)]})
    assert [len(title) for title in await stage.titles()] == [200]
