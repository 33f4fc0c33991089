"""Background jobs: enqueued in the caller's transaction, run by a worker, retried with backoff."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import asyncpg
import msgspec
import structlog
from pgqueuer import PgQueuer
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.core.executors import DatabaseRetryEntrypointExecutor
from pgqueuer.models import Job as QueuedJob
from pgqueuer.models import Schedule as QueuedSchedule
from pgqueuer.queries import Queries as PgQueries

from app.kit.clock import Clock
from app.kit.db import SYSTEM, Database, Executor, Tx
from app.kit.maintenance import MaintenanceSwitch
from app.kit.postgres import end_session
from app.kit.sql import Command, Query, Statements
from app.kit.tasks import end
from app.kit.work import Work, working

MAX_ATTEMPTS = 8
MAX_SCHEDULES = 100
"""How many scheduled jobs are listed."""
RESTART_S = 1.0
IDEMPOTENCY_RETENTION = timedelta(days=7)
JOB_LOG_RETENTION = timedelta(days=30)

log = structlog.get_logger(__name__)


class Job(msgspec.Struct, frozen=True):
    """A kind of work. `handler` gets the payload and must be idempotent: it may run more than once."""

    name: str
    handler: Callable[[dict[str, Any]], Awaitable[None]]


class Schedule(msgspec.Struct, frozen=True):
    """Work at fixed times: `cron` is in UTC. `handler` returns one line that says what it did."""

    name: str
    cron: str
    purpose: str
    handler: Callable[[], Awaitable[str]]
    runs_at_start: bool = False
    """Whether a worker also runs it at start: after a long pause it must not wait for the next scheduled time."""


class ScheduledJob(msgspec.Struct, frozen=True):
    """A scheduled job as an admin sees it. The last four are null until it has run, or while it runs."""

    job: str
    schedule: str
    next_run: datetime
    started_at: datetime | None
    finished_at: datetime | None
    succeeded: bool | None
    detail: str | None


class JobSql(Statements, file="jobs.sql"):
    """The statements about jobs."""

    job_started: Command
    job_finished: Command
    job_schedules: Query[ScheduledJob]
    maintain_partitions: Query[tuple[int, int]]
    delete_old_idempotency_keys: Command
    delete_old_job_logs: Command


async def enqueue(
    tx: Tx, name: str, payload: dict[str, Any], *, delay: timedelta = timedelta(0), dedupe_key: str | None = None
) -> None:
    """Enqueues a job, which exists only if the transaction commits. A key that already waits is not added again."""
    async with tx.borrow() as connection:
        queries = PgQueries(AsyncpgDriver(connection))  # type: ignore[arg-type]  # a pool's proxy is a connection
        await queries.enqueue(
            name, msgspec.json.encode(payload), execute_after=delay, dedupe_key=dedupe_key, on_conflict="skip"
        )


async def scheduled_jobs(executor: Executor) -> list[ScheduledJob]:
    """All schedules, by name."""
    return await executor.fetch(JobSql.job_schedules, MAX_SCHEDULES)


class JobRunner:
    """Runs jobs and schedules until stopped. Any number of workers may run; each job is taken by one.

    During maintenance it takes none and runs no schedule. What was due meanwhile is done afterwards, a schedule once.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        jobs: list[Job],
        schedules: list[Schedule],
        maintenance: MaintenanceSwitch | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._jobs = jobs
        self._schedules = schedules
        self._maintenance = maintenance or MaintenanceSwitch()
        self._maintenance.follow(self._pause)
        self._stopping = asyncio.Event()
        self._paused = asyncio.Event()
        self._queuer: PgQueuer | None = None
        # More than one if maintenance has ended before a job that had begun earlier.
        self._runs = set[asyncio.Task[None]]()

    async def run(self) -> None:
        """Runs until `stop`, then lets what is under way finish. An outage of Postgres is waited out."""
        resumes = False
        try:
            while not self._stopping.is_set():
                if self._maintenance.is_on:
                    await _first(self._stopping.wait(), self._maintenance.off())
                    resumes = True
                    continue
                self._paused.clear()
                run = asyncio.create_task(self._take_jobs(resumes=resumes))
                self._runs.add(run)
                run.add_done_callback(self._runs.discard)
                await _first(self._paused.wait(), run)
            if self._runs:
                await asyncio.wait(set(self._runs))
        finally:
            await end(*self._runs)

    async def _take_jobs(self, *, resumes: bool) -> None:
        try:
            await self._run(resumes=resumes)
        except Exception as error:
            # What a job raises is stored with the job; this is a failure of the queue itself.
            log.warning("jobs.interrupted", exc_info=error)
            await asyncio.sleep(RESTART_S)

    async def _run(self, *, resumes: bool) -> None:
        # It listens for as long as it lives, so it has a connection of its own. One that has ended cannot be run again.
        connection = await self._database.connect()
        try:
            queuer = self._new_queuer(connection, resumes=resumes)
            if self._stopping.is_set() or self._maintenance.is_on:
                return
            self._queuer = queuer
            await queuer.run(dequeue_timeout=timedelta(seconds=5))
            if self._queuer is queuer:
                # Nobody has paused it.
                self._stopping.set()
        finally:
            end_session(connection)

    def stop(self) -> None:
        """Makes `run` return."""
        self._stopping.set()
        self._end_queuer()

    def _pause(self) -> None:
        self._paused.set()
        self._end_queuer()

    def _end_queuer(self) -> None:
        """It takes no more, and finishes what it has taken."""
        if self._queuer is not None:
            self._queuer.shutdown.set()
            self._queuer = None

    def _new_queuer(self, connection: "asyncpg.Connection[asyncpg.Record]", *, resumes: bool) -> PgQueuer:
        queuer = PgQueuer.from_asyncpg_connection(connection)
        for job in self._jobs:
            queuer.entrypoint(
                job.name,
                on_failure="hold",
                executor_factory=partial(DatabaseRetryEntrypointExecutor, max_attempts=MAX_ATTEMPTS),
            )(_entrypoint(job))
        for schedule in self._schedules:
            # It begins anew when a worker starts. After maintenance, a time that has gone by meanwhile still counts.
            queuer.schedule(schedule.name, schedule.cron, clean_old=not resumes)(self._scheduled(schedule))
        return queuer

    def _scheduled(self, schedule: Schedule) -> Callable[[QueuedSchedule], Awaitable[None]]:
        async def run(_: QueuedSchedule) -> None:
            await run_schedule(self._database, self._clock, schedule)

        return run


