"""Analysing tokens."""

from typing import Annotated

import strawberry

from app.domains.market.analysis.services.phases import analysis_stream
from app.domains.market.tokens import loaders as token_loaders
from app.domains.market.tokens.model import symbol_of
from app.domains.market.tokens.services.search import known_symbol
from app.engine.audience import computed_for
from app.engine.streams.declaring import Followed, durable
from app.kit.loaders import Audience
from app.schema.context import Info
from app.schema.market.analysis.phases import AnalysisPhaseEvent, phase_event
from app.schema.market.analysis.token import TokenAnalysis

Symbol = Annotated[str, strawberry.argument(description="A token's symbol, in any case.")]


@strawberry.type(description="What can be found out about tokens.")
class AnalysingQuery:
    """What can be found out about tokens."""

    @strawberry.field(
        metadata=computed_for(Audience.PUBLIC),
        description="The analyses of a token; null if there is no token with this symbol. Public.",
    )
    async def analysis(self, info: Info, symbol: Symbol) -> TokenAnalysis | None:
        """The analyses of a token."""
        token = await info.context.reads.one(token_loaders.token_by_symbol, symbol_of(symbol))
        return None if token is None else TokenAnalysis(symbol=token.symbol)


@strawberry.type
class AnalysisStreams:
    """Analyses as they are made."""

    @durable(
        AnalysisPhaseEvent,
        payload=phase_event,
        per_s=0.5,
        description="The analyses of a token in four phases, each as it is complete: 1 after at most 1 second, 2 after "
        "3, 3 after 5, 4 after 10. A session's run is kept for an hour: whoever subscribes again within it is given "
        "the phases from the first, or those behind `after`, and what a stopped server left undone is done.",
    )
    async def analysis_phases(self, info: Info, symbol: Symbol) -> Followed:
        """The analyses of a token in four phases."""
        viewer = info.context.require_viewer()
        known = await known_symbol(await info.context.reads.executor(Audience.PUBLIC), symbol)
        run_id = await info.context.services.market.phases.open(viewer, known)
        return Followed(analysis_stream(run_id), since=0)
