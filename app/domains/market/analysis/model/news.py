"""What the press writes of a token."""

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


class NewsFindings(msgspec.Struct, frozen=True, kw_only=True):
    """Articles of the last seven days that mention the token."""

    articles: int
    articles_24h: int
    positive: int
    neutral: int
    negative: int
    sentiment: float
    """Their mean from -1 to 1, each counted by its impact."""
    sources: int
    """How many different papers they are from."""
    top: list[NewsHeadline]
    """The most important, the newest of equal ones first; at most ten."""
