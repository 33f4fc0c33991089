"""Running what was asked for. Each run may be begun again, wherever its worker was killed: it comes to the same."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec
import structlog

from app.domains.market.prices.model import Candle, Interval
from app.domains.market.providers.services.simulated import SIMULATED
from app.domains.trading.backtests.model import (
    MAX_CANDLES,
    Backtest,
    BacktestStatus,
    BacktestSweep,
    CandlesMissing,
)
from app.domains.trading.backtests.model.reports import BotTerms, Metrics, Report, Run
from app.domains.trading.backtests.model.tasks import Done, Failed, Heard, Message, Part, Task
from app.domains.trading.backtests.rules.sweeping import Sweeping, runs_of, sweeping_of
from app.domains.trading.backtests.services.backtests import progress_of
from app.domains.trading.backtests.services.processes import ProcessDied, Processes, Simulating
from app.domains.trading.backtests.statements import BacktestReadSql, BacktestSql
from app.domains.trading.strategies.model import WINDOW_CANDLES
from app.kit.clock import Clock
from app.kit.db import SYSTEM, Database, Tx
from app.kit.events import EventLog
from app.kit.sql import Query, columns_of
from app.kit.work import Work, working

ATTEMPTS: Final = 5
"""After so many, what kills its process or its worker is given up."""
STEPS: Final = 10
"""How often progress is reported, at most, beside beginning and end."""
POLL_S: Final = 1.0
"""How soon it is seen that something was cancelled."""
TRADES_AT_ONCE: Final = 5_000

log = structlog.get_logger(__name__)


class Kind(NamedTuple):
    """The statements about back-tests, or those about sweeps."""

    begin: Query[int]
    is_running: Query[bool]
    note: Query[bool]
    end: Query[tuple[int, int]]


BACKTEST: Final = Kind(
    BacktestSql.begin_backtest,
    BacktestSql.is_backtest_running,
    BacktestSql.note_backtest_progress,
    BacktestSql.end_backtest,
)
SWEEP: Final = Kind(
    BacktestSql.begin_sweep, BacktestSql.is_sweep_running, BacktestSql.note_sweep_progress, BacktestSql.end_sweep
)


class Impossible(Exception):
    """It cannot be run, however often it is tried. Says why, for its owner."""


class Ended(Exception):
    """It was cancelled or deleted meanwhile, or another worker has completed it."""


class _Candles(NamedTuple):
    """The candles of a run, and the number of the first that is traded in."""

    candles: list[Candle]
    first: int


@dataclass(frozen=True)
class Runner:
    """Runs back-tests and sweeps, as a job."""

    database: Database
    clock: Clock
    events: EventLog
    processes: Processes = field(default_factory=Processes)

    async def run(self, payload: dict[str, Any]) -> None:
        """Handles BACKTEST_JOB. Raises ProcessDied, Unavailable, and is tried again."""
        id = UUID(payload["id"])
        kind = SWEEP if payload.get("is_sweep") else BACKTEST
        begin = kind.begin
        attempt = await self.database.write(SYSTEM, lambda tx: tx.fetch_one(begin, id, self.clock.now()))
        if attempt is None:
            return
        try:
            if attempt > ATTEMPTS:
                raise Impossible(f"It was begun {ATTEMPTS} times, and its process was ended each time.")
            await (self._sweep(id) if payload.get("is_sweep") else self._backtest(id))
        except Ended:
            log.info("backtest.ended", id=str(id))
        except (Impossible, CandlesMissing) as problem:
            await self._fail(kind, id, str(problem))

    async def _backtest(self, id: UUID) -> None:
        [asked] = await self.database.read(SYSTEM, lambda tx: tx.fetch(BacktestReadSql.backtests_by_ids, [id]))
        found = await self._candles(asked)
        end = len(found.candles)
        total = end - found.first
        run = Run(
            bot=msgspec.convert(asked.bot, BotTerms, strict=False),
            interval=Interval(asked.interval),
            initial_cash_usd=asked.initial_cash_usd,
            tier=asked.tier,
        )
        progress = _Progress(self, BACKTEST, id, total)
        await progress.note(0)
        task = Task(found.candles, asked.exchange == SIMULATED, [Part(run, found.first, end)], whole=True)
        report: Report | None = None
        async with aclosing(self._messages(BACKTEST, id, task)) as messages:
            async for message in messages:
                match message:
                    case Heard(_, candles):
                        await progress.note(candles)
                    case Done(report=found_report):
                        report = found_report
                    case Failed(reason=reason):
                        raise Impossible(reason)
        if report is None:
            raise ProcessDied
        await self._complete(id, report)

    async def _sweep(self, id: UUID) -> None:
        [asked] = await self.database.read(SYSTEM, lambda tx: tx.fetch(BacktestReadSql.sweeps_by_ids, [id]))
        found = await self._candles(asked)
        sweeping = sweeping_of(asked, found.first, len(found.candles))
        progress = _Progress(self, SWEEP, id, len(sweeping.runs))
        await progress.note(0)
        metrics = dict[int, Metrics]()
        shares = [each for each in sweeping.shares(self.processes.most) if each]
        has_second = asked.exchange == SIMULATED

        async def do(share: list[int]) -> None:
            parts = [sweeping.parts[each] for each in share]
            task = Task(found.candles, has_second, parts, whole=False)
            with working(Work()):
                async with aclosing(self._messages(SWEEP, id, task)) as messages:
                    async for message in messages:
                        if isinstance(message, Failed):
                            raise Impossible(message.reason)
                        if isinstance(message, Done):
                            metrics[share[message.part]] = message.metrics
                            await progress.note(len(metrics) // sweeping.parts_of_run)

        await _all_or_none([do(each) for each in shares])
        if len(metrics) < len(sweeping.parts):
            raise ProcessDied
        await self._complete_sweep(asked, sweeping, metrics, found)

    async def _candles(self, asked: Backtest | BacktestSweep) -> _Candles:
        """The candles that have ended by the end of the span, and the window before it. Raises CandlesMissing."""
        last = asked.until - Interval(asked.interval).length
        rows = await self.database.read(
            SYSTEM,
            lambda tx: tx.fetch(
                BacktestSql.stored_candles,
                asked.symbol,
                asked.exchange,
                asked.interval,
                asked.since,
                last,
                WINDOW_CANDLES - 1,
                MAX_CANDLES,
            ),
        )
        first = sum(each.opened_at < asked.since for each in rows)
        if first == len(rows):
            raise CandlesMissing
        return _Candles(rows, first)

    async def _messages(self, kind: Kind, id: UUID, task: Task) -> AsyncGenerator[Message]:
        """What a process says. Raises Ended as soon as it is seen that nobody wants to know any more."""
        async with self.processes.simulate(task) as simulating, self._watching(kind, id, simulating) as is_ended:
            try:
                async for message in simulating.messages():
                    yield message
            except ProcessDied:
                if not is_ended():
                    raise
            if is_ended():
                raise Ended

    @asynccontextmanager
    async def _watching(self, kind: Kind, id: UUID, simulating: Simulating) -> AsyncIterator[Callable[[], bool]]:
        """Kills the process once its run has ended otherwise."""
        is_ended = False

        async def watch() -> None:
            nonlocal is_ended
            with working(Work()):
                while True:
                    if not await self.database.read(SYSTEM, lambda tx: tx.fetch_one(kind.is_running, id)):
                        break
                    await asyncio.sleep(POLL_S)
            is_ended = True
            simulating.kill()

        watching = asyncio.create_task(watch())
        try:
            yield lambda: is_ended
        finally:
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watching

    async def _complete(self, id: UUID, report: Report) -> None:
        stored = msgspec.to_builtins(msgspec.structs.replace(report, trips=[]))
        del stored["trips"]
        rows = [msgspec.structs.astuple(each) for each in report.trips]

        async def work(tx: Tx) -> None:
            if not await tx.fetch_one(BacktestSql.complete_backtest, id, stored, report.candles, self.clock.now()):
                raise Ended
            for begin in range(0, len(rows), TRADES_AT_ONCE):
                columns = columns_of(rows[begin : begin + TRADES_AT_ONCE])
                await tx.execute(BacktestSql.insert_trades, id, *columns)
            fact = progress_of(id, BacktestStatus.COMPLETED, report.candles, report.candles)
            await self.events.append(tx, [fact])

        await self.database.write(SYSTEM, work)

    async def _complete_sweep(
        self, asked: BacktestSweep, sweeping: Sweeping, metrics: dict[int, Metrics], found: _Candles
    ) -> None:
        rows = [msgspec.structs.astuple(each)[1:] for each in runs_of(asked, sweeping, metrics)]
        candles, count = len(found.candles) - found.first, len(rows)
        split = None if sweeping.split is None else found.candles[sweeping.split].opened_at

        async def work(tx: Tx) -> None:
            now = self.clock.now()
            if not await tx.fetch_one(BacktestSql.complete_sweep, asked.id, count, candles, split, now):
                raise Ended
            await tx.execute(BacktestSql.insert_runs, asked.id, *columns_of(rows))
            await self.events.append(tx, [progress_of(asked.id, BacktestStatus.COMPLETED, count, count)])

        await self.database.write(SYSTEM, work)

    async def _fail(self, kind: Kind, id: UUID, reason: str) -> None:
        async def work(tx: Tx) -> None:
            found = await tx.fetch_one(kind.end, id, BacktestStatus.FAILED, reason, self.clock.now())
            if found is not None:
                await self.events.append(tx, [progress_of(id, BacktestStatus.FAILED, *found)])

        await self.database.write(SYSTEM, work)


class _Progress:
    """How far a run is, reported in steps."""

    def __init__(self, runner: Runner, kind: Kind, id: UUID, total: int) -> None:
        self._runner = runner
        self._kind = kind
        self._id = id
        self._total = total
        self._next = 0
        # A sweep is several simulations at once: what one of them says later is not stored before.
        self._turn = asyncio.Lock()

    async def note(self, done: int) -> None:
        """Reports it, if that is another step. Raises Ended."""
        if done < self._next:
            return
        every = -(-self._total // STEPS)
        self._next = (done // every + 1) * every
        async with self._turn:
            await self._store(done)

    async def _store(self, done: int) -> None:
        id, total, runner = self._id, self._total, self._runner

        async def work(tx: Tx) -> None:
            if not await tx.fetch_one(self._kind.note, id, done, total):
                raise Ended
            await runner.events.append(tx, [progress_of(id, BacktestStatus.RUNNING, done, total)])

        await runner.database.write(SYSTEM, work)


async def _all_or_none(works: Sequence[Any]) -> None:
    """Waits for all; once one of them fails, the others are ended, and its error is raised."""
    tasks = [asyncio.ensure_future(each) for each in works]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
