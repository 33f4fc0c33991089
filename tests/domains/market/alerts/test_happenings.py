"""Alerts on moods, large payments and news: each thing that happens is asked about once."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any, cast
from uuid import UUID

import pytest

from app.domains.accounts.model import Viewer
from app.domains.market.alerts.model import AlertChanges, NewsImpact, Rearm, SentimentChange, WhaleTransaction
from app.domains.market.alerts.services import matcher
from app.domains.market.alerts.services.news_alerts import NewsAlerts
from app.domains.market.alerts.services.payment_alerts import PaymentAlerts
from app.domains.market.alerts.services.sentiment_alerts import SentimentAlerts
from app.domains.market.analysis.model import Analysis, AnalysisStatus, AnalysisType
from app.domains.market.analysis.model.sentiment import Mood, SentimentFindings, SentimentSource
from app.domains.market.sources.model.chain import Chain, ChainTransfer
from tests.domains.market.alerts.stage import Stage


@dataclass
class Moods:
    """How people speak, as a test has it."""

    stage: Stage
    scores: dict[str, float] = field(default_factory=dict)
    sources: tuple[str, ...] = ("NEWS",)
    asked: list[str] = field(default_factory=list)

    async def analyse(self, symbol: str, kind: AnalysisType) -> Analysis[Any]:
        self.asked.append(symbol)
        score, now = self.scores.get(symbol), self.stage.clock.now()
        if score is None:
            return Analysis(symbol, kind, AnalysisStatus.UNAVAILABLE, "nobody speaks", 0, now, now, None)
        sources = [SentimentSource(name, score, 1 / len(self.sources), None) for name in self.sources]
        findings = SentimentFindings(score, Mood.NEUTRAL, None, sources)
        return Analysis(symbol, kind, AnalysisStatus.AVAILABLE, None, 90, now, now, findings)

    async def become(self, **scores: float) -> str:
        self.stage.clock.advance(timedelta(minutes=5))
        self.scores = scores
        dispatcher = self.stage.market.dispatcher
        return await SentimentAlerts(self.stage.database, self.stage.clock, dispatcher, self.analyse).evaluate()


async def test_a_mood_is_compared_with_where_it_stood_when_the_alert_was_armed_or_fired(stage: Stage) -> None:
    moods = Moods(stage)
    await stage.create(SentimentChange(), rearm=Rearm.EVERY_TIME)
    assert await moods.become(BTC=50) == "1 of 1 symbols measured, 0 alerts fired"
    await moods.become(BTC=80)
    assert await stage.titles() == []
    assert await moods.become(BTC=80.01) == "1 of 1 symbols measured, 1 alerts fired"
    assert await stage.titles() == ["Sentiment of BTC rose by 30.01 points"]
    await moods.become(BTC=55)
    await moods.become(BTC=50)
    assert (await stage.titles())[1:] == ["Sentiment of BTC fell by 30.01 points"]


async def test_a_mood_that_drifts_is_found(stage: Stage) -> None:
    moods = Moods(stage)
    await stage.create(SentimentChange(10))
    for score in range(50, 60):
        await moods.become(BTC=score)
    assert await stage.titles() == []
    await moods.become(BTC=60.5)
    assert len(await stage.titles()) == 1


async def test_a_source_that_falls_silent_or_is_heard_again_is_no_change_of_mood(stage: Stage) -> None:
    moods = Moods(stage, sources=("NEWS", "LUNARCRUSH"))
    await stage.create(SentimentChange(), rearm=Rearm.EVERY_TIME)
    await moods.become(BTC=90)
    moods.sources = ("NEWS",)
    await moods.become(BTC=20)
    moods.sources = ("LUNARCRUSH", "NEWS")
    await moods.become(BTC=90)
    assert await stage.titles() == []
    # The same sources in another order are the same.
    moods.sources = ("NEWS", "LUNARCRUSH")
    await moods.become(BTC=50)
    assert await stage.titles() == ["Sentiment of BTC fell by 40 points"]


async def test_a_mood_is_asked_only_where_somebody_waits_and_never_made_up(stage: Stage) -> None:
    moods = Moods(stage)
    await stage.create(SentimentChange(), symbol="ETH")
    await stage.create(SentimentChange(), symbol="SOL", enabled=False)
    await moods.become(ETH=50)
    assert await moods.become() == "0 of 1 symbols measured, 0 alerts fired"
    await moods.become(ETH=90)
    assert set(moods.asked) == {"ETH"}
    assert len(await stage.titles()) == 1


async def test_moods_are_measured_side_by_side(stage: Stage) -> None:
    moods, both = Moods(stage, {"BTC": 50, "ETH": 50}), asyncio.Barrier(2)

    async def slow(symbol: str, kind: AnalysisType) -> Analysis[Any]:
        # Opens only when two are being measured.
        await both.wait()
        return await moods.analyse(symbol, kind)

    for symbol in ("BTC", "ETH"):
        await stage.create(SentimentChange(), symbol=symbol)
    checked = await SentimentAlerts(stage.database, stage.clock, stage.market.dispatcher, slow).evaluate()
    assert checked == "2 of 2 symbols measured, 0 alerts fired"


async def test_an_alert_that_is_armed_anew_begins_where_the_mood_stands_then(stage: Stage) -> None:
    moods = Moods(stage)
    alert = await stage.create(SentimentChange())
    await moods.become(BTC=20)
    stage.clock.advance(timedelta(minutes=1))
    await stage.market.alerts.update(stage.alice, alert.id, AlertChanges())
    await moods.become(BTC=90)
    assert await stage.titles() == []
    await moods.become(BTC=50)
    assert len(await stage.titles()) == 1


@pytest.mark.parametrize("rearm", [Rearm.ONCE, Rearm.EVERY_TIME])
async def test_a_mood_that_four_measure_at_once_fires_once(stage: Stage, rearm: Rearm) -> None:
    moods = Moods(stage)
    await stage.create(SentimentChange(), rearm=rearm)
    await moods.become(BTC=10)
    stage.clock.advance(timedelta(minutes=5))
    moods.scores = {"BTC": 90}
    sentiment_alerts = SentimentAlerts(stage.database, stage.clock, stage.market.dispatcher, moods.analyse)
    await asyncio.gather(*(sentiment_alerts.evaluate() for _ in range(4)))
    assert len(await stage.titles()) == 1


@dataclass
class Sea:
    """A chain with payments of these amounts."""

    stage: Stage
    amounts: list[int] = field(default_factory=list)
    confirmed_before: timedelta = timedelta()
    source: str = "TEST_CHAIN"
    symbol: str = "BTC"

    async def transactions_after(self, seq: int, limit: int) -> list[ChainTransfer]:
        return [
            ChainTransfer(
                place, f"{place:064x}", "", "", Decimal(amount), place, self.stage.clock.now() - self.confirmed_before
            )
            for place, amount in enumerate(self.amounts, start=1)
        ][seq : seq + limit]

    async def position(self) -> int:
        return len(self.amounts)

    @property
    def payment_alerts(self) -> PaymentAlerts:
        market = self.stage.market
        return PaymentAlerts(
            self.stage.database, self.stage.clock, market.dispatcher, market.matcher, cast(Chain, self)
        )


async def test_a_large_payment_is_told_once(stage: Stage, bob: Viewer) -> None:
    sea = Sea(stage, [1000])
    await stage.create(WhaleTransaction(Decimal(100)), rearm=Rearm.EVERY_TIME)
    await stage.create(WhaleTransaction(Decimal(500)), by=bob)
    assert await sea.payment_alerts.evaluate() == "0 payments followed, 0 alerts fired"
    sea.amounts += [99, 100, 499, 5, 500]
    assert await sea.payment_alerts.evaluate() == "5 payments followed, 4 alerts fired"
    assert await sea.payment_alerts.evaluate() == "0 payments followed, 0 alerts fired"
    assert sorted(await stage.titles()) == ["100 BTC were moved", "499 BTC were moved", "500 BTC were moved"]
    assert await stage.titles(bob) == ["500 BTC were moved"]
    # In the order in which they were confirmed.
    assert [fact["value"] for fact in await stage.facts()] == [f"{amount}.000000000000" for amount in (100, 499, 500)]


async def test_what_was_paid_while_nobody_waited_is_passed_over(stage: Stage) -> None:
    sea = Sea(stage)
    await sea.payment_alerts.evaluate()
    sea.amounts += [1000]
    await sea.payment_alerts.evaluate()
    await stage.create(WhaleTransaction(Decimal(100)))
    await sea.payment_alerts.evaluate()
    assert await stage.titles() == []
    sea.amounts += [2000]
    await sea.payment_alerts.evaluate()
    assert await stage.titles() == ["2,000 BTC were moved"]


async def test_a_payment_that_was_confirmed_before_an_alert_was_armed_is_no_news_to_it(
    stage: Stage, bob: Viewer
) -> None:
    sea = Sea(stage, confirmed_before=timedelta(minutes=30))
    await stage.create(WhaleTransaction(Decimal(100)), by=bob)
    await sea.payment_alerts.evaluate()
    # Nobody follows for an hour; then there is much to catch up with.
    sea.amounts += [2000]
    stage.clock.advance(timedelta(hours=1))
    await stage.create(WhaleTransaction(Decimal(100)))
    assert await sea.payment_alerts.evaluate() == "1 payments followed, 1 alerts fired"
    assert (await stage.titles(), await stage.titles(bob)) == ([], ["2,000 BTC were moved"])


async def test_four_that_follow_at_once_tell_each_payment_once(stage: Stage) -> None:
    sea = Sea(stage)
    await stage.create(WhaleTransaction(Decimal(1)), rearm=Rearm.EVERY_TIME)
    await sea.payment_alerts.evaluate()
    sea.amounts += list(range(1, 1201))
    await asyncio.gather(*(sea.payment_alerts.evaluate() for _ in range(4)))
    await sea.payment_alerts.evaluate()
    assert [fact["value"] for fact in await stage.facts()] == [f"{number}.000000000000" for number in range(1, 1201)]


async def publish(stage: Stage, impact: int, symbols: Sequence[str], title: str = "Bitcoin surges") -> UUID:
    id: UUID = await stage.owner.fetchval(
        "INSERT INTO news_articles (title, source, url, impact, symbols_mentioned, published_at, created_at)"
        " VALUES ($1, 'x', 'https://news.example/' || gen_random_uuid(), $2, $3, $4, $4) RETURNING id",
        title, impact, list(symbols), stage.clock.now(),
    )  # fmt: skip
    return id


async def test_news_are_told_to_whoever_waits_for_their_impact(stage: Stage, bob: Viewer) -> None:
    await stage.create(NewsImpact(70))
    await stage.create(NewsImpact(71), by=bob)
    await stage.create(NewsImpact(1), symbol="SOL", by=bob)
    news_alerts = NewsAlerts(stage.database, stage.clock, stage.market.matcher)
    article = await publish(stage, 70, ["BTC", "ETH"])
    await news_alerts.evaluate({"ids": [str(article)]})
    assert (await stage.titles(), await stage.titles(bob)) == (["BTC: Bitcoin surges"], [])
    assert await stage.owner.fetchval("SELECT alerts_evaluated_at FROM news_articles") == stage.clock.now()


async def test_an_article_from_before_an_alert_was_armed_is_no_news_to_it(stage: Stage, bob: Viewer) -> None:
    await stage.create(NewsImpact(1), by=bob)
    article = await publish(stage, 70, ["BTC"])
    stage.clock.advance(timedelta(hours=1))
    await stage.create(NewsImpact(1))
    await NewsAlerts(stage.database, stage.clock, stage.market.matcher).evaluate({"ids": [str(article)]})
    assert (await stage.titles(), await stage.titles(bob)) == ([], ["BTC: Bitcoin surges"])


async def test_an_article_is_asked_about_once_whoever_does(stage: Stage) -> None:
    await stage.create(NewsImpact(1), rearm=Rearm.EVERY_TIME)
    await stage.create(NewsImpact(1), symbol="ETH", rearm=Rearm.EVERY_TIME)
    news_alerts = NewsAlerts(stage.database, stage.clock, stage.market.matcher)
    ids = [str(await publish(stage, 50, ["BTC", "ETH"], title=f"News {number}")) for number in range(3)]
    await asyncio.gather(*(news_alerts.evaluate({"ids": order}) for order in (ids, ids[::-1], ids, [*ids, *ids])))
    assert sorted(await stage.titles()) == sorted(f"{s}: News {n}" for s in ("BTC", "ETH") for n in range(3))


async def test_many_who_wait_for_one_article_are_told_bit_by_bit(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
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
