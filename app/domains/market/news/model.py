"""What is written about tokens."""

from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

import msgspec

NEWS_RETENTION = timedelta(days=365)
MAX_TITLE = 500
MAX_SYMBOLS = 20
"""A text that lists more speaks of none in particular: the first are kept."""
MAX_SUMMARY = 2_000
MAX_CONTENT = 100_000
MAX_NAME = 200
MAX_URL = 2_048


class ArticleDraft(msgspec.Struct, frozen=True):
    """An article as it comes: texts may be HTML. Without a date it counts as published when it comes."""

    url: str
    title: str
    source: str
    summary: str | None = None
    content: str | None = None
    author: str | None = None
    image_url: str | None = None
    published_at: datetime | None = None


class JudgedArticle(msgspec.Struct, frozen=True):
    """An article fit to be stored: plain text within bounds, a normalised address, and what it means."""

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
    """A stored article, without its content, which may be long."""

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
    """What an article says, as plain text; null where only a summary came."""

    id: UUID
    content: str | None


class IgnoredNews(StrEnum):
    """Why an entry of a feed is not taken."""

    BAD_URL = "bad_url"
    """No address, or one that is neither http nor https, or too long."""
    NO_TITLE = "no_title"
    FUTURE = "future"
    """More than an hour ahead."""
    STALE = "stale"
    """Older than news are kept."""
    DUPLICATE = "duplicate"
    """The same address twice in one answer."""
    TRUNCATED = "truncated"
    """The last entry of a document that breaks off."""
    TOO_MANY = "too_many"
    """Beyond the entries that are taken from one answer."""


class NewsIngested(msgspec.Struct, frozen=True):
    """What became of articles: `ids` are the new ones'; `known` had been there before, and are left as they were."""

    ids: list[UUID]
    received: int
    known: int
    ignored: dict[str, int]

    @property
    def published(self) -> int:
        """How many are new."""
        return len(self.ids)


class NewsFilter(msgspec.Struct, frozen=True):
    """Which news; None: whatever it is. `since` is included, `until` is not."""

    search: str | None = None
    symbols: tuple[str, ...] | None = None
    sources: tuple[str, ...] | None = None
    min_score: Decimal | None = None
    max_score: Decimal | None = None
    min_impact: int | None = None
    since: datetime | None = None
    until: datetime | None = None
