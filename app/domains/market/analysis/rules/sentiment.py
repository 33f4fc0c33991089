"""The sentiment about a token as one number from several sources."""

from collections.abc import Sequence
from typing import Final

import msgspec

from app.domains.market.analysis.model.sentiment import Mood, SentimentSource

BOUNDS: Final = ((20.0, Mood.VERY_NEGATIVE), (40.0, Mood.NEGATIVE), (60.0, Mood.NEUTRAL), (80.0, Mood.POSITIVE))
"""A score below the number of a pair has its mood; from the last on it is VERY_POSITIVE."""


def score_of(mean: float) -> float:
    """Converts a mean sentiment from -1 to 1 into a score from 0 to 100."""
    return 50.0 + 50.0 * min(1.0, max(-1.0, mean))


def mood_of(score: float) -> Mood:
    """A score in a word."""
    return next((mood for bound, mood in BOUNDS if score < bound), Mood.VERY_POSITIVE)


def shared(sources: Sequence[SentimentSource]) -> list[SentimentSource]:
    """Returns the sources with weights that are scaled to add up to 1."""
    total = sum(source.weight for source in sources)
    return [msgspec.structs.replace(source, weight=source.weight / total) for source in sources]


def blended(sources: Sequence[SentimentSource]) -> float:
    """Returns the weighted mean of the scores; the weights add up to 1."""
    return min(100.0, max(0.0, sum(source.score * source.weight for source in sources)))
