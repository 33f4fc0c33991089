"""Progressive analyses: fast analyses are published first.

The process that opens a run executes it. Several processes may execute the same phase: the first to store it completes
it, in the transaction that appends its event, and the others find it completed. So a phase is published exactly once,
and a run whose process was killed continues where it was when it is opened again.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Self
from uuid import UUID

import structlog

from app.domains.accounts.model import Viewer
from app.domains.market.analysis.model import Analysis, AnalysisType
from app.domains.market.analysis.model.phases import BUDGETS_S, PHASES, RUN_TTL, Run
from app.domains.market.analysis.services.analyses import Analyses
from app.domains.market.analysis.statements import AnalysisSql
from app.kit.clock import Clock
from app.kit.db import SYSTEM, Database, Executor, Scope, Tx
from app.kit.errors import Unavailable
from app.kit.events import EventLog, Fact
from app.kit.single_flight import SingleFlight

PHASE_COMPLETED: Final = "phase.completed"
LEAST_S: Final = 0.2
"""The minimum time of a phase after an outage has used up its budget: enough for cached analyses."""

DELETED_AT_ONCE: Final = 1000
RETRY_S: Final = 0.5
RETRIES: Final = 60
"""An outage of Postgres is waited out for half a minute. After that, opening the run again continues it."""

log = structlog.get_logger(__name__)


def analysis_stream(run_id: UUID) -> str:
    """The stream of a run's phases."""
    return f"analysis:{run_id}"


@dataclass(frozen=True)
class Phases:
    """Starts and continues runs."""

    database: Database
    clock: Clock
    events: EventLog
    analyses: Analyses
    budgets_s: Mapping[int, float] = field(default_factory=lambda: BUDGETS_S)
    _running: SingleFlight[None] = field(default_factory=SingleFlight)

    async def open(self, viewer: Viewer, symbol: str) -> UUID:
        """Returns the run of the session for a listed symbol: the current one, which lasts an hour, or a new one.

        Its missing phases are being executed when this returns. Raises Unavailable.
        """
        session_id, now = str(viewer.session_id), self.clock.now()
        async with self.database.snapshot(viewer.scope) as tx:
            run = await _current(tx, session_id, symbol, now)
        if run is None:
            run = await self.database.write(viewer.scope, lambda tx: self._begin(tx, viewer, symbol, now))
        if len(run.completed) < len(PHASES):
            self._running.begin(run.id, lambda: _RunExecution.of(self, viewer.scope, run, symbol).run())
        return run.id

    async def delete_expired(self) -> int:
        """Deletes expired runs, and the positions of their streams. Returns their number."""
        now, deleted = self.clock.now(), 0
        while gone := await self.database.write(
            SYSTEM, lambda tx: tx.fetch_one(AnalysisSql.delete_expired_runs, now, DELETED_AT_ONCE)
        ):
            deleted += gone
        return deleted

    async def stop(self) -> None:
        """Cancels the runs of this process. Any process can continue them."""
        await self._running.stop()

    async def _begin(self, tx: Tx, viewer: Viewer, symbol: str, now: datetime) -> Run:
        session_id = str(viewer.session_id)
        await tx.execute(AnalysisSql.delete_expired_run, session_id, symbol, now)
        await tx.execute(AnalysisSql.begin_run, viewer.user_id, session_id, symbol, now, now + RUN_TTL)
        # Read after the insert: if another process was first, the insert has waited for its run.
        run = await _current(tx, session_id, symbol, now)
        assert run is not None
        return run


class _RunExecution:
    """The execution of a run in one process."""

    def __init__(self, phases: Phases, scope: Scope, run: Run, symbol: str, began_s: float) -> None:
        self._phases = phases
        self._scope = scope
        self._run = run
        self._symbol = symbol
        self._began_s = began_s

    @classmethod
    def of(cls, phases: Phases, scope: Scope, run: Run, symbol: str) -> Self:
        """Returns an execution that starts now: its budgets count from here."""
        return cls(phases, scope, run, symbol, asyncio.get_running_loop().time())

    async def run(self) -> None:
        """Completes the missing phases, in order."""
        try:
            for number, kinds in PHASES.items():
                if number not in self._run.completed:
                    parts = await self._parts(number, kinds)
                    await self._store(number, parts)
        except Unavailable:
            log.warning("analysis.run_interrupted", run=str(self._run.id), symbol=self._symbol)
        except Exception:
            log.exception("analysis.run_failed", run=str(self._run.id), symbol=self._symbol)

    async def _parts(self, number: int, kinds: tuple[AnalysisType, ...]) -> list[Analysis[Any]]:
        """Returns the analyses of the phase. Those that are not ready in time are unavailable."""
        budget_s = self._phases.budgets_s[number]
        wait_s = max(LEAST_S, budget_s - self._elapsed_s())
        late = f"It was not there within the {budget_s:g} s of phase {number}."
        return await self._phases.analyses.get_within(self._symbol, kinds, wait_s, late)

    async def _store(self, number: int, parts: list[Analysis[Any]]) -> None:
        data = {"elapsed_ms": round(1000 * self._elapsed_s()), "parts": parts}
        now = self._phases.clock.now()
        for attempt in range(1, RETRIES + 1):
            try:
                await self._phases.database.write(self._scope, lambda tx: self._complete(tx, number, data, now))
            except Unavailable:
                if attempt == RETRIES:
                    raise
                await asyncio.sleep(RETRY_S)
            else:
                return

    async def _complete(self, tx: Tx, number: int, data: dict[str, Any], now: datetime) -> None:
        phase_id = await tx.fetch_one(AnalysisSql.complete_phase, self._run.id, number, data, now)
        if phase_id is not None:
            payload = {"run_id": self._run.id, "phase": number, "id": phase_id}
            await self._phases.events.append(tx, [Fact(analysis_stream(self._run.id), PHASE_COMPLETED, payload)])

    def _elapsed_s(self) -> float:
        return asyncio.get_running_loop().time() - self._began_s


async def _current(executor: Executor, session_id: str, symbol: str, now: datetime) -> Run | None:
    return await executor.fetch_one(AnalysisSql.current_run, session_id, symbol, now)
