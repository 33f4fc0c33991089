"""The ten analyses in the graph, each with findings of its own type."""

import strawberry

from app.domains.market.analysis.model import AnalysisType
from app.schema.market.analysis.external import DefiFindings, DerivativesFindings
from app.schema.market.analysis.interface import FINDINGS, Analysis, analysis_type
from app.schema.market.analysis.market_data import MarketDataFindings
from app.schema.market.analysis.news import NewsFindings
from app.schema.market.analysis.on_chain import OnChainFindings
from app.schema.market.analysis.predictions import PredictionFindings
from app.schema.market.analysis.research import ResearchFindings
from app.schema.market.analysis.risk import RiskFindings
from app.schema.market.analysis.sentiment import SentimentFindings
from app.schema.market.analysis.technical import TechnicalFindings


@analysis_type(AnalysisType.MARKET_DATA)
class MarketDataAnalysis(Analysis):
    """What a token is worth now, and how that moved."""

    findings: MarketDataFindings | None = strawberry.field(description=FINDINGS)


@analysis_type(AnalysisType.TECHNICAL)
class TechnicalAnalysis(Analysis):
    """Indicators, patterns and levels over 500 hourly candles."""

    findings: TechnicalFindings | None = strawberry.field(description=FINDINGS)


@analysis_type(AnalysisType.SENTIMENT)
class SentimentAnalysis(Analysis):
    """How people speak of a token."""

    findings: SentimentFindings | None = strawberry.field(description=FINDINGS)


@analysis_type(AnalysisType.NEWS)
class NewsAnalysis(Analysis):
    """What the press writes of a token."""

    findings: NewsFindings | None = strawberry.field(description=FINDINGS)


@analysis_type(AnalysisType.ON_CHAIN)
class OnChainAnalysis(Analysis):
    """What happens on a token's chain."""

    findings: OnChainFindings | None = strawberry.field(description=FINDINGS)


@analysis_type(AnalysisType.PREDICTIONS)
class PredictionsAnalysis(Analysis):
    """Where a token's price may be, from up to 5,000 hourly candles."""

    findings: PredictionFindings | None = strawberry.field(description=FINDINGS)


@analysis_type(AnalysisType.RISK)
class RiskAnalysis(Analysis):
    """What may be lost with a token, from a year of daily candles; with fewer than 100 from hourly ones."""

    findings: RiskFindings | None = strawberry.field(description=FINDINGS)


@analysis_type(AnalysisType.DERIVATIVES)
class DerivativesAnalysis(Analysis):
    """Futures on a token; UNAVAILABLE unless a provider is configured."""

    findings: DerivativesFindings | None = strawberry.field(description=FINDINGS)


@analysis_type(AnalysisType.DEFI)
class DefiAnalysis(Analysis):
    """What is locked in a token's protocol; UNAVAILABLE unless a provider is configured."""

    findings: DefiFindings | None = strawberry.field(description=FINDINGS)


@analysis_type(AnalysisType.RESEARCH)
class ResearchAnalysis(Analysis):
    """What the other nine analyses amount to."""

    findings: ResearchFindings | None = strawberry.field(description=FINDINGS)
