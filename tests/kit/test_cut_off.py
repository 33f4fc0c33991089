"""A statement that is cancelled half way affects only the request that was cancelled."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from app.kit.db import PUBLIC, SYSTEM, Database, Scope, Tx
from app.kit.errors import Unavailable
from app.kit.postgres import Collision, OutOfResources, ReadOnly, Stopped
from app.kit.sql import Query
from tests.conftest import APP_ROLE
from tests.databases import Owner
from tests.statements import statement, value_of
from tests.waiting import elapse, until

ONE = statement("one", "A little.", "SELECT count(*) FROM generate_series(1, $1::integer)")
LEVEL = statement("level", "How isolated the transaction is.", "SHOW transaction_isolation")


@pytest_asyncio.fixture
async def pair(database_url: str) -> AsyncIterator[Database]:
    """So few connections that whatever one leaves behind is met again at once."""
    pool = await Database.open(database_url, role=APP_ROLE, size=2, timeout_s=10.0)
    yield pool
    await pool.close()


async def snapshot(database: Database, rows: int) -> str:
    async with database.snapshot(Scope(ip="192.0.2.1")) as tx:
        await tx.fetch(ONE, rows)
        level: str = await value_of(tx, LEVEL)
    return level


async def autocommit(database: Database, rows: int) -> str:
    await database.fetch(ONE, rows)
    (row,) = await database.fetch(LEVEL)
    return str(row[0])


async def write(database: Database, rows: int) -> str:
    async def work(tx: Tx) -> str:
        await tx.fetch(ONE, rows)
        return str(await value_of(tx, LEVEL))

    return await database.write(SYSTEM, work)


LEVELS: dict[Callable[[Database, int], Coroutine[Any, Any, str]], str] = {
    snapshot: "repeatable read",
    autocommit: "read committed",
    write: "read committed",
}


async def test_those_who_were_not_cancelled_never_notice(pair: Database) -> None:
    chance = random.Random(20261128)

    async def cancelled() -> None:
        work = chance.choice([snapshot, autocommit, write])
        task = asyncio.create_task(work(pair, chance.choice([1, 1000, 100_000])))
        for _ in range(chance.randrange(12)):
            await asyncio.sleep(0)
        await elapse(chance.random() * 0.003)
        task.cancel()
        await asyncio.wait([task])

    async def patient() -> None:
        work = chance.choice([snapshot, autocommit, write])
        assert await work(pair, chance.choice([1, 1000])) == LEVELS[work]

    for _ in range(100):
        await asyncio.gather(*(cancelled() for _ in range(6)), *(patient() for _ in range(6)))

    await asyncio.gather(*pair._discarding)
    assert (pair.admission.waiting, pair.admission._held) == (0, {})


@pytest.mark.parametrize("work", [snapshot, autocommit, write])
async def test_a_connection_is_not_handed_on_when_its_statement_was_cancelled(
    pair: Database, owner: Owner, work: Callable[[Database, int], Coroutine[Any, Any, str]]
) -> None:
    busy = (
        "SELECT pid FROM pg_stat_activity WHERE query LIKE '%generate_series%' AND state = 'active'"
        " AND datname = current_database() AND pid <> pg_backend_pid()"
    )
    task = asyncio.create_task(work(pair, 100_000_000))
    found: list[int] = []

    async def is_busy() -> bool:
        found.extend(row[0] for row in await owner.fetch(busy))
        return bool(found)

    await until(is_busy)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.gather(*pair._discarding)

    async def is_gone() -> bool:
        return not await owner.fetchval("SELECT count(*) FROM pg_stat_activity WHERE pid = $1", found[0])

    await until(is_gone)
    assert await work(pair, 1) == LEVELS[work]


@pytest.mark.parametrize(
    ("sqlstate", "problem", "runs"),
    [
        ("23505", Collision, 2),
        ("53100", OutOfResources, 1),
        ("53200", OutOfResources, 1),
        ("53300", Unavailable, 1),
        ("58030", OutOfResources, 1),
        ("57014", Stopped, 1),
        ("55P03", Stopped, 1),
        ("57P01", Unavailable, 1),
        ("25006", ReadOnly, 1),
        ("40001", Unavailable, 8),
        ("40P01", Unavailable, 8),
    ],
)
async def test_failures_answer_by_their_kind(
    database: Database, sqlstate: str, problem: type[Exception], runs: int
) -> None:
    attempts = 0

    async def fail(tx: Tx) -> None:
        nonlocal attempts
        attempts += 1
        await tx.execute(raising(sqlstate))

    with pytest.raises(problem) as caught:
        await database.write(SYSTEM, fail)

    assert type(caught.value) is problem or problem is Unavailable
    assert isinstance(caught.value.__cause__, asyncpg.PostgresError)
    assert attempts == runs


@pytest.mark.parametrize("sqlstate", ["22012", "42P01", "23514", "XX000", "25P02"])
async def test_a_defect_stays_one(database: Database, sqlstate: str) -> None:
    with pytest.raises(asyncpg.PostgresError) as caught:
        await database.write(SYSTEM, lambda tx: tx.execute(raising(sqlstate)))
    assert caught.value.sqlstate == sqlstate


async def test_who_collides_finds_what_the_other_made(database: Database, owner: Owner) -> None:
    await owner.execute("CREATE TABLE names (name text PRIMARY KEY)")
    look = statement("look", ".", "SELECT count(*) FROM names WHERE name = $1")
    take = statement("take", ".", "INSERT INTO names VALUES ($1)")
    all_looked, looked = asyncio.Event(), 0

    async def work(tx: Tx) -> str:
        nonlocal looked
        if await value_of(tx, look, "alice"):
            return "taken"
        looked += 1
        if looked == 3:
            all_looked.set()
        await all_looked.wait()
        await tx.execute(take, "alice")
        return "yours"

    outcomes = await asyncio.gather(*(database.write(PUBLIC, work) for _ in range(3)))
    assert sorted(outcomes) == ["taken", "taken", "yours"]


def raising(sqlstate: str) -> Query[Any]:
    """A statement that fails with this SQLSTATE."""
    return statement("raising", "Fails.", f"DO $$ BEGIN RAISE EXCEPTION 'fails' USING ERRCODE = '{sqlstate}'; END $$")
