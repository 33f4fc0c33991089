"""How people speak of a token."""

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
    """One source's part in the score: 0 to 100, and how much of the whole it counts, 0 to 1."""

    name: str
    score: float
    weight: float
    samples: int | None
    """Texts that it was made of; null where the source does not say."""


class SentimentFindings(msgspec.Struct, frozen=True):
    """0: all speak ill of it; 50: neither; 100: all speak well."""

    score: float
    mood: Mood
    change_24h: float | None
    """Points since yesterday, of the sources that tell; null where there is nothing to compare with."""
    sources: list[SentimentSource]
