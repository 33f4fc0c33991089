import asyncio
import os
import signal
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from app.kit.db import SYSTEM, Database, Tx
from app.kit.errors import Unavailable
from tests.conftest import APP_ROLE
from tests.databases import Owner
from tests.statements import statement
from tests.waiting import HANG_S, until

BUMP = statement("bump", "Changes a counter.", "UPDATE counters SET value = value + 1 WHERE id = $1")
COUNTERS = statement("counters", "The counters' values.", "SELECT value FROM counters ORDER BY id")
SLEEP = statement("sleep", "Takes its time.", "SELECT pg_sleep(30)")


@pytest_asyncio.fixture(autouse=True)
async def tables(owner: Owner) -> None:
    await owner.execute(
        "CREATE TABLE counters (id integer PRIMARY KEY, value integer NOT NULL DEFAULT 0);"
        "INSERT INTO counters (id) VALUES (1), (2)"
    )


async def sleeping(owner: Owner) -> bool:
    return bool(await owner.fetchval("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"))


async def terminate_backends(owner: Owner) -> None:
    await owner.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )


async def test_a_connection_lost_in_a_snapshot_is_unavailable(database: Database, owner: Owner) -> None:
    async with database.snapshot(SYSTEM) as tx:
        await tx.fetch(COUNTERS)
        await terminate_backends(owner)
        for _ in range(2):
            with pytest.raises(Unavailable):
                await tx.fetch(COUNTERS)

    assert len(await database.fetch(COUNTERS)) == 2


async def test_a_connection_lost_in_a_write_is_unavailable(database: Database, owner: Owner) -> None:
    async def work(tx: Tx) -> None:
        await tx.execute(BUMP, 1)
        await terminate_backends(owner)
        await tx.execute(BUMP, 2)

    with pytest.raises(Unavailable):
        await database.write(SYSTEM, work)
    assert [row[0] for row in await database.fetch(COUNTERS)] == [0, 0]


async def test_a_connection_lost_before_the_commit_is_unavailable(database: Database, owner: Owner) -> None:
    async def work(tx: Tx) -> None:
        await tx.execute(BUMP, 1)
        await terminate_backends(owner)

    with pytest.raises(Unavailable):
        await database.write(SYSTEM, work)
    assert [row[0] for row in await database.fetch(COUNTERS)] == [0, 0]


async def test_a_connection_lost_during_the_rollback_is_unavailable_as_well(
    database: Database, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute, lost = asyncpg.Connection.execute, list[str]()

    async def loses_rollbacks(connection: Any, query: str, *args: Any, **options: Any) -> str:
        if query == "ROLLBACK":
            lost.append(query)
            raise asyncpg.InternalClientError("got result for unknown protocol state 0")
        return await execute(connection, query, *args, **options)

    async def work(tx: Tx) -> None:
        await tx.execute(BUMP, 1)
        raise Unavailable

    monkeypatch.setattr(asyncpg.Connection, "execute", loses_rollbacks)
    with pytest.raises(Unavailable):
        await database.write(SYSTEM, work)
    monkeypatch.undo()
    assert lost == ["ROLLBACK"]
    assert [row[0] for row in await database.fetch(COUNTERS)] == [0, 0]


async def test_a_connection_lost_in_autocommit_is_unavailable(database: Database, owner: Owner) -> None:
    task = asyncio.create_task(database.fetch(SLEEP))
    await until(lambda: sleeping(owner))
    await terminate_backends(owner)
    with pytest.raises(Unavailable):
        await task
    assert len(await database.fetch(COUNTERS)) == 2


async def test_misuse_is_not_taken_for_an_outage(database: Database) -> None:
    with pytest.raises(asyncpg.DataError):
        await database.fetch(statement("typed", ".", "SELECT $1::bigint"), 2**70)
    with pytest.raises(asyncpg.InterfaceError, match="expects 1 argument"):
        await database.fetch(statement("typed", ".", "SELECT $1::bigint"))
    with pytest.raises(FileNotFoundError):
        await database.write(SYSTEM, opens_a_missing_file)


async def opens_a_missing_file(tx: Tx) -> None:
    await tx.execute(BUMP, 1)
    raise FileNotFoundError("not the database's fault")


async def test_a_transaction_that_has_ended_is_no_outage_either(database: Database) -> None:
    kept: list[Tx] = []

    async def keep(tx: Tx) -> None:
        kept.append(tx)

    await database.write(SYSTEM, keep)
    with pytest.raises(RuntimeError, match="has ended"):
        await kept[0].fetch(COUNTERS)


async def test_a_closed_pool_is_unavailable(database_url: str) -> None:
    pool = await Database.open(database_url, role=APP_ROLE, size=2, timeout_s=HANG_S)
    await pool.close()
    with pytest.raises(Unavailable):
        await pool.fetch(COUNTERS)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://moneta:hush@127.0.0.1:1/moneta",
        "postgresql://127.0.0.1:1/moneta?user=moneta&password=hush",
        "postgresql://moneta:hush@host.invalid/moneta",
        "nonsense://moneta:hush@here",
    ],
)
async def test_an_unusable_url_is_one_line_without_the_password(url: str) -> None:
    with pytest.raises(Unavailable) as caught:
        await Database.open(url, role=APP_ROLE, size=2, timeout_s=2.0)
    assert "hush" not in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.message.startswith("Postgres at ")


@pytest.mark.parametrize("scoped", [False, True])
async def test_a_server_that_hangs_holds_nobody_who_has_stopped_waiting(
    database: Database, owner: Owner, scoped: bool
) -> None:
    async def ask() -> None:
        if not scoped:
            await database.fetch(SLEEP)
            return
        async with database.snapshot(SYSTEM) as tx:
            await tx.fetch(SLEEP)

    asking = asyncio.create_task(ask())
    await until(lambda: sleeping(owner))
    backend = await owner.fetchval("SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
    os.kill(backend, signal.SIGSTOP)
    try:
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
    finally:
        os.kill(backend, signal.SIGCONT)
    assert len(await database.fetch(COUNTERS)) == 2
