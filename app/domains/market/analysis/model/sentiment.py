"""The sentiment about a token in the news and in social media."""

from enum import StrEnum

import msgspec


class Mood(StrEnum):
    """A score in a word."""

    VERY_NEGATIVE = "very_negative"
    NEGATIVE = "negative"
    NEUTRAL = "neutral"
    POSITIVE = "positive"
    VERY_POSITIVE = "very_positive"


class SentimentSource(msgspec.Struct, frozen=True):
    """The score of a source, 0 to 100, and its weight, 0 to 1."""

    name: str
    score: float
    weight: float
    samples: int | None
    """The number of texts that were scored; null if not reported."""


class SentimentFindings(msgspec.Struct, frozen=True):
    """0 is negative, 50 neutral, 100 positive."""

    score: float
    mood: Mood
    change_24h: float | None
    """The change since yesterday in points, of the news; null if there is nothing to compare with."""
    sources: list[SentimentSource]
