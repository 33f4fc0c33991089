"""Analyses of tokens, one by one and in four phases."""

from app.domains.market.analysis.services.analyses import Analyses
from app.domains.market.analysis.services.external import DefiAnalyst, DerivativesAnalyst, OnChainAnalyst
from app.domains.market.analysis.services.findings import Analyst, Desk
from app.domains.market.analysis.services.phases import Phases
from app.domains.market.analysis.services.press import NewsAnalyst, SentimentAnalyst
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

__all__ = ["Analyses", "Desk", "Phases", "analysts", "warm_up"]


def analysts(desk: Desk, candles: Candles, providers: Providers, chain: Chain) -> list[Analyst]:
    """Those of the nine analyses that are not made of others."""
    return [
        MarketDataAnalyst(desk, candles),
        TechnicalAnalyst(desk, candles),
        SentimentAnalyst(desk, providers.social),
        NewsAnalyst(desk),
        OnChainAnalyst(desk, chain),
        PredictionsAnalyst(desk, candles),
        RiskAnalyst(desk, candles),
        DerivativesAnalyst(desk, providers.derivatives),
        DefiAnalyst(desk, providers.defi),
    ]
