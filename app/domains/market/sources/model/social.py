"""Social media about a token."""

from datetime import datetime

import msgspec


class Social(msgspec.Struct, frozen=True):
    """Social media about a token in the last 24 hours. Null: not reported."""

    symbol: str
    at: datetime
    """When the data was fetched."""
    score: float | None
    """0 to 100: the combined performance in social media and in the market."""
    sentiment: float | None
    """0 to 100: the share of positive posts, weighted by interactions."""
    posts: int | None
    interactions: int | None
    dominance_percentage: float | None
    """The share of this token in all posts about tokens."""
