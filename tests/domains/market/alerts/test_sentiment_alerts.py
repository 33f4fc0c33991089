"""Alerts on changes of sentiment."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from app.domains.market.alerts.model import AlertChanges, Rearm, SentimentChange
from app.domains.market.alerts.services.sentiment_alerts import SentimentAlerts
from app.domains.market.analysis.model import Analysis, AnalysisStatus, AnalysisType
from app.domains.market.analysis.model.sentiment import Mood, SentimentFindings, SentimentSource
from tests.domains.market.alerts.stage import Stage


@dataclass
class Scores:
    """The sentiments that a test sets."""

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


async def test_a_sentiment_is_compared_with_that_when_the_alert_was_armed_or_fired(stage: Stage) -> None:
    scores = Scores(stage)
    await stage.create(SentimentChange(), rearm=Rearm.EVERY_TIME)
    assert await scores.become(BTC=50) == "1 of 1 symbols measured, 0 alerts fired"
    await scores.become(BTC=80)
    assert await stage.titles() == []
    assert await scores.become(BTC=80.01) == "1 of 1 symbols measured, 1 alerts fired"
    assert await stage.titles() == ["Sentiment of BTC rose by 30.01 points"]
    await scores.become(BTC=55)
    await scores.become(BTC=50)
    assert (await stage.titles())[1:] == ["Sentiment of BTC fell by 30.01 points"]


async def test_a_sentiment_that_drifts_is_found(stage: Stage) -> None:
    scores = Scores(stage)
    await stage.create(SentimentChange(10))
    for score in range(50, 60):
        await scores.become(BTC=score)
    assert await stage.titles() == []
    await scores.become(BTC=60.5)
    assert len(await stage.titles()) == 1


async def test_a_source_that_goes_or_comes_is_no_change_of_sentiment(stage: Stage) -> None:
    scores = Scores(stage, sources=("NEWS", "LUNARCRUSH"))
    await stage.create(SentimentChange(), rearm=Rearm.EVERY_TIME)
    await scores.become(BTC=90)
    scores.sources = ("NEWS",)
    await scores.become(BTC=20)
    scores.sources = ("LUNARCRUSH", "NEWS")
    await scores.become(BTC=90)
    assert await stage.titles() == []
    # The same sources in another order are the same.
    scores.sources = ("NEWS", "LUNARCRUSH")
    await scores.become(BTC=50)
    assert await stage.titles() == ["Sentiment of BTC fell by 40 points"]


async def test_only_symbols_with_alerts_are_measured_and_no_score_is_made_up(stage: Stage) -> None:
    scores = Scores(stage)
    await stage.create(SentimentChange(), symbol="ETH")
    await stage.create(SentimentChange(), symbol="SOL", enabled=False)
    await scores.become(ETH=50)
    assert await scores.become() == "0 of 1 symbols measured, 0 alerts fired"
    await scores.become(ETH=90)
    assert set(scores.asked) == {"ETH"}
    assert len(await stage.titles()) == 1


async def test_sentiments_are_measured_concurrently(stage: Stage) -> None:
    scores, both = Scores(stage, {"BTC": 50, "ETH": 50}), asyncio.Barrier(2)

    async def slow(symbol: str, kind: AnalysisType) -> Analysis[Any]:
        # Opens only when two are being measured.
        await both.wait()
        return await scores.analyse(symbol, kind)

    for symbol in ("BTC", "ETH"):
        await stage.create(SentimentChange(), symbol=symbol)
    checked = await SentimentAlerts(stage.database, stage.clock, stage.market.dispatcher, slow).evaluate()
    assert checked == "2 of 2 symbols measured, 0 alerts fired"


async def test_a_rearmed_alert_begins_with_the_sentiment_of_that_time(stage: Stage) -> None:
    scores = Scores(stage)
    alert = await stage.create(SentimentChange())
    await scores.become(BTC=20)
    stage.clock.advance(timedelta(minutes=1))
    await stage.market.alerts.update(stage.alice, alert.id, AlertChanges(enabled=True))
    await scores.become(BTC=90)
    assert await stage.titles() == []
    await scores.become(BTC=50)
    assert len(await stage.titles()) == 1


@pytest.mark.parametrize("rearm", [Rearm.ONCE, Rearm.EVERY_TIME])
@pytest.mark.usefixtures("warm")
async def test_a_sentiment_that_four_measure_at_once_fires_once(stage: Stage, rearm: Rearm) -> None:
    scores = Scores(stage)
    await stage.create(SentimentChange(), rearm=rearm)
    await scores.become(BTC=10)
    stage.clock.advance(timedelta(minutes=5))
    scores.scores = {"BTC": 90}
    sentiment_alerts = SentimentAlerts(stage.database, stage.clock, stage.market.dispatcher, scores.analyse)
    await asyncio.gather(*(sentiment_alerts.evaluate() for _ in range(4)))
    assert len(await stage.titles()) == 1
