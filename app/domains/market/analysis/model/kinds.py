"""The findings of each type of analysis, and how stored analyses are decoded."""

from typing import Any, Final

import msgspec

from app.domains.market.analysis.model import Analysis, AnalysisType
from app.domains.market.analysis.model.market_data import MarketDataFindings
from app.domains.market.analysis.model.news import NewsFindings
from app.domains.market.analysis.model.on_chain import OnChainFindings
from app.domains.market.analysis.model.predictions import PredictionFindings
from app.domains.market.analysis.model.research import ResearchFindings
from app.domains.market.analysis.model.risk import RiskFindings
from app.domains.market.analysis.model.sentiment import SentimentFindings
from app.domains.market.analysis.model.technical import TechnicalFindings
from app.domains.market.sources.model.defi import Defi
from app.domains.market.sources.model.derivatives import Derivatives

KINDS: Final[dict[AnalysisType, Any]] = {
    AnalysisType.MARKET_DATA: Analysis[MarketDataFindings],
    AnalysisType.TECHNICAL: Analysis[TechnicalFindings],
    AnalysisType.SENTIMENT: Analysis[SentimentFindings],
    AnalysisType.NEWS: Analysis[NewsFindings],
    AnalysisType.ON_CHAIN: Analysis[OnChainFindings],
    AnalysisType.PREDICTIONS: Analysis[PredictionFindings],
    AnalysisType.RISK: Analysis[RiskFindings],
    AnalysisType.DERIVATIVES: Analysis[Derivatives],
    AnalysisType.DEFI: Analysis[Defi],
    AnalysisType.RESEARCH: Analysis[ResearchFindings],
}
"""The type of the findings of each analysis."""


def read_analysis(data: Any) -> Analysis[Any]:
    """Decodes an analysis from JSON. Raises ValueError if it is not one, or is of another release."""
    try:
        kind = KINDS[AnalysisType(data["type"])]
        analysis: Analysis[Any] = msgspec.convert(data, kind)
    except (KeyError, TypeError, ValueError) as error:
        # msgspec's ValidationError is a ValueError.
        raise ValueError("not an analysis") from error
    return analysis
