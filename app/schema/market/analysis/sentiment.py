"""Sentiment analysis."""

import strawberry

from app.domains.market.analysis.model import sentiment as model
from app.domains.market.analysis.model.sentiment import Mood
from app.engine.declarations.costs import holds
from app.engine.declarations.nodes import record_type
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
    """A source of the sentiment score."""

    name: str = strawberry.field(description="NEWS, or the name of a social media provider, such as LUNARCRUSH.")
    score: float = strawberry.field(description="The score of this source, 0 to 100.")
    weight: float = strawberry.field(
        name="weightFraction", description="The weight in the total score, 0 to 1. The weights add up to 1."
    )
    samples: int | None = strawberry.field(
        name="sampleCount", description="The number of texts. Null if the source does not report it."
    )


@record_type(model.SentimentFindings)
class SentimentFindings:
    """What people say about a token."""

    score: float = strawberry.field(
        description="The sentiment, from 0 (negative) over 50 (neutral) to 100 (positive). Articles of the last"
        " three days are weighted by their impact, halved for each day of age."
    )
    mood: Mood = strawberry.field(description="The category of the score.")
    change_24h: float | None = strawberry.field(
        name="scoreChange24h",
        description="The change of the news score in 24 hours, in points. Null if there were no articles then"
        " or there are none now.",
    )
    sources: list[SentimentSource] = strawberry.field(
        metadata=holds(MAX_SOURCES), description=f"The sources of the score. At most {MAX_SOURCES}."
    )