async def _first(*waiting: Awaitable[object]) -> None:
    """Returns once one of these has ended. Coroutines are cancelled then, tasks are not."""
    tasks = [asyncio.ensure_future(each) for each in waiting]
    begun = [task for task, each in zip(tasks, waiting, strict=True) if task is not each]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await end(*begun)


async def run_schedule(database: Database, clock: Clock, schedule: Schedule) -> None:
    """Runs a scheduled job now and stores its outcome."""

    async def note(command: Command, *args: object) -> None:
        await database.write(SYSTEM, lambda tx: tx.execute(command, schedule.name, *args))

    await note(JobSql.job_started, clock.now())
    try:
        with working(Work()):
            detail = await schedule.handler()
    except Exception as error:
        await note(JobSql.job_finished, clock.now(), False, f"{type(error).__name__}: {error}"[:500])
        log.exception("job.failed", job=schedule.name)
        raise
    await note(JobSql.job_finished, clock.now(), True, detail)
    log.info("job.done", job=schedule.name, detail=detail)


def _entrypoint(job: Job) -> Callable[[QueuedJob], Awaitable[None]]:
    async def run(queued: QueuedJob) -> None:
        with working(Work()):
            await job.handler(msgspec.json.decode(queued.payload or b"{}"))

    return run


def kit_schedules(database: Database, clock: Clock) -> list[Schedule]:
    """The scheduled maintenance of the tables of kit."""

    async def partitions() -> str:
        row = await database.write(SYSTEM, lambda tx: tx.fetch_one(JobSql.maintain_partitions, clock.now()))
        return f"{row[0]} made, {row[1]} dropped" if row else "nothing to do"

    async def idempotency_keys() -> str:
        before = clock.now() - IDEMPOTENCY_RETENTION
        deleted = await database.write(SYSTEM, lambda tx: tx.execute(JobSql.delete_old_idempotency_keys, before))
        return f"{deleted} deleted"

    async def job_logs() -> str:
        before = clock.now() - JOB_LOG_RETENTION
        return f"{await database.write(SYSTEM, lambda tx: tx.execute(JobSql.delete_old_job_logs, before))} deleted"

    return [
        Schedule(
            "partitions",
            "10 0 * * *",
            "Makes partitions ahead, drops those past retention",
            partitions,
            # Without partitions nothing can be written.
            runs_at_start=True,
        ),
        Schedule("idempotency-keys", "20 2 * * *", "Deletes idempotency keys after 7 days", idempotency_keys),
        Schedule("job-logs", "30 2 * * *", "Deletes logs of finished jobs after 30 days", job_logs),
    ]
