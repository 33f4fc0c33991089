"""Asking for back-tests and sweeps, and cancelling them. What is asked for is a job: it is run by a worker."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

import msgspec

from app.domains.accounts.model import Viewer
from app.domains.market.tokens.model import symbol_of
from app.domains.market.tokens.services.search import known_symbol
from app.domains.trading.backtests.model import (
    MAX_CANDLES,
    MAX_SWEEP_CANDLES,
    MAX_UNFINISHED,
    PROGRESS,
    Asked,
    AskedSweep,
    Backtest,
    BacktestNotRunning,
    BacktestStatus,
    BacktestSweep,
    BacktestTooLarge,
    CandlesMissing,
    ProgressFact,
    Span,
    TooManyBacktests,
    backtest_stream,
)
from app.domains.trading.backtests.rules.checks import Settings, check_asked, check_sweep
from app.domains.trading.backtests.statements import BacktestSql
from app.domains.trading.orders.services.terms import request_of, system_scope
from app.kit.clock import Clock
from app.kit.db import SYSTEM, Database, Tx
from app.kit.errors import NotFound, ResultDeleted
from app.kit.events import EventLog, Fact
from app.kit.idempotency import KeyedRequest, Made, check_key, once_known
from app.kit.jobs import enqueue
from app.kit.sql import Query

BACKTEST_JOB: Final = "trading.backtest"
RETENTION: Final = timedelta(days=90)
DELETED_AT_ONCE: Final = 100
EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""Nothing has ended before, and no time is before the year 1."""


