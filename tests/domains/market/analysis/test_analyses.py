"""Analyses are made once, kept as long as they hold, and fail alone."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from redis.asyncio import Redis

from app.domains.market.analysis.model import TTLS, UNAVAILABLE_TTL, Analysis, AnalysisStatus, AnalysisType
from app.domains.market.analysis.model.kinds import read_analysis
from app.domains.market.analysis.model.market_data import MarketDataFindings
from app.domains.market.analysis.model.news import NewsFindings
from app.domains.market.analysis.model.research import ResearchFindings, ResearchSentence
from app.domains.market.analysis.rules.quality import Source
from app.domains.market.analysis.services import Analyses, AnalysisDeps
from app.domains.market.analysis.services.analyst import Examination, NotAvailable
from app.domains.market.analysis.services.media import SentimentAnalyst
from app.domains.market.house import MARKET
from app.domains.market.providers.model.social import Social
from app.domains.market.services import MarketServices
from app.kit.clock import FixedClock
from app.kit.db import Database
from app.kit.errors import Unavailable
from tests.databases import NOON, Owner

WITHOUT_CHAIN = {AnalysisType.ON_CHAIN, AnalysisType.DERIVATIVES, AnalysisType.DEFI}
FOUND = NewsFindings(articles=1, articles_24h=1, positive=1, neutral=0, negative=0, sentiment=0.5, sources=1, top=[])
WRITTEN = ResearchFindings("TEST", [ResearchSentence("Fine.", [AnalysisType.NEWS])])
PERFECT = (Source("input", 1, 1.0, 0, 1, 2),)


@dataclass
class Fake:
    """An analyst that counts how often it is asked, and does what it is set to."""

    type: AnalysisType = AnalysisType.NEWS
    outcome: Callable[[], Examination] = lambda: Examination(FOUND, PERFECT)
    asked: int = 0
    may_end: asyncio.Event = field(default_factory=asyncio.Event)

    async def examine(self, symbol: str) -> Examination:
        self.asked += 1
        await self.may_end.wait()
        return self.outcome()


def failing(error: Exception) -> Callable[[], Examination]:
    def fail() -> Examination:
        raise error

    return fail


def analyses_of(database: Database, redis: Redis, clock: FixedClock, *analysts: Any) -> Analyses:
    return Analyses(database, redis, clock, analysts, None)


async def test_each_of_the_ten_is_made_and_says_how_long_it_holds(supplied: MarketServices, clock: FixedClock) -> None:
    for kind in AnalysisType:
        made = await supplied.analyses.get("BTC", kind)
        assert (made.symbol, made.type, made.computed_at) == ("BTC", kind, clock.now())
        if kind in WITHOUT_CHAIN:
            assert (made.status, made.quality, made.findings) == (AnalysisStatus.UNAVAILABLE, 0, None)
            assert made.reason is not None
            assert made.expires_at == clock.now() + UNAVAILABLE_TTL
        else:
            assert (made.status, made.reason) == (AnalysisStatus.AVAILABLE, None)
            assert made.quality > 0
            assert made.expires_at == clock.now() + TTLS[kind]


async def test_market_data_says_what_is_quoted(supplied: MarketServices) -> None:
    made = await supplied.analyses.get("BTC", AnalysisType.MARKET_DATA)
    assert isinstance(made.findings, MarketDataFindings)
    assert (made.quality, made.findings.price_usd, made.findings.exchange) == (100, Decimal(100), "simulated")
    assert made.findings.range_position == 0.5
    assert made.findings.turnover == 0.01


async def test_quality_falls_with_the_age_of_the_quote(supplied: MarketServices, owner: Owner) -> None:
    await owner.execute("UPDATE market_data SET last_updated = $1 WHERE symbol = 'BTC'", NOON - timedelta(seconds=330))
    made = await supplied.analyses.get("BTC", AnalysisType.MARKET_DATA)
    # Three quarters of it is the quote, of which half its freshness is left.
    assert made.quality == 62


async def test_nothing_is_predicted_from_an_old_price(supplied: MarketServices, clock: FixedClock) -> None:
    clock.advance(timedelta(hours=2))
    assert (await supplied.analyses.get("BTC", AnalysisType.PREDICTIONS)).status is AnalysisStatus.AVAILABLE
    clock.advance(TTLS[AnalysisType.PREDICTIONS])
    found = await supplied.analyses.get("BTC", AnalysisType.PREDICTIONS)
    assert (found.status, found.findings) == (AnalysisStatus.UNAVAILABLE, None)
    assert found.reason == "No hour of its prices has been recorded lately: an older one predicts nothing."


async def test_a_token_of_which_nothing_is_known_has_reasons_in_place_of_findings(supplied: MarketServices) -> None:
    reasons = {kind: (await supplied.analyses.get("DOGE", kind)).reason for kind in AnalysisType}
    assert reasons == {
        AnalysisType.MARKET_DATA: "Nobody has quoted it yet.",
        AnalysisType.TECHNICAL: "Its prices have not been recorded yet.",
        AnalysisType.SENTIMENT: "Nobody has written about it in three days, and no social media are configured.",
        AnalysisType.NEWS: "No article of the last seven days mentions it.",
        AnalysisType.ON_CHAIN: "Only the chain of BTC is followed; no provider knows that of DOGE.",
        AnalysisType.PREDICTIONS: "Its prices have not been recorded yet.",
        AnalysisType.RISK: "Its prices have not been recorded yet.",
        AnalysisType.DERIVATIVES: "No provider of derivatives is configured.",
        AnalysisType.DEFI: "No provider of decentralised finance is configured.",
        AnalysisType.RESEARCH: "None of the other analyses is available.",
    }


async def test_a_thousand_who_ask_at_once_cost_one_analysis(
    database: Database, redis: Redis, clock: FixedClock, owner: Owner
) -> None:
    fake = Fake()
    here, there = (analyses_of(database, redis, clock, fake) for _ in range(2))
    asking = asyncio.gather(*(each.get("BTC", AnalysisType.NEWS) for each in (here, there) for _ in range(500)))
    fake.may_end.set()
    answers = await asking
    assert len(answers) == 1000
    assert len({msgspec.json.encode(each) for each in answers}) == 1
    assert fake.asked == 1
    assert (here.asked, there.asked, here.made + there.made) == (500, 500, 1)
    assert await owner.fetchval("SELECT count(*) FROM analysis_cache") == 1


async def test_it_is_kept_in_redis_and_survives_its_loss_in_postgres(
    supplied: MarketServices, redis: Redis, owner: Owner
) -> None:
    first = await supplied.analyses.get("BTC", AnalysisType.TECHNICAL)
    await owner.execute("DELETE FROM candles")
    assert await supplied.analyses.get("BTC", AnalysisType.TECHNICAL) == first
    await redis.flushall()
    assert await supplied.analyses.get("BTC", AnalysisType.TECHNICAL) == first
    row = await owner.fetchrow("SELECT symbol, analysis_type, data_quality_score, expires_at FROM analysis_cache")
    assert row is not None
    assert tuple(row) == ("BTC", "technical", first.quality, first.expires_at)


async def test_it_is_made_anew_once_it_holds_no_more(
    database: Database, redis: Redis, clock: FixedClock, owner: Owner
) -> None:
    fake = Fake()
    fake.may_end.set()
    analyses = analyses_of(database, redis, clock, fake)
    first = await analyses.get("BTC", AnalysisType.NEWS)
    clock.advance(TTLS[AnalysisType.NEWS] - timedelta(seconds=1))
    assert await analyses.get("BTC", AnalysisType.NEWS) == first
    clock.advance(timedelta(seconds=1))
    second = await analyses.get("BTC", AnalysisType.NEWS)
    assert (fake.asked, second.computed_at) == (2, clock.now())
    assert await owner.fetchval("SELECT count(*) FROM analysis_cache") == 1


async def test_what_another_release_has_stored_is_made_anew(
    database: Database, redis: Redis, clock: FixedClock, owner: Owner
) -> None:
    await owner.execute(
        "INSERT INTO analysis_cache (symbol, analysis_type, data, data_quality_score, created_at, expires_at)"
        " VALUES ('BTC', 'research', '{\"type\": \"research\", \"old\": 1}', 7, $1, $2)",
        NOON - timedelta(minutes=1),
        NOON + timedelta(hours=1),
    )
    await redis.set("moneta:computed:analysis:BTC:research", b"{not json", ex=60)
    fake = Fake(AnalysisType.RESEARCH, lambda: Examination(WRITTEN, PERFECT))
    fake.may_end.set()
    analyses = analyses_of(database, redis, clock)
    analyses._analysts[AnalysisType.RESEARCH] = fake
    made = await analyses.get("BTC", AnalysisType.RESEARCH)
    assert (made.findings, made.quality) == (WRITTEN, 100)
    assert await owner.fetchval("SELECT data_quality_score FROM analysis_cache") == 100


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (NotAvailable("It is Sunday."), "It is Sunday."),
        (Unavailable("coingecko does not answer."), "coingecko does not answer."),
        (ZeroDivisionError("secret"), "It could not be computed."),
    ],
)
async def test_a_failure_is_cached_for_half_a_minute_and_not_stored(  # noqa: PLR0917
    database: Database, redis: Redis, clock: FixedClock, owner: Owner, error: Exception, reason: str
) -> None:
    fake = Fake(outcome=failing(error))
    fake.may_end.set()
    analyses = analyses_of(database, redis, clock, fake)
    found = await analyses.get("BTC", AnalysisType.NEWS)
    assert (found.status, found.reason, found.quality, found.findings) == (
        AnalysisStatus.UNAVAILABLE,
        reason,
        0,
        None,
    )
    await analyses.get("BTC", AnalysisType.NEWS)
    assert fake.asked == 1
    assert await owner.fetchval("SELECT count(*) FROM analysis_cache") == 0
    clock.advance(UNAVAILABLE_TTL)
    fake.outcome = Fake.outcome
    assert (await analyses.get("BTC", AnalysisType.NEWS)).status is AnalysisStatus.AVAILABLE


async def test_without_redis_the_answer_comes_from_postgres(
    database: Database, clock: FixedClock, owner: Owner
) -> None:
    nowhere = Redis.from_url("redis://127.0.0.1:1/0")
    fake = Fake()
    fake.may_end.set()
    analyses = analyses_of(database, nowhere, clock, fake)
    first = await analyses.get("BTC", AnalysisType.NEWS)
    assert await analyses.get("BTC", AnalysisType.NEWS) == first
    assert fake.asked == 1
    assert await owner.fetchval("SELECT count(*) FROM analysis_cache") == 1
    await nowhere.aclose()


async def test_without_postgres_cached_and_new_analyses_are_returned(
    database: Database, redis: Redis, clock: FixedClock
) -> None:
    fake = Fake()
    fake.may_end.set()
    analyses = analyses_of(database, redis, clock, fake)
    await database.close()
    first = await analyses.get("BTC", AnalysisType.NEWS)
    assert first.status is AnalysisStatus.AVAILABLE
    assert await analyses.get("BTC", AnalysisType.NEWS) == first
    assert fake.asked == 1


async def test_sentiment_blends_what_is_configured_and_names_it(
    supplied: MarketServices, database: Database, clock: FixedClock, owner: Owner
) -> None:
    class Chatter:
        name = "lunarcrush"

        async def social(self, symbol: str) -> Social | None:
            return Social(symbol, clock.now(), 60.0, 40.0, 5000, 100_000, 1.5)

    examination = await SentimentAnalyst(AnalysisDeps(database, clock), Chatter()).examine("BTC")
    found = examination.findings
    # The press says 90 at a weight of 0.6, the others 40 at 0.4.
    assert found.score == pytest.approx(70)
    assert [(each.name, each.score, each.weight, each.samples) for each in found.sources] == [
        ("NEWS", pytest.approx(90), pytest.approx(0.6), 12),
        ("LUNARCRUSH", 40, pytest.approx(0.4), 5000),
    ]


async def test_sentiment_lives_without_a_provider_that_does_not_answer(
    supplied: MarketServices, database: Database, clock: FixedClock
) -> None:
    class Silent:
        name = "lunarcrush"

        async def social(self, symbol: str) -> Social | None:
            raise Unavailable

    found = (await SentimentAnalyst(AnalysisDeps(database, clock), Silent()).examine("BTC")).findings
    assert [each.name for each in found.sources] == ["NEWS"]


async def test_sentiment_lives_without_a_provider_that_hangs(
    supplied: MarketServices, database: Database, clock: FixedClock
) -> None:
    class Hanging:
        name = "lunarcrush"

        async def social(self, symbol: str) -> Social | None:
            await asyncio.Event().wait()
            raise AssertionError("unreachable")

    examination = await SentimentAnalyst(AnalysisDeps(database, clock), Hanging(), wait_s=0.05).examine("BTC")
    assert [each.name for each in examination.findings.sources] == ["NEWS"]
    assert examination.sources[1].completeness == 0


async def test_every_analysis_is_read_back_as_it_was_stored(supplied: MarketServices) -> None:
    for kind in AnalysisType:
        made = await supplied.analyses.get("BTC", kind)
        assert read_analysis(msgspec.json.decode(msgspec.json.encode(made))) == made


@pytest.mark.parametrize(
    "data", [None, [], {}, {"type": "astrology"}, {"type": "news"}, {"type": 7}, "x", {"type": []}]
)
def test_what_is_no_analysis_is_not_read_as_one(data: Any) -> None:
    with pytest.raises(ValueError, match="not an analysis"):
        read_analysis(data)


async def test_what_has_expired_is_forgotten_at_three(
    supplied: MarketServices, clock: FixedClock, owner: Owner
) -> None:
    schedule = next(each for each in MARKET.schedules(supplied) if each.name == "expired-market-data")
    assert schedule.cron == "0 3 * * *"
    await supplied.analyses.get("BTC", AnalysisType.MARKET_DATA)
    await supplied.analyses.get("BTC", AnalysisType.RESEARCH)
    clock.advance(timedelta(minutes=16))
    assert await schedule.handler() == "6 analyses, 0 runs; alerts: 0 deleted"
    left = await owner.fetch("SELECT analysis_type FROM analysis_cache ORDER BY 1")
    assert [row[0] for row in left] == ["research"]


def test_every_type_has_a_ttl_of_the_seed_or_of_ours() -> None:
    assert set(TTLS) == set(AnalysisType)
    assert {kind: ttl for kind, ttl in TTLS.items() if ttl in (timedelta(minutes=1), timedelta(hours=1))} == {
        AnalysisType.MARKET_DATA: timedelta(minutes=1),
        AnalysisType.RESEARCH: timedelta(hours=1),
        AnalysisType.ON_CHAIN: timedelta(hours=1),
        AnalysisType.DEFI: timedelta(hours=1),
    }


def test_an_analysis_without_findings_is_one_of_any_type() -> None:
    found: Analysis[Any] = Analysis("BTC", AnalysisType.DEFI, AnalysisStatus.UNAVAILABLE, "x", 0, NOON, NOON, None)
    assert read_analysis(msgspec.to_builtins(found)) == found
