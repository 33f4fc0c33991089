"""Analyses of tokens, one by one and in four phases."""

from app.domains.market.analysis.services.analyses import Analyses
from app.domains.market.analysis.services.analyst import AnalysisDeps, Analyst
from app.domains.market.analysis.services.external import DefiAnalyst, DerivativesAnalyst, OnChainAnalyst
from app.domains.market.analysis.services.media import NewsAnalyst, SentimentAnalyst
from app.domains.market.analysis.services.phases import Phases
from app.domains.market.analysis.services.prices import (
    MarketDataAnalyst,
    PredictionsAnalyst,
    RiskAnalyst,
    TechnicalAnalyst,
    warm_up,
)
from app.domains.market.prices.services.candles import Candles
from app.domains.market.sources.model.chain import Chain
from app.domains.market.sources.services.providers import Providers

__all__ = ["Analyses", "AnalysisDeps", "Phases", "analysts", "warm_up"]


def analysts(deps: AnalysisDeps, candles: Candles, providers: Providers, chain: Chain) -> list[Analyst]:
    """Returns the analysts of the nine analyses that are not based on others."""
    return [
        MarketDataAnalyst(deps, candles),
        TechnicalAnalyst(deps, candles),
        SentimentAnalyst(deps, providers.social),
        NewsAnalyst(deps),
        OnChainAnalyst(deps, chain),
        PredictionsAnalyst(deps, candles),
        RiskAnalyst(deps, candles),
        DerivativesAnalyst(deps, providers.derivatives),
        DefiAnalyst(deps, providers.defi),
    ]
