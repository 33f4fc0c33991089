"""What is said about a token."""

from datetime import datetime

import msgspec


class Social(msgspec.Struct, frozen=True):
    """A token in social media over the last 24 hours. Null: the provider does not say."""

    symbol: str
    at: datetime
    """When the provider was asked."""
    score: float | None
    """0 to 100: how well it does socially and in the market together."""
    sentiment: float | None
    """0 to 100: the share of what is said that is positive, weighted by how many reacted to it."""
    posts: int | None
    interactions: int | None
    dominance_percentage: float | None
    """Its share of everything that is said about tokens."""
