"""The analyses of a token."""

from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from app.domains.market.analysis.model import AnalysisType
from app.domains.market.services import MarketServices
from app.domains.market.tokens import loaders as token_loaders
from app.domains.market.tokens.model import symbol_of
from app.engine.declarations.audience import computed_externally, computed_for
from app.engine.declarations.costs import costs
from app.engine.declarations.relations import related
from app.kit.loaders import Audience
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

Symbol = Annotated[str, strawberry.argument(description="The token's symbol, in any case.")]
COST = 100
"""With this cost, the analyses that one request can select are computed within its time limit."""


def _made(kind: AnalysisType, graphql_type: Any, description: str, cost: int = COST) -> Any:
    async def resolve(root: "TokenAnalysis", info: Info) -> Any:
        analyses = info.context.services[MarketServices].analyses
        return await info.context.reads.external((root.symbol, kind), lambda: analyses.get(root.symbol, kind))

    return strawberry.field(
        resolver=resolve,
        graphql_type=graphql_type,
        metadata=computed_externally() | costs(cost),
        description=f"{description} Costs {cost} more.",
    )


@strawberry.type
class TokenAnalysis:
    """The analyses of a token. Each is computed when it is selected, and shared by all callers until it expires. An
    analysis that cannot be computed is UNAVAILABLE, and does not delay the others.
    """

    symbol: str = strawberry.field(description="The token's symbol.")
    token: Annotated["Token", strawberry.lazy("app.schema.market.tokens")] | None = related(
        token_loaders.token_by_symbol, key="symbol", description="The token. Null if it was just removed."
    )
    market_data: MarketDataAnalysis = _made(
        AnalysisType.MARKET_DATA, MarketDataAnalysis, "The current price of the token, and its changes."
    )
    technical: TechnicalAnalysis = _made(
        AnalysisType.TECHNICAL, TechnicalAnalysis, "Technical indicators, patterns and levels."
    )
    sentiment: SentimentAnalysis = _made(AnalysisType.SENTIMENT, SentimentAnalysis, "What people say about the token.")
    news: NewsAnalysis = _made(AnalysisType.NEWS, NewsAnalysis, "News about the token.")
    on_chain: OnChainAnalysis = _made(AnalysisType.ON_CHAIN, OnChainAnalysis, "Activity on the token's chain.")
    predictions: PredictionsAnalysis = _made(
        AnalysisType.PREDICTIONS, PredictionsAnalysis, "Price predictions with their intervals and back-tests."
    )
    risk: RiskAnalysis = _made(AnalysisType.RISK, RiskAnalysis, "The risk of holding the token.")
    derivatives: DerivativesAnalysis = _made(
        AnalysisType.DERIVATIVES, DerivativesAnalysis, "Perpetual futures on the token."
    )
    defi: DefiAnalysis = _made(AnalysisType.DEFI, DefiAnalysis, "The total value locked in the token's protocol.")
    research: ResearchAnalysis = _made(
        AnalysisType.RESEARCH,
        ResearchAnalysis,
        "A summary of the other nine analyses, which are computed for it.",
        10 * COST,
    )


@strawberry.type
class AnalysisQuery:
    """Analyses of tokens."""

    @strawberry.field(metadata=computed_for(Audience.PUBLIC))
    async def analysis(self, info: Info, symbol: Symbol) -> TokenAnalysis | None:
        """The analyses of a token. Null if no token has this symbol. Public."""
        token = await info.context.reads.one(token_loaders.token_by_symbol, symbol_of(symbol))
        return None if token is None else TokenAnalysis(symbol=token.symbol)
