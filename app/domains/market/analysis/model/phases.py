"""A progressive analysis: four phases, each with the analyses that it adds."""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec

from app.domains.market.analysis.model import AnalysisType

PHASES: Final = {
    1: (AnalysisType.MARKET_DATA,),
    2: (AnalysisType.TECHNICAL, AnalysisType.SENTIMENT),
    3: (AnalysisType.NEWS, AnalysisType.ON_CHAIN),
    4: (
        AnalysisType.PREDICTIONS,
        AnalysisType.RISK,
        AnalysisType.DERIVATIVES,
        AnalysisType.DEFI,
        AnalysisType.RESEARCH,
    ),
}
"""The analyses that each phase adds. The market data of the first include basic indicators."""

BUDGETS_S: Final = {1: 1.0, 2: 3.0, 3: 5.0, 4: 10.0}
"""The seconds from the start of the run within which each phase completes, whether or not its analyses are ready."""

RUN_TTL: Final = timedelta(hours=1)


class Run(msgspec.Struct, frozen=True):
    """A session's progressive analysis of a symbol, and the phases that it has completed so far."""

    id: UUID
    expires_at: datetime
    completed: list[int]


class AnalysisPhase(msgspec.Struct, frozen=True):
    """A completed phase. `phase_data` has `elapsed_ms` since the run began, and the `parts`: analyses as JSON."""

    id: UUID
    run_id: UUID
    symbol: str
    phase_number: int
    phase_data: dict[str, Any]
    created_at: datetime
