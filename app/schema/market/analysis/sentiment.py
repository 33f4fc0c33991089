"""The sentiment in the graph."""

from enum import Enum

import strawberry

from app.domains.market.analysis.model import sentiment as model
from app.engine.limits.extra import holds
from app.engine.nodes import record_type

MAX_SOURCES = 2
"""News, and social media."""


@strawberry.enum
class Mood(Enum):
    """A score in a word."""

    VERY_NEGATIVE = strawberry.enum_value("very_negative", description="Under 20.")
    NEGATIVE = strawberry.enum_value("negative", description="From 20, under 40.")
    NEUTRAL = strawberry.enum_value("neutral", description="From 40, under 60.")
    POSITIVE = strawberry.enum_value("positive", description="From 60, under 80.")
    VERY_POSITIVE = strawberry.enum_value("very_positive", description="From 80.")


@record_type(model.SentimentSource)
class SentimentSource:
    """A source's part in the score."""

    name: str = strawberry.field(description="NEWS, or the name of a provider of social media, such as LUNARCRUSH.")
    score: float = strawberry.field(description="0 to 100.")
    weight: float = strawberry.field(description="How much of the whole score it is, 0 to 1; all add up to 1.")
    samples: int | None = strawberry.field(description="Texts that it is made of; null where the source does not say.")


@record_type(model.SentimentFindings)
class SentimentFindings:
    """How people speak of a token."""

    score: float = strawberry.field(
        description="0: all speak ill of it; 50: neither way; 100: all speak well. Articles of three days weigh by "
        "their impact, and half as much for each day of their age."
    )
    mood: Mood = strawberry.field(description="The score in a word.")
    change_24h: float | None = strawberry.field(
        description="Points that the news' score has moved since 24 hours ago; null without articles then or now."
    )
    sources: list[SentimentSource] = strawberry.field(
        metadata=holds(MAX_SOURCES), description=f"Whose it is, at most {MAX_SOURCES}."
    )
