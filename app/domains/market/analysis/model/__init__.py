"""The ten analyses of a token: their types, how long they are valid, and what they have in common.

The findings of each analysis are a struct in its own module, such as `technical.TechnicalFindings`.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Generic, TypeVar

import msgspec

F = TypeVar("F")


class AnalysisType(StrEnum):
    """The type of an analysis; the values are those of `analysis_cache`."""

    MARKET_DATA = "market-data"
    TECHNICAL = "technical"
    SENTIMENT = "sentiment"
    NEWS = "news"
    ON_CHAIN = "on-chain"
    PREDICTIONS = "predictions"
    RISK = "risk"
    DERIVATIVES = "derivatives"
    DEFI = "defi"
    RESEARCH = "research"


class AnalysisStatus(StrEnum):
    """Whether there are findings."""

    AVAILABLE = "available"
    UNAVAILABLE = "unavailable"


TTLS: Final = {
    # As in the seed data.
    AnalysisType.MARKET_DATA: timedelta(minutes=1),
    AnalysisType.TECHNICAL: timedelta(minutes=5),
    AnalysisType.NEWS: timedelta(minutes=15),
    AnalysisType.RESEARCH: timedelta(hours=1),
    AnalysisType.ON_CHAIN: timedelta(hours=1),
    # As often as its fastest input: an alert on sentiment must not wait for a quarter of an hour.
    AnalysisType.SENTIMENT: timedelta(minutes=5),
    # From hourly and daily candles: the newest of them hardly changes in a quarter of an hour.
    AnalysisType.PREDICTIONS: timedelta(minutes=15),
    AnalysisType.RISK: timedelta(minutes=15),
    # Funding and open interest change within minutes, and providers update them as often.
    AnalysisType.DERIVATIVES: timedelta(minutes=5),
    # Locked value is published hourly.
    AnalysisType.DEFI: timedelta(hours=1),
}
"""How long an analysis is valid."""

UNAVAILABLE_TTL: Final = timedelta(seconds=30)
"""How long an unavailable analysis is cached: a missing input may be back at any time."""

PROVISIONAL_TTL: Final = timedelta(minutes=5)
"""How long a provisional analysis is valid, for which an input did not answer in time."""


class Analysis(msgspec.Struct, Generic[F], frozen=True):
    """An analysis of a token. `quality`, 0 to 100, is how complete and how fresh its inputs were.

    Without findings the status is UNAVAILABLE, the quality 0, and `reason` is one line.
    """

    symbol: str
    type: AnalysisType
    status: AnalysisStatus
    reason: str | None
    quality: int
    computed_at: datetime
    expires_at: datetime
    findings: F | None
