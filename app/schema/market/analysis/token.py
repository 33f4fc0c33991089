"""The analyses of one token, each made when it is asked for."""

from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from app.domains.market.analysis.model import AnalysisType
from app.domains.market.tokens import loaders as token_loaders
from app.engine.audience import made_outside
from app.engine.limits.extra import costs
from app.engine.relations import related
from app.schema.context import Info
from app.schema.market.analysis.kinds import (
    DefiAnalysis,
    DerivativesAnalysis,
    MarketDataAnalysis,
    NewsAnalysis,
    OnChainAnalysis,
    PredictionsAnalysis,
    ResearchAnalysis,
    RiskAnalysis,
    SentimentAnalysis,
    TechnicalAnalysis,
)

if TYPE_CHECKING:
    from app.schema.market.tokens import Token

COST = 100
"""So few analyses fit into a request that all of them can be made within its time."""


def _made(kind: AnalysisType, graphql_type: Any, description: str, cost: int = COST) -> Any:
    async def resolve(root: "TokenAnalysis", info: Info) -> Any:
        analyses = info.context.services.market.analyses
        return await info.context.reads.external((root.symbol, kind), lambda: analyses.get(root.symbol, kind))

    return strawberry.field(
        resolver=resolve,
        graphql_type=graphql_type,
        metadata=made_outside() | costs(cost),
        description=f"{description} Costs {cost} more.",
    )


@strawberry.type(
    description="The analyses of a token: each is computed when it is selected, once for all who ask until it expires. "
    "One that cannot be made says so as UNAVAILABLE, and holds up no other."
)
class TokenAnalysis:
    """The analyses of a token."""

    symbol: str = strawberry.field(description="The token's symbol.")
    token: Annotated["Token", strawberry.lazy("app.schema.market.tokens")] | None = related(
        token_loaders.token_by_symbol, key="symbol", description="The token; null if it has just been removed."
    )
    market_data: MarketDataAnalysis = _made(AnalysisType.MARKET_DATA, MarketDataAnalysis, "What it is worth now.")
    technical: TechnicalAnalysis = _made(AnalysisType.TECHNICAL, TechnicalAnalysis, "Indicators over its candles.")
    sentiment: SentimentAnalysis = _made(AnalysisType.SENTIMENT, SentimentAnalysis, "How people speak of it.")
    news: NewsAnalysis = _made(AnalysisType.NEWS, NewsAnalysis, "What the press writes of it.")
    on_chain: OnChainAnalysis = _made(AnalysisType.ON_CHAIN, OnChainAnalysis, "What happens on its chain.")
    predictions: PredictionsAnalysis = _made(
        AnalysisType.PREDICTIONS, PredictionsAnalysis, "Where its price may be, with intervals and their back-test."
    )
    risk: RiskAnalysis = _made(AnalysisType.RISK, RiskAnalysis, "What may be lost with it.")
    derivatives: DerivativesAnalysis = _made(AnalysisType.DERIVATIVES, DerivativesAnalysis, "Futures on it.")
    defi: DefiAnalysis = _made(AnalysisType.DEFI, DefiAnalysis, "What is locked in its protocol.")
    research: ResearchAnalysis = _made(
        AnalysisType.RESEARCH, ResearchAnalysis, "What the other nine amount to, which are made for it.", 10 * COST
    )
