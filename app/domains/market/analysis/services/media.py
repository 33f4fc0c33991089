"""Analyses of the media: news and sentiment."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import ClassVar, Final

from app.domains.market.analysis.model import AnalysisType
from app.domains.market.analysis.model.news import NewsFindings
from app.domains.market.analysis.model.sentiment import SentimentFindings, SentimentSource
from app.domains.market.analysis.rules.quality import Source
from app.domains.market.analysis.rules.sentiment import blended, mood_of, score_of, shared
from app.domains.market.analysis.services.analyst import AnalysisDeps, Examination, NotAvailable
from app.domains.market.analysis.statements import AnalysisSql
from app.domains.market.news.model import NEUTRAL_BOUND
from app.domains.market.providers.services import SocialProvider
from app.kit.errors import Unavailable

HOUR_S: Final = 3600.0
DAY_S: Final = 24 * HOUR_S
NEWS: Final = "NEWS"
NEWS_WEIGHT: Final = 0.6
SOCIAL_WEIGHT: Final = 0.4
SOCIAL_S: Final = 2.0
"""The timeout for social media, so that a sentiment from news alone is ready within the budget of its phase."""
ENOUGH_ARTICLES: Final = 10
"""With this many articles, the input is complete."""


@dataclass(frozen=True)
class NewsAnalyst:
    """A week of articles that mention the token."""

    type: ClassVar = AnalysisType.NEWS
    deps: AnalysisDeps

    SPAN: ClassVar = timedelta(days=7)
    TOP: ClassVar = 10

    async def examine(self, symbol: str) -> Examination:
        """Examines the articles, and selects the most important ones."""
        now = self.deps.clock.now()
        since, database = now - self.SPAN, self.deps.database
        [summary] = await database.fetch(
            AnalysisSql.news_summary, symbol, since, now, now - timedelta(hours=24), Decimal(str(NEUTRAL_BOUND))
        )
        if summary.sentiment is None:
            raise NotAvailable("No article of the last seven days mentions it.")
        findings = NewsFindings(
            articles=summary.articles,
            articles_24h=summary.articles_24h,
            positive=summary.positive,
            neutral=summary.neutral,
            negative=summary.negative,
            sentiment=summary.sentiment,
            sources=summary.sources,
            top=await database.fetch(AnalysisSql.top_news, symbol, since, now, self.TOP),
        )
        complete = min(1.0, findings.articles / ENOUGH_ARTICLES)
        newest = self.deps.age_s(summary.newest)
        return Examination(findings, (Source("articles", 1.0, complete, newest, 6 * HOUR_S, 7 * DAY_S),))


@dataclass(frozen=True)
class SentimentAnalyst:
    """Three days of articles, and social media if a provider is configured."""

    type: ClassVar = AnalysisType.SENTIMENT
    deps: AnalysisDeps
    social: SocialProvider | None
    wait_s: float = field(default_factory=lambda: SOCIAL_S)

    SPAN: ClassVar = timedelta(days=3)

    async def examine(self, symbol: str) -> Examination:
        """Examines the sentiment in news and social media."""
        now = self.deps.clock.now()
        moments = [now, now - timedelta(hours=24)]
        today, yesterday = await self.deps.database.fetch(AnalysisSql.news_sentiment, symbol, moments, self.SPAN)
        sources: list[SentimentSource] = []
        score = None if today.sentiment is None else score_of(today.sentiment)
        if score is not None:
            sources.append(SentimentSource(NEWS, score, NEWS_WEIGHT, today.articles))
        spoken = await self._social(symbol)
        if spoken is not None:
            sources.append(spoken)
        if not sources:
            raise NotAvailable("Nobody has written about it in three days, and no social media are configured.")
        sources = shared(sources)
        before = None if yesterday.sentiment is None else score_of(yesterday.sentiment)
        findings = SentimentFindings(
            score=blended(sources),
            mood=mood_of(blended(sources)),
            change_24h=None if score is None or before is None else score - before,
            sources=sources,
        )
        complete, newest = min(1.0, today.articles / ENOUGH_ARTICLES), self.deps.age_s(today.newest)
        inputs = (
            Source("articles", NEWS_WEIGHT, complete, newest, 6 * HOUR_S, 3 * DAY_S),
            Source("social media", SOCIAL_WEIGHT, float(spoken is not None), 0.0, HOUR_S, DAY_S),
        )
        return Examination(findings, inputs)

    async def _social(self, symbol: str) -> SentimentSource | None:
        if self.social is None:
            return None
        try:
            async with asyncio.timeout(self.wait_s):
                said = await self.social.social(symbol)
        except (Unavailable, TimeoutError):
            # The news are enough; the missing source lowers the quality.
            return None
        if said is None or said.sentiment is None:
            return None
        return SentimentSource(self.social.name.upper(), said.sentiment, SOCIAL_WEIGHT, said.posts)
