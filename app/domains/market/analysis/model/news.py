"""Findings about the news of a token."""

from datetime import datetime
from uuid import UUID

import msgspec


class NewsHeadline(msgspec.Struct, frozen=True):
    """An article. `sentiment` goes from -1 to 1, `impact` from 0 to 100."""

    id: UUID
    title: str
    source: str
    url: str
    sentiment: float
    impact: int
    published_at: datetime


class NewsSummary(msgspec.Struct, frozen=True):
    """The articles about a token in a period. The last values are null where there is no article."""

    articles: int
    articles_24h: int
    positive: int
    neutral: int
    negative: int
    sentiment: float | None
    sources: int
    newest: datetime | None


class NewsSentiment(msgspec.Struct, frozen=True):
    """The mean sentiment of the articles in a period; null where there is none."""

    articles: int
    sentiment: float | None
    newest: datetime | None


class NewsFindings(msgspec.Struct, frozen=True, kw_only=True):
    """Articles of the last seven days that mention the token."""

    articles: int
    articles_24h: int
    positive: int
    neutral: int
    negative: int
    sentiment: float
    """Their mean from -1 to 1, weighted by impact."""
    sources: int
    """The number of different sources."""
    top: list[NewsHeadline]
    """The most important, the newest of equal ones first; at most ten."""
