"""The sentiment in the graph."""

import strawberry

from app.domains.market.analysis.model import sentiment as model
from app.domains.market.analysis.model.sentiment import Mood
from app.engine.limits.extra import holds
from app.engine.nodes import record_type
from app.schema.enums import declare_enum

MAX_SOURCES = 2
"""News, and social media."""


declare_enum(
    Mood,
    description="The category of a sentiment score.",
    VERY_NEGATIVE="Below 20.",
    NEGATIVE="From 20 to below 40.",
    NEUTRAL="From 40 to below 60.",
    POSITIVE="From 60 to below 80.",
    VERY_POSITIVE="80 or more.",
)


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
