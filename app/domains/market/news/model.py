"""News articles."""

from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

import msgspec

NEWS_RETENTION = timedelta(days=365)
MAX_TITLE = 500
MAX_SYMBOLS = 20
"""A text that mentions more is about none in particular: only the first are kept."""
MAX_SUMMARY = 2_000
MAX_CONTENT = 100_000
MAX_NAME = 200
MAX_URL = 2_048
NEUTRAL_BOUND = 0.05
"""The bound of VADER: a text is positive from here on, negative from its negative on, and neutral between."""


class ArticleDraft(msgspec.Struct, frozen=True):
    """An article as it is received: texts can be HTML. Without a date, it is published when it is received."""

    url: str
    title: str
    source: str
    summary: str | None = None
    content: str | None = None
    author: str | None = None
    image_url: str | None = None
    published_at: datetime | None = None


class ScoredArticle(msgspec.Struct, frozen=True):
    """An article that can be stored: plain text of limited length, a normalised URL, sentiment, impact and symbols."""

    url: str
    title: str
    source: str
    summary: str | None
    content: str | None
    author: str | None
    image_url: str | None
    published_at: datetime
    sentiment_score: Decimal
    impact: int
    symbols: tuple[str, ...]


class NewsArticle(msgspec.Struct, frozen=True):
    """A stored article, without its content, which can be long."""

    id: UUID
    title: str
    summary: str | None
    source: str
    author: str | None
    url: str
    image_url: str | None
    sentiment_score: float
    impact: int
    symbols_mentioned: list[str]
    published_at: datetime
    created_at: datetime


class ArticleContent(msgspec.Struct, frozen=True):
    """The content of an article as plain text; null if only a summary was received."""

    id: UUID
    content: str | None


class IgnoredNews(StrEnum):
    """Why an article was not stored."""

    BAD_URL = "bad_url"
    """No URL, or one that is neither http nor https, or too long."""
    NO_TITLE = "no_title"
    FUTURE = "future"
    """More than an hour ahead."""
    STALE = "stale"
    """Older than the retention of news."""
    DUPLICATE = "duplicate"
    """A URL that another article of the same answer has."""
    TRUNCATED = "truncated"
    """The last entry of an incomplete document."""
    TOO_MANY = "too_many"
    """Beyond the maximum number of entries of one document."""


class NewsIngested(msgspec.Struct, frozen=True):
    """The outcome of storing articles: `ids` of the new ones; `known` ones were stored before, and are unchanged."""

    ids: list[UUID]
    received: int
    known: int
    ignored: dict[str, int]

    @property
    def published(self) -> int:
        """The number of new articles."""
        return len(self.ids)


class NewsFilter(msgspec.Struct, frozen=True):
    """What news are searched for; None: any."""

    search: str | None = None
    symbols: tuple[str, ...] | None = None
    sources: tuple[str, ...] | None = None
    min_impact: int | None = None
