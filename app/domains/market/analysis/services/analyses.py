"""The ten analyses of a token, each computed once for all callers until it expires.

An analysis is cached in Redis, and in Postgres in case Redis loses it. A failure makes one analysis UNAVAILABLE with a
reason, and affects no other.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

import msgspec
import structlog

from app.domains.market.analysis.model import (
    PROVISIONAL_TTL,
    TTLS,
    UNAVAILABLE_TTL,
    Analysis,
    AnalysisStatus,
    AnalysisType,
)
from app.domains.market.analysis.model.kinds import read_analysis
from app.domains.market.analysis.rules.quality import quality
from app.domains.market.analysis.services.analyst import Analyst, NotAvailable
from app.domains.market.analysis.services.research import ResearchAnalyst
from app.domains.market.analysis.services.writer import Writer
from app.domains.market.analysis.statements import AnalysisSql
from app.kit.clock import Clock
from app.kit.db import SYSTEM, Database
from app.kit.errors import Unavailable
from app.kit.redis_client import Redis
from app.kit.shared_cache import CacheEntry, SharedCache

PATIENCE_S: Final = 12.0
"""The timeout of an analysis. Its reason then says that an input has not answered."""

log = structlog.get_logger(__name__)


class Analyses:
    """Computes and caches analyses."""

    def __init__(
        self, database: Database, redis: Redis, clock: Clock, analysts: Sequence[Analyst], writer: Writer | None
    ) -> None:
        """`analysts` compute all analyses except the research, which is based on the others."""
        self.asked = 0
        self.made = 0
        """How many of the requested ones this process computed. The others were cached, or already being computed."""
        self._database = database
        self._clock = clock
        research: Analyst = ResearchAnalyst(self.get_within, writer)
        self._analysts = {analyst.type: analyst for analyst in (*analysts, research)}
        self._computed: SharedCache[Analysis[Any]] = SharedCache(
            redis, "analysis", encode=msgspec.json.encode, decode=self._usable, wait_s=PATIENCE_S + 1
        )

    async def get(self, symbol: str, kind: AnalysisType) -> Analysis[Any]:
        """Returns the analysis of a listed token. Failures are in its status and reason."""
        self.asked += 1
        return await self._computed.get(f"{symbol}:{kind}", lambda: self._found_or_made(symbol, kind))

    async def get_within(
        self, symbol: str, kinds: Sequence[AnalysisType], wait_s: float, late: str
    ) -> list[Analysis[Any]]:
        """Returns several analyses. One that is late is UNAVAILABLE, with the reason `late`, and is still computed."""
        tasks = [asyncio.create_task(self.get(symbol, kind)) for kind in kinds]
        try:
            await asyncio.wait(tasks, timeout=wait_s)
            return [
                task.result() if task.done() else self.unavailable(symbol, kind, late)
                for task, kind in zip(tasks, kinds, strict=True)
            ]
        finally:
            for task in tasks:
                task.cancel()

    async def delete_expired(self) -> int:
        """Deletes expired analyses. Returns their number."""
        now = self._clock.now()
        return await self._database.write(SYSTEM, lambda tx: tx.execute(AnalysisSql.delete_expired_analyses, now))

    async def stop(self) -> None:
        """Cancels what is being computed."""
        await self._computed.stop()

    def _usable(self, body: bytes) -> Analysis[Any] | None:
        try:
            analysis = read_analysis(msgspec.json.decode(body))
        except (ValueError, msgspec.MsgspecError):
            return None
        return analysis if analysis.expires_at > self._clock.now() else None

    async def _found_or_made(self, symbol: str, kind: AnalysisType) -> CacheEntry[Analysis[Any]]:
        analysis = await self._stored(symbol, kind)
        if analysis is None:
            analysis = await self._made(symbol, kind)
            if analysis.status is AnalysisStatus.AVAILABLE:
                await self._store(analysis)
        return CacheEntry(analysis, (analysis.expires_at - self._clock.now()).total_seconds())

    async def _made(self, symbol: str, kind: AnalysisType) -> Analysis[Any]:
        self.made += 1
        try:
            async with asyncio.timeout(PATIENCE_S):
                examination = await self._analysts[kind].examine(symbol)
        except NotAvailable as error:
            return self.unavailable(symbol, kind, error.reason)
        except Unavailable as error:
            return self.unavailable(symbol, kind, error.message)
        except TimeoutError:
            return self.unavailable(symbol, kind, f"What it needs has not answered within {PATIENCE_S:g} s.")
        except Exception:
            log.exception("analysis.failed", symbol=symbol, type=kind)
            return self.unavailable(symbol, kind, "It could not be computed.")
        now = self._clock.now()
        ttl = min(TTLS[kind], PROVISIONAL_TTL) if examination.is_provisional else TTLS[kind]
        return Analysis(
            symbol=symbol,
            type=kind,
            status=AnalysisStatus.AVAILABLE,
            reason=None,
            quality=quality(examination.sources),
            computed_at=now,
            expires_at=now + ttl,
            findings=examination.findings,
        )

    def unavailable(
        self, symbol: str, kind: AnalysisType, reason: str, ttl: timedelta = UNAVAILABLE_TTL
    ) -> Analysis[Any]:
        """Returns an unavailable analysis with its reason."""
        now = self._clock.now()
        return Analysis(symbol, kind, AnalysisStatus.UNAVAILABLE, reason, 0, now, now + ttl, None)

    async def _stored(self, symbol: str, kind: AnalysisType) -> Analysis[Any] | None:
        try:
            data = await self._database.fetch_one(AnalysisSql.cached_analysis, symbol, kind, self._clock.now())
            return None if data is None else read_analysis(data)
        except (Unavailable, ValueError):
            # Postgres may be back once the analysis is computed; an analysis of another release is computed again.
            return None

    async def _store(self, analysis: Analysis[Any]) -> None:
        row = (
            analysis.symbol,
            analysis.type,
            analysis,
            analysis.quality,
            analysis.computed_at,
            analysis.expires_at,
        )
        try:
            await self._database.write(SYSTEM, lambda tx: tx.execute(AnalysisSql.cache_analysis, *row))
        except Unavailable:
            log.warning("analysis.not_stored", symbol=analysis.symbol, type=analysis.type)
