"""Progressive analyses: what is quick is told first.

Whoever opens a run sees to it that it goes on, in whichever process that is. Several may work at the same phase: the
first to store it has completed it, in the transaction that tells of it, and the others find it done. So a phase is told
exactly once, and a run whose process was killed goes on where it was as soon as somebody opens it again.
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
from app.domains.market.statements import ANALYSIS
from app.kit.clock import Clock
from app.kit.db import SYSTEM, Database, Executor, Scope, Tx
from app.kit.errors import Unavailable
from app.kit.events import EventLog, Fact
from app.kit.single_flight import SingleFlight

PHASE_COMPLETED: Final = "phase.completed"
LEAST_S: Final = 0.2
"""What a phase gets where an outage has used up its budget: enough for what is known already."""

DELETED_AT_ONCE: Final = 1000
RETRY_S: Final = 0.5
RETRIES: Final = 60
"""An outage of Postgres is waited out for half a minute; then whoever opens the run again continues it."""

log = structlog.get_logger(__name__)


def analysis_stream(run_id: UUID) -> str:
    """The stream of a run's phases."""
    return f"analysis:{run_id}"


@dataclass(frozen=True)
class Phases:
    """Begins runs, and carries them on."""

    database: Database
    clock: Clock
    events: EventLog
    analyses: Analyses
    budgets_s: Mapping[int, float] = field(default_factory=lambda: BUDGETS_S)
    _running: SingleFlight[None] = field(default_factory=SingleFlight)

    async def open(self, viewer: Viewer, symbol: str) -> UUID:
        """The run of the viewer's session for a symbol that is listed: the one of this hour, or a new one.

        What it has not completed is under way when this returns. Raises Unavailable.
        """
        session_id, now = str(viewer.session_id), self.clock.now()
        async with self.database.snapshot(viewer.scope) as tx:
            run = await _current(tx, session_id, symbol, now)
        if run is None:
            run = await self.database.write(viewer.scope, lambda tx: self._begin(tx, viewer, symbol, now))
        if len(run.completed) < len(PHASES):
            self._running.begin(run.id, lambda: _Course.of(self, viewer.scope, run, symbol).run())
        return run.id

    async def delete_expired(self) -> int:
        """Forgets runs of which the hour is over, and where their streams stood; returns how many there were."""
        now, deleted = self.clock.now(), 0
        while gone := await self.database.write(
            SYSTEM, lambda tx: tx.fetch_value(ANALYSIS.delete_expired_runs, now, DELETED_AT_ONCE)
        ):
            deleted += gone
        return deleted

    async def stop(self) -> None:
        """Ends what is under way here; it can be continued anywhere."""
        await self._running.stop()

    async def _begin(self, tx: Tx, viewer: Viewer, symbol: str, now: datetime) -> Run:
        session_id = str(viewer.session_id)
        await tx.execute(ANALYSIS.forget_run, session_id, symbol, now)
        await tx.execute(ANALYSIS.begin_run, viewer.user_id, session_id, symbol, now, now + RUN_TTL)
        # Read after the insert: where another process was first, this one is the one that has waited for it.
        run = await _current(tx, session_id, symbol, now)
        assert run is not None
        return run


class _Course:
    """One process's work at one run."""

    def __init__(self, phases: Phases, scope: Scope, run: Run, symbol: str, began_s: float) -> None:
        self._phases = phases
        self._scope = scope
        self._run = run
        self._symbol = symbol
        self._began_s = began_s

    @classmethod
    def of(cls, phases: Phases, scope: Scope, run: Run, symbol: str) -> Self:
        """A course that begins now: its budgets count from here."""
        return cls(phases, scope, run, symbol, asyncio.get_running_loop().time())

    async def run(self) -> None:
        """Completes whatever phases are missing, in order."""
        try:
            for number, kinds in PHASES.items():
                if number not in self._run.completed:
                    parts = await self._parts(number, kinds)
                    await self._store(number, parts)
        except Unavailable:
            log.warning("analysis.run_left", run=str(self._run.id), symbol=self._symbol)
        except Exception:
            log.exception("analysis.run_failed", run=str(self._run.id), symbol=self._symbol)

    async def _parts(self, number: int, kinds: tuple[AnalysisType, ...]) -> list[Analysis[Any]]:
        """The phase's analyses, with those that are not there in time told as such."""
        budget_s = self._phases.budgets_s[number]
        wait_s = max(LEAST_S, budget_s - self._elapsed_s())
        late = f"It was not there within the {budget_s:g} s of phase {number}."
        return await self._phases.analyses.there_within(self._symbol, kinds, wait_s, late)

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
        phase_id = await tx.fetch_value(ANALYSIS.complete_phase, self._run.id, number, data, now)
        if phase_id is not None:
            payload = {"run_id": self._run.id, "phase": number, "id": phase_id}
            await self._phases.events.append(tx, [Fact(analysis_stream(self._run.id), PHASE_COMPLETED, payload)])

    def _elapsed_s(self) -> float:
        return asyncio.get_running_loop().time() - self._began_s


async def _current(executor: Executor, session_id: str, symbol: str, now: datetime) -> Run | None:
    row = await executor.fetch_one(ANALYSIS.current_run, session_id, symbol, now)
    return None if row is None else Run(*row)
