"""The ten analyses of a token: what each is called, how long it holds, and what all of them say of themselves.

What an analysis found is a struct of its own module: `technical.TechnicalFindings`, `risk.RiskFindings` and so on.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Generic, TypeVar

import msgspec

F = TypeVar("F")


class AnalysisType(StrEnum):
    """What is analysed; the values are those of `analysis_cache`."""

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
    # The seed's.
    AnalysisType.MARKET_DATA: timedelta(minutes=1),
    AnalysisType.TECHNICAL: timedelta(minutes=5),
    AnalysisType.NEWS: timedelta(minutes=15),
    AnalysisType.RESEARCH: timedelta(hours=1),
    AnalysisType.ON_CHAIN: timedelta(hours=1),
    # As often as its fastest input: an alert on a change of mood must not wait for a quarter of an hour.
    AnalysisType.SENTIMENT: timedelta(minutes=5),
    # Made of hourly and daily candles: the newest of them has hardly moved in a quarter of an hour.
    AnalysisType.PREDICTIONS: timedelta(minutes=15),
    AnalysisType.RISK: timedelta(minutes=15),
    # Funding and open interest move within minutes, and providers renew them as often.
    AnalysisType.DERIVATIVES: timedelta(minutes=5),
    # Locked value is published by the hour.
    AnalysisType.DEFI: timedelta(hours=1),
}
"""How long an analysis holds."""

UNAVAILABLE_TTL: Final = timedelta(seconds=30)
"""How long it holds that there is none: what was missing may come at any moment."""

MAKESHIFT_TTL: Final = timedelta(minutes=5)
"""How long one holds, at most, that was made without somebody who should have had a part in it and did not answer."""


class Analysis(msgspec.Struct, Generic[F], frozen=True):
    """One analysis of one token. `quality`, 0 to 100, says how complete and how fresh its inputs were.

    Without findings the status is UNAVAILABLE, the quality 0, and `reason` says why in one line.
    """

    symbol: str
    type: AnalysisType
    status: AnalysisStatus
    reason: str | None
    quality: int
    computed_at: datetime
    expires_at: datetime
    findings: F | None
