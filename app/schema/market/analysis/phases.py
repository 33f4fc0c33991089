"""The phases of an analysis."""

from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry

from app.domains.market.analysis import loaders as analysis_loaders
from app.domains.market.analysis.model import phases as model
from app.domains.market.analysis.model.kinds import read_analysis
from app.domains.market.analysis.services.phases import PHASE_COMPLETED, analysis_stream
from app.domains.market.services import MarketServices
from app.domains.market.tokens.services.search import known_symbol
from app.engine.declarations.computed import from_parent
from app.engine.declarations.costs import holds
from app.engine.declarations.cursors import Cursor
from app.engine.declarations.nodes import record_type
from app.engine.declarations.relations import related
from app.engine.declarations.subscriptions import Followed, durable
from app.kit.events import Event
from app.kit.loaders import Audience
from app.schema.context import Info
from app.schema.market.analysis.interface import Analysis
from app.schema.market.analysis.token import Symbol
from app.schema.scalars import Milliseconds


def _parts(root: model.AnalysisPhase) -> list[Any]:
    return [read_analysis(part) for part in root.phase_data["parts"]]


def _budget_ms(root: model.AnalysisPhase) -> int:
    return round(1000 * model.BUDGETS_S[root.phase_number])


def _elapsed_ms(root: model.AnalysisPhase) -> int:
    return int(root.phase_data["elapsed_ms"])


def _is_last(root: model.AnalysisPhase) -> bool:
    return root.phase_number == max(model.PHASES)


@record_type(
    model.AnalysisPhase,
)
class AnalysisPhase:
    """A completed phase of a run of analyses. Kept for an hour from the start of the run, for the viewer's session."""

    symbol: str = strawberry.field(description="The token's symbol.")
    phase_number: int = strawberry.field(
        name="number",
        description="The number of the phase. 1: market data and basic indicators; 2: technical and sentiment;"
        " 3: news and on-chain; 4: predictions, risk, derivatives, defi and research.",
    )
    budget_ms: Milliseconds = from_parent(
        _budget_ms,
        description="The time from the start of the run within which the phase is complete, in milliseconds:"
        " 1000, 3000, 5000 or 10000.",
    )
    elapsed_ms: Milliseconds = from_parent(
        _elapsed_ms,
        description="The time from the start of the run to the completion of the phase, in milliseconds. For a"
        " run that was interrupted, the time from its continuation.",
    )
    is_last: bool = from_parent(_is_last, description="Whether this is the last phase.")
    created_at: datetime = strawberry.field(name="completedAt", description="When the phase was completed.")
    parts: list[Analysis] = from_parent(
        _parts,
        metadata=holds(max(map(len, model.PHASES.values()))),
        description="The analyses of this phase, at most 5. An analysis that was not ready in time is"
        " UNAVAILABLE, with the reason. It is still computed, for `analysis`.",
    )


@strawberry.type
class AnalysisPhaseEvent:
    """A phase was completed."""

    cursor: Cursor = strawberry.field(description="The event's position in the run.")
    phase_id: strawberry.Private[UUID]
    phase: AnalysisPhase | None = related(
        analysis_loaders.analysis_phase_by_id,
        key="phase_id",
        description="The phase. Null once the run is no longer kept.",
    )


def _phase_event(event: Event, cursor: Cursor) -> AnalysisPhaseEvent | None:
    if event.kind != PHASE_COMPLETED:
        return None
    return AnalysisPhaseEvent(cursor=cursor, phase_id=UUID(event.payload["id"]))


@strawberry.type
class AnalysisSubscription:
    """Analyses as they are completed."""

    @durable(AnalysisPhaseEvent, payload=_phase_event, per_s=0.5)
    async def analysis_phases(self, info: Info, symbol: Symbol) -> Followed:
        """The analyses of a token in four phases, each sent when it is complete: within 1, 3, 5 and 10 seconds. A run
        belongs to a session and is kept for an hour. Within that hour, a new subscription receives the phases from the
        first, or those after `after`. A run that was interrupted by a restart of the server is continued.
        """
        viewer = info.context.require_viewer()
        known = await known_symbol(await info.context.reads.executor(Audience.PUBLIC), symbol)
        run_id = await info.context.services[MarketServices].phases.open(viewer, known)
        return Followed(analysis_stream(run_id), since=0)
