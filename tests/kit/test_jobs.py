import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from pgqueuer import PgQueuer

from app.kit.clock import FixedClock
from app.kit.db import SYSTEM, Database, Tx
from app.kit.jobs import Job, JobRunner, Schedule, enqueue, kit_schedules, run_schedule, scheduled_jobs
from app.kit.maintenance import MaintenanceSwitch
from tests.databases import Owner
from tests.waiting import until

QUEUED = "SELECT count(*) FROM pgqueuer"


@contextlib.asynccontextmanager
async def running(
    database: Database,
    clock: FixedClock,
    *jobs: Job,
    schedules: tuple[Schedule, ...] = (),
    maintenance: MaintenanceSwitch | None = None,
) -> AsyncIterator[JobRunner]:
    runner = JobRunner(database, clock, list(jobs), list(schedules), maintenance)
    task = asyncio.create_task(runner.run())
    try:
        yield runner
    finally:
        runner.stop()
        await task


async def ask(database: Database, *payloads: dict[str, Any], **options: Any) -> None:
    async def work(tx: Tx) -> None:
        for payload in payloads:
            await enqueue(tx, "note", payload, **options)

    await database.write(SYSTEM, work)


async def test_an_outage_of_the_queue_is_waited_out(
    database: Database, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[int] = []
    interrupted: list[PgQueuer] = []
    run = PgQueuer.run

    async def run_badly_at_first(queuer: PgQueuer, **options: Any) -> None:
        if not interrupted:
            interrupted.append(queuer)
            raise ExceptionGroup("unhandled errors in a TaskGroup", [TimeoutError()])
        assert queuer not in interrupted
        await run(queuer, **options)

    async def note(payload: dict[str, Any]) -> None:
        done.append(payload["n"])

    monkeypatch.setattr(PgQueuer, "run", run_badly_at_first)
    monkeypatch.setattr("app.kit.jobs.RESTART_S", 0)
    await ask(database, {"n": 1})
    async with running(database, clock, Job("note", note)):
        await until(lambda: done == [1])
    assert len(interrupted) == 1


async def test_a_job_exists_exactly_if_its_transaction_commits(
    database: Database, owner: Owner, clock: FixedClock
) -> None:
    async def work(tx: Tx) -> None:
        await enqueue(tx, "note", {"n": 1})
        raise LookupError

    with pytest.raises(LookupError):
        await database.write(SYSTEM, work)
    assert await owner.fetchval(QUEUED) == 0

    await ask(database, {"n": 2}, {"n": 3})
    assert await owner.fetchval(QUEUED) == 2

    done: list[int] = []

    async def note(payload: dict[str, Any]) -> None:
        done.append(payload["n"])

    async with running(database, clock, Job("note", note)):
        await until(lambda: len(done) == 2)
    assert sorted(done) == [2, 3]
    assert await owner.fetchval(QUEUED) == 0


async def test_a_key_that_waits_is_not_added_again(database: Database, owner: Owner) -> None:
    await ask(database, {"n": 1}, {"n": 2}, dedupe_key="same")
    await ask(database, {"n": 3}, dedupe_key="same")
    assert await owner.fetchval(QUEUED) == 1


async def test_a_delayed_job_waits(database: Database, owner: Owner) -> None:
    await ask(database, {}, delay=timedelta(hours=1))
    assert await owner.fetchval("SELECT execute_after - created FROM pgqueuer") == timedelta(hours=1)


async def test_a_failing_job_is_tried_again(database: Database, owner: Owner, clock: FixedClock) -> None:
    attempts: list[int] = []

    async def flaky(payload: dict[str, Any]) -> None:
        attempts.append(payload["n"])
        if len(attempts) < 2:
            raise LookupError("not yet")

    await ask(database, {"n": 7})
    async with running(database, clock, Job("note", flaky)):
        await until(lambda: len(attempts) == 2)
    assert attempts == [7, 7]
    assert await owner.fetchval(QUEUED) == 0


async def test_two_workers_take_each_job_once(database: Database, owner: Owner, clock: FixedClock) -> None:
    done: list[int] = []

    async def note(payload: dict[str, Any]) -> None:
        done.append(payload["n"])

    await ask(database, *({"n": n} for n in range(40)))
    async with running(database, clock, Job("note", note)), running(database, clock, Job("note", note)):
        await until(lambda: len(done) >= 40)
    assert sorted(done) == list(range(40))


async def test_a_scheduled_run_leaves_its_record(database: Database, clock: FixedClock) -> None:
    outcome: list[str | Exception] = ["3 swept", LookupError("broom is gone")]

    async def sweep() -> str:
        clock.advance(timedelta(seconds=2))
        result = outcome.pop(0)
        if isinstance(result, Exception):
            raise result
        return result

    schedule = Schedule("sweep", "0 2 * * *", "Sweeps", sweep)
    async with running(database, clock, schedules=(schedule,)):
        await until(lambda: _listed(database))
    began = clock.now()

    await run_schedule(database, clock, schedule)
    (job,) = await scheduled_jobs(database)
    assert (job.job, job.schedule, job.succeeded, job.detail) == ("sweep", "0 2 * * *", True, "3 swept")
    assert (job.started_at, job.finished_at) == (began, began + timedelta(seconds=2))

    with pytest.raises(LookupError):
        await run_schedule(database, clock, schedule)
    (job,) = await scheduled_jobs(database)
    assert (job.succeeded, job.detail) == (False, "LookupError: broom is gone")
    assert job.started_at == began + timedelta(seconds=2)


async def _listed(database: Database) -> bool:
    return len(await scheduled_jobs(database)) == 1


async def test_the_maintenance_of_kit_runs_as_the_application(
    database: Database, owner: Owner, clock: FixedClock
) -> None:
    await owner.execute(
        "INSERT INTO idempotency_keys (owner, key, operation, request_hash, created_at)"
        " SELECT 'o', 'k' || days, 'op', repeat('0', 64), $1::timestamptz - make_interval(days => days)"
        " FROM generate_series(5, 9) days",
        clock.now(),
    )
    by_name = {schedule.name: schedule for schedule in kit_schedules(database, clock)}
    assert await by_name["idempotency-keys"].handler() == "2 deleted"
    assert await by_name["job-logs"].handler() == "0 deleted"
    assert (await by_name["partitions"].handler()).endswith("made, 0 dropped")


class Notes:
    """Jobs that note their number, and wait where they are to."""

    def __init__(self) -> None:
        self.begun: list[int] = []
        self.done: list[int] = []
        self.released = asyncio.Event()
        self.job = Job("note", self.note)

    async def note(self, payload: dict[str, Any]) -> None:
        self.begun.append(payload["n"])
        if payload.get("waits"):
            await self.released.wait()
        self.done.append(payload["n"])


async def _takes(database: Database, notes: Notes, number: int) -> None:
    """A job that is enqueued now is done."""
    await ask(database, {"n": number})
    await until(lambda: number in notes.done)


async def test_what_is_enqueued_during_maintenance_is_done_afterwards_once(
    database: Database, owner: Owner, clock: FixedClock
) -> None:
    notes, maintenance = Notes(), MaintenanceSwitch()
    # Two workers, one of which starts during maintenance.
    async with running(database, clock, notes.job, maintenance=maintenance) as first:
        await _takes(database, notes, 1)
        maintenance.turn_on(None, 60)
        await until(lambda: not first._runs)
        async with running(database, clock, notes.job, maintenance=maintenance) as second:
            await ask(database, {"n": 2}, {"n": 3})
            assert (first._runs, second._runs) == (set(), set())
            assert await owner.fetchval(QUEUED) == 2
            assert notes.begun == [1]
            maintenance.turn_off()
            await until(lambda: len(notes.done) == 3)
            await _takes(database, notes, 4)
    assert sorted(notes.done) == [1, 2, 3, 4]
    assert await owner.fetchval(QUEUED) == 0


async def test_a_job_that_had_begun_ends_and_keeps_nobody_waiting(
    database: Database, owner: Owner, clock: FixedClock
) -> None:
    notes, maintenance = Notes(), MaintenanceSwitch()
    async with running(database, clock, notes.job, maintenance=maintenance):
        await ask(database, {"n": 1, "waits": True})
        await until(lambda: notes.begun == [1])
        maintenance.turn_on(None, 60)
        await ask(database, {"n": 2})
        maintenance.turn_off()
        await until(lambda: notes.done == [2])
        notes.released.set()
        await until(lambda: notes.done == [2, 1])
    assert notes.begun == [1, 2]
    assert await owner.fetchval(QUEUED) == 0


async def test_a_worker_stops_during_maintenance(database: Database, owner: Owner, clock: FixedClock) -> None:
    notes, maintenance = Notes(), MaintenanceSwitch()
    maintenance.turn_on(None, 60)
    async with running(database, clock, notes.job, maintenance=maintenance):
        await ask(database, {"n": 1})
    assert notes.begun == []
    assert await owner.fetchval(QUEUED) == 1


async def test_a_schedule_that_was_due_during_maintenance_runs_afterwards_once(
    database: Database, owner: Owner, clock: FixedClock
) -> None:
    swept: list[str] = []

    async def sweep() -> str:
        swept.append("sweep")
        return "swept"

    notes, maintenance = Notes(), MaintenanceSwitch()
    schedule = Schedule("sweep", "0 2 1 1 *", "Sweeps", sweep)
    async with running(database, clock, notes.job, schedules=(schedule,), maintenance=maintenance) as runner:
        await until(lambda: _listed(database))
        await _takes(database, notes, 1)
        maintenance.turn_on(None, 60)
        await until(lambda: not runner._runs)
        # Two of its times go by.
        await owner.execute("UPDATE pgqueuer_schedules SET next_run = now() - interval '1 year'")
        assert swept == []
        maintenance.turn_off()
        await until(lambda: swept == ["sweep"])
        await _takes(database, notes, 2)
    assert swept == ["sweep"]
    assert await owner.fetchval("SELECT next_run > now() FROM pgqueuer_schedules")
