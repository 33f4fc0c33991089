"""Measuring what portfolios did."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Final, NamedTuple, TypeAlias
from uuid import UUID

import msgspec
import structlog

from app.domains.trading.performance.model import (
    DAYS_KEPT,
    Flow,
    Measured,
    Period,
    RecordedValue,
    Span,
    Trading,
)
from app.domains.trading.performance.rules.history import history_of
from app.domains.trading.performance.rules.metrics import metrics_of
from app.domains.trading.performance.rules.performance import performance
from app.domains.trading.performance.rules.periods import due_spans
from app.domains.trading.performance.rules.recorded import values_of
from app.domains.trading.performance.statements import PerformanceSql
from app.kit.clock import Clock
from app.kit.db import SYSTEM, Database, Tx
from app.kit.errors import Unavailable
from app.kit.sql import columns_of

PORTFOLIOS_AT_ONCE: Final = 100
SPANS_AT_ONCE: Final = 50

Row: TypeAlias = tuple[Period, datetime, datetime, bool, str, Decimal | None, dict[str, datetime | bool | None]]
"""A metric of a span: the columns of `put_metrics`."""

log = structlog.get_logger(__name__)


class Part(NamedTuple):
    """A day, week, month or year."""

    period: Period
    span: Span


class Known(NamedTuple):
    """What is stored of a portfolio, of one moment."""

    recorded: Sequence[RecordedValue]
    flows: Sequence[Flow]
    contributed: Decimal
    trading: Sequence[Trading]


@dataclass(frozen=True)
class PerformanceMeter:
    """Measures portfolios, one after another, and of each a bounded number of spans at once."""

    database: Database
    clock: Clock

    async def measure(self) -> str:
        """Measures of every portfolio, in its present life, what is not final. To repeat it is to compute it again."""
        count, failed, after = 0, 0, None
        while rows := await self._progress(after):
            for portfolio_id, periods in groupby(rows, key=lambda row: row.portfolio_id):
                try:
                    count += await self._measure(list(periods))
                except Unavailable:
                    raise
                except Exception:
                    # The others do not wait for one that cannot be measured.
                    failed += 1
                    log.exception("performance.failed", portfolio_id=str(portfolio_id))
            after = rows[-1].portfolio_id
        await self.database.write(SYSTEM, lambda tx: tx.execute(PerformanceSql.finish_ended_lives))
        return f"{count} periods" if not failed else f"{count} periods; {failed} portfolios failed"

    async def delete_old(self) -> str:
        """Deletes what was measured of days, once it has been kept for long enough."""
        before = self.clock.now() - DAYS_KEPT
        deleted = await self.database.write(SYSTEM, lambda tx: tx.execute(PerformanceSql.delete_old_days, before))
        return f"{deleted} metrics"

    async def _progress(self, after: UUID | None) -> list[Measured]:
        """How far the next portfolios are measured."""

        async def work(tx: Tx) -> list[Measured]:
            return await tx.fetch(PerformanceSql.measured_portfolios, after, PORTFOLIOS_AT_ONCE, list(Period))

        rows = await self.database.read(SYSTEM, work)
        return [msgspec.structs.replace(row, period=Period(row.period)) for row in rows]

    async def _measure(self, measured: Sequence[Measured]) -> int:
        """Measures a portfolio; returns the number of spans."""
        now, portfolio = self.clock.now(), measured[0]
        due = [Part(each.period, span) for each in measured for span in due_spans(each, now)]
        for start in range(0, len(due), SPANS_AT_ONCE):
            parts = due[start : start + SPANS_AT_ONCE]
            rows = _rows(portfolio, parts, await self._known(portfolio, parts, now))
            await self._put(portfolio, now, rows)
        return len(due)

    async def _known(self, portfolio: Measured, parts: Sequence[Part], now: datetime) -> Known:
        id, life = portfolio.portfolio_id, portfolio.life
        begins, ends = [part.span.begins_at for part in parts], [part.span.ends_at for part in parts]

        async def work(tx: Tx) -> Known:
            recorded = await tx.fetch(PerformanceSql.values_within, id, life, min(begins), max(ends), now)
            since = min([min(begins), *(each.at for each in recorded[:1])])
            flows = await tx.fetch(PerformanceSql.flows_since, id, life, since)
            [contributed] = await tx.fetch(PerformanceSql.contributed, id)
            return Known(
                recorded, flows, contributed, await tx.fetch(PerformanceSql.traded_within, id, life, begins, ends)
            )

        return await self.database.read(SYSTEM, work)

    async def _put(self, portfolio: Measured, at: datetime, rows: Sequence[Row]) -> None:
        async def work(tx: Tx) -> None:
            await tx.execute(PerformanceSql.put_metrics, portfolio.portfolio_id, portfolio.life, at, *columns_of(rows))

        await self.database.write(SYSTEM, work)


def _rows(portfolio: Measured, parts: Sequence[Part], known: Known) -> list[Row]:
    """The metrics of some spans. A span is final if it is over, and a regular value was recorded since."""
    began = portfolio.life_began_at
    values = values_of(
        known.recorded,
        known.flows,
        known.contributed,
        began,
        with_opening=began >= min(part.span.begins_at for part in parts),
    )
    history = history_of(values, known.flows)
    newest = max((each.at for each in known.recorded if not each.is_flow), default=began)
    return [
        (period, span.begins_at, span.ends_at, span.ends_at <= newest, metric.type, metric.value, metric.metadata)
        for (period, span), trading in zip(parts, known.trading, strict=True)
        for metric in metrics_of(performance(history, span, trading))
    ]