@dataclass(frozen=True)
class Backtests:
    """The back-tests and sweeps of all users. Only Moneta writes them."""

    database: Database
    clock: Clock
    events: EventLog

    async def run(self, viewer: Viewer, asked: Asked, idempotency_key: str) -> UUID:
        """Asks for a back-test; returns its ID.

        Raises InvalidInput, TokenNotFound, CandlesMissing, BacktestTooLarge, TooManyBacktests, IdempotencyKeyReused,
        ResultDeleted.
        """
        made = Made(uuid4())

        async def insert(tx: Tx) -> None:
            now = self.clock.now()
            check_asked(asked, now)
            row = await self._asked(tx, viewer, made.id, asked, now)
            await tx.execute(BacktestSql.insert_backtest, *row)
            await self._enqueue(tx, made.id, {"id": str(made.id)}, row[11])

        check_key(idempotency_key, lambda: check_asked(asked, self.clock.now()))
        keyed = KeyedRequest.of(viewer.user_id, idempotency_key, "runBacktest", _request_of(asked))
        return await self._once(viewer, keyed, made, insert, BacktestSql.is_backtest_of)

    async def sweep(self, viewer: Viewer, asked: AskedSweep, idempotency_key: str) -> UUID:
        """Asks for a sweep; returns its ID. Raises as `run` does."""
        made = Made(uuid4())

        async def insert(tx: Tx) -> None:
            now = self.clock.now()
            runs = check_sweep(asked, now)
            row = await self._asked(tx, viewer, made.id, asked.asked, now)
            check_size(runs, row[11])
            combinations = 1
            for axis in asked.axes:
                combinations *= len(axis.values)
            axes = msgspec.to_builtins(asked.axes)
            left_out = combinations - len(runs)
            await tx.execute(BacktestSql.insert_sweep, *row, axes, asked.train_fraction, len(runs), left_out)
            await self._enqueue(tx, made.id, {"id": str(made.id), "is_sweep": True}, len(runs))

        check_key(idempotency_key, lambda: check_sweep(asked, self.clock.now()))
        request = {**request_of(asked), "asked": _request_of(asked.asked)}
        keyed = KeyedRequest.of(viewer.user_id, idempotency_key, "runSweep", request)
        return await self._once(viewer, keyed, made, insert, BacktestSql.is_sweep_of)

    async def cancel(self, viewer: Viewer, id: UUID) -> None:
        """Cancels a back-test that has not ended. Raises NotFound, BacktestNotRunning."""
        await self._cancel(viewer, id, Backtest, BacktestSql.is_backtest_of, BacktestSql.end_backtest)

    async def cancel_sweep(self, viewer: Viewer, id: UUID) -> None:
        """Cancels a sweep that has not ended. Raises NotFound, BacktestNotRunning."""
        await self._cancel(viewer, id, BacktestSweep, BacktestSql.is_sweep_of, BacktestSql.end_sweep)

    async def delete_old(self) -> str:
        """Deletes back-tests and sweeps after 90 days."""
        before = self.clock.now() - RETENTION
        counts = [
            await self._delete(each, before)
            for each in (BacktestSql.delete_old_backtests, BacktestSql.delete_old_sweeps)
        ]
        return f"{counts[0]} back-tests, {counts[1]} sweeps"

    async def _delete(self, query: Query[int], before: datetime) -> int:
        deleted = 0
        while True:
            [count] = await self.database.write(SYSTEM, lambda tx: tx.fetch(query, before, DELETED_AT_ONCE))
            deleted += count
            if count < DELETED_AT_ONCE:
                return deleted

    async def _asked(self, tx: Tx, viewer: Viewer, id: UUID, asked: Asked, now: datetime) -> tuple[Any, ...]:
        """What is inserted of a back-test or a sweep, which is one too many for nobody."""
        bot = asked.bot
        symbol = await known_symbol(tx, bot.symbol)
        await tx.execute(BacktestSql.lock_backtests_of, str(viewer.user_id))
        [unfinished] = await tx.fetch(BacktestSql.count_unfinished, viewer.user_id)
        if unfinished >= MAX_UNFINISHED:
            raise TooManyBacktests(MAX_UNFINISHED)
        until = asked.until or now
        span = await self._span(tx, symbol, asked, until)
        [tier] = await tx.fetch(BacktestSql.tier_of, viewer.user_id, now)
        return (
            id,
            viewer.user_id,
            symbol,
            asked.interval,
            span.exchange,
            asked.since or span.begins_at,
            until,
            str(bot.config.__struct_config__.tag),
            msgspec.to_builtins(msgspec.structs.replace(bot, symbol=symbol)),
            asked.initial_cash_usd,
            tier,
            span.candles,
            now,
        )

    async def _span(self, tx: Tx, symbol: str, asked: Asked, until: datetime) -> Span:
        """The candles that have ended by then. Raises CandlesMissing, BacktestTooLarge."""
        most = MAX_CANDLES if asked.since is None else MAX_CANDLES + 1
        last = max(until, EARLIEST) - asked.interval.length
        span = await tx.fetch_one(BacktestSql.stored_span, symbol, asked.interval, asked.since, last, most)
        if span is None:
            raise CandlesMissing
        if span.candles > MAX_CANDLES:
            message = f"A back-test has at most {MAX_CANDLES:,} candles. Begin later, or take longer ones."
            raise BacktestTooLarge(message, MAX_CANDLES, span.candles)
        return span

    async def _enqueue(self, tx: Tx, id: UUID, payload: dict[str, Any], total: int) -> None:
        await enqueue(tx, BACKTEST_JOB, payload)
        await self.events.append(tx, [progress_of(id, BacktestStatus.QUEUED, 0, total)])

    async def _once(
        self,
        viewer: Viewer,
        keyed: KeyedRequest,
        made: Made,
        insert: Callable[[Tx], Awaitable[None]],
        is_there: Query[bool],
    ) -> UUID:
        async def write(tx: Tx) -> UUID:
            outcome = await once_known(tx, keyed, made, lambda: insert(tx))
            id = outcome.result.id
            if outcome.replayed and not await tx.fetch_one(is_there, id, viewer.user_id):
                raise ResultDeleted
            return id

        return await self.database.write(system_scope(viewer), write)

    async def _cancel(
        self, viewer: Viewer, id: UUID, kind: type[Any], is_there: Query[bool], end: Query[tuple[int, int]]
    ) -> None:
        async def work(tx: Tx) -> None:
            if not await tx.fetch_one(is_there, id, viewer.user_id):
                raise NotFound(kind)
            found = await tx.fetch_one(end, id, BacktestStatus.CANCELLED, None, self.clock.now())
            if found is None:
                raise BacktestNotRunning
            await self.events.append(tx, [progress_of(id, BacktestStatus.CANCELLED, *found)])

        await self.database.write(system_scope(viewer), work)


def check_size(runs: Sequence[Settings], candles: int) -> None:
    """Raises BacktestTooLarge for a sweep that would take too long."""
    if (asked := len(runs) * candles) > MAX_SWEEP_CANDLES:
        message = f"The runs of a sweep have at most {MAX_SWEEP_CANDLES:,} candles together; these have {asked:,}."
        raise BacktestTooLarge(message, MAX_SWEEP_CANDLES, asked)


def progress_of(id: UUID, status: BacktestStatus, done: int, total: int) -> Fact:
    """What its stream says of it."""
    return Fact(backtest_stream(id), PROGRESS, msgspec.to_builtins(ProgressFact(status, done, total)))


def _request_of(asked: Asked) -> dict[str, Any]:
    bot = asked.bot
    request = request_of(msgspec.structs.replace(asked, bot=msgspec.structs.replace(bot, symbol=symbol_of(bot.symbol))))
    return {**request, "strategy": str(bot.config.__struct_config__.tag)}
