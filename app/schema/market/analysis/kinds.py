"""The types of the ten analyses."""

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
    """The current price of a token, and its changes."""

    findings: MarketDataFindings | None = strawberry.field(description=FINDINGS)


@analysis_type(AnalysisType.TECHNICAL)
class TechnicalAnalysis(Analysis):
    """Indicators, patterns and levels from 500 hourly candles."""

    findings: TechnicalFindings | None = strawberry.field(description=FINDINGS)


@analysis_type(AnalysisType.SENTIMENT)
class SentimentAnalysis(Analysis):
    """What people say about a token."""

    findings: SentimentFindings | None = strawberry.field(description=FINDINGS)


@analysis_type(AnalysisType.NEWS)
class NewsAnalysis(Analysis):
    """News about a token."""

    findings: NewsFindings | None = strawberry.field(description=FINDINGS)


@analysis_type(AnalysisType.ON_CHAIN)
class OnChainAnalysis(Analysis):
    """Activity on a token's chain."""

    findings: OnChainFindings | None = strawberry.field(description=FINDINGS)


@analysis_type(AnalysisType.PREDICTIONS)
class PredictionsAnalysis(Analysis):
    """Predictions of a token's price, from at most 5,000 hourly candles."""

    findings: PredictionFindings | None = strawberry.field(description=FINDINGS)


@analysis_type(AnalysisType.RISK)
class RiskAnalysis(Analysis):
    """The risk of holding a token, from a year of daily candles, or from hourly candles if there are fewer than 100."""

    findings: RiskFindings | None = strawberry.field(description=FINDINGS)


@analysis_type(AnalysisType.DERIVATIVES)
class DerivativesAnalysis(Analysis):
    """Perpetual futures on a token. UNAVAILABLE unless a provider is configured."""

    findings: DerivativesFindings | None = strawberry.field(description=FINDINGS)


@analysis_type(AnalysisType.DEFI)
class DefiAnalysis(Analysis):
    """The total value locked in a token's protocol. UNAVAILABLE unless a provider is configured."""

    findings: DefiFindings | None = strawberry.field(description=FINDINGS)


@analysis_type(AnalysisType.RESEARCH)
class ResearchAnalysis(Analysis):
    """A summary of the other nine analyses."""

    findings: ResearchFindings | None = strawberry.field(description=FINDINGS)
