import asyncio
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import asyncpg
import pytest
import pytest_asyncio

from app.kit.db import PUBLIC, SYSTEM, Database, Scope, Tx
from app.kit.errors import Unavailable
from app.kit.sql import Query
from app.kit.work import Work, detached_context, working
from tests.conftest import APP_ROLE
from tests.databases import Owner
from tests.statements import statement, value_of
from tests.waiting import HANG_S, elapse, until

SETTINGS = statement(
    "settings",
    "The settings of the current transaction.",
    "SELECT current_setting('app.user_id', true), current_setting('app.tenant_id', true),"
    " current_setting('app.system', true), current_setting('app.ip', true), current_setting('app.user_agent', true)",
)
NOTES = statement("notes", "All notes, in order.", "SELECT body FROM notes ORDER BY body")
ADD = statement("add", "Adds a note.", "INSERT INTO notes (user_id, body) VALUES ($1, $2)")
BUMP = statement("bump", "Changes a counter.", "UPDATE counters SET value = value + 1 WHERE id = $1")
COUNTERS = statement("counters", "The counters' values.", "SELECT value FROM counters ORDER BY id")
SLEEP = statement("sleep", "Takes its time.", "SELECT pg_sleep(30)")


@pytest_asyncio.fixture(autouse=True)
async def tables(owner: Owner) -> None:
    await owner.execute(
        """
        CREATE TABLE notes (user_id uuid, body text NOT NULL);
        ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
        ALTER TABLE notes FORCE ROW LEVEL SECURITY;
        CREATE POLICY notes_owner ON notes USING (user_id = app_user_id() OR app_is_system());
        CREATE TABLE counters (id integer PRIMARY KEY, value integer NOT NULL DEFAULT 0);
        INSERT INTO counters (id) VALUES (1), (2);
        """
    )


@pytest_asyncio.fixture
async def single(database_url: str) -> AsyncIterator[Database]:
    """A pool of two connections, so that whatever one leaves behind is met again at once."""
    pool = await Database.open(database_url, role=APP_ROLE, size=2, timeout_s=HANG_S)
    yield pool
    await pool.close()


def raising(sqlstate: str) -> Query[object]:
    """A statement that fails with this SQLSTATE."""
    return statement("raising", "Fails.", f"DO $$ BEGIN RAISE EXCEPTION 'fails' USING ERRCODE = '{sqlstate}'; END $$")


async def bodies(database: Database, scope: Scope) -> list[str]:
    async with database.snapshot(scope) as tx:
        return [row[0] for row in await tx.fetch(NOTES)]


@pytest.mark.parametrize(
    "hostile",
    [
        'Mozilla/5.0 (it\'s "quoted")',
        "'; DROP TABLE notes; --",
        "\\'; DROP TABLE notes; --",
        "$$ ; $1 %s E'\\047 \\",
        "', true); SELECT set_config('app.system', 'on', true",
        "tab\tnewline\n\u202e emoji \U0001f4b8",
    ],
)
async def test_hostile_text_in_a_scope_is_only_text(database: Database, hostile: str) -> None:
    user, tenant = uuid4(), uuid4()
    scope = Scope(user_id=user, tenant_id=tenant, ip="192.0.2.1", user_agent=hostile)

    async with database.snapshot(scope) as tx:
        row = await tx.fetch_one(SETTINGS)

    assert row is not None
    # An unset setting reads as null in a fresh session and as empty in a used one; the scope functions make both null.
    assert [value or "" for value in row] == [str(user), str(tenant), "", "192.0.2.1", hostile]


async def test_what_cannot_travel_in_a_scope_is_left_out(database: Database) -> None:
    async with database.snapshot(Scope(user_agent="a\x00b\ud800c" + "x" * 600)) as tx:
        row = await tx.fetch_one(SETTINGS)
    assert row is not None
    assert row[4] == ("ab?c" + "x" * 600)[: 512 - 1]


async def test_row_level_security_follows_the_scope(database: Database, owner: Owner) -> None:
    alice, bob = uuid4(), uuid4()
    for user, body in ((alice, "alice's"), (bob, "bob's")):
        await owner.execute("INSERT INTO notes VALUES ($1, $2)", user, body)

    assert await bodies(database, Scope(user_id=alice)) == ["alice's"]
    assert await bodies(database, Scope(user_id=bob)) == ["bob's"]
    assert await bodies(database, PUBLIC) == []
    assert await bodies(database, SYSTEM) == ["alice's", "bob's"]
    assert await database.fetch(NOTES) == []


async def test_writing_for_another_user_is_refused(database: Database) -> None:
    alice, bob = uuid4(), uuid4()

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await database.write(Scope(user_id=alice), lambda tx: tx.execute(ADD, bob, "forged"))

    assert await bodies(database, SYSTEM) == []


async def test_the_application_role_owns_nothing(database: Database) -> None:
    row = await database.fetch_one(
        statement("role", ".", "SELECT current_user, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user")
    )
    assert row is not None
    assert tuple(row) == (APP_ROLE, False, False)


@pytest.mark.parametrize(
    "sql", ["CREATE TABLE stolen ()", "DROP TABLE notes", "INSERT INTO schema_migrations VALUES ('9', now(), 1)"]
)
async def test_the_application_cannot_change_what_the_owner_made(database: Database, sql: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await database.write(SYSTEM, lambda tx: tx.execute(statement("forbidden", ".", sql)))


async def test_a_snapshot_is_one_moment(database: Database) -> None:
    async with database.snapshot(SYSTEM) as tx:
        before = [row[0] for row in await tx.fetch(COUNTERS)]
        write = database.write(SYSTEM, lambda other: other.execute(BUMP, 1))
        await asyncio.create_task(write, context=detached_context())
        assert [row[0] for row in await tx.fetch(COUNTERS)] == before == [0, 0]

    assert [row[0] for row in await database.fetch(COUNTERS)] == [1, 0]


async def test_a_snapshot_refuses_to_write(database: Database) -> None:
    async with database.snapshot(SYSTEM) as tx:
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await tx.execute(BUMP, 1)


async def test_a_deadlock_is_retried(database: Database) -> None:
    both_hold_one = asyncio.Barrier(2)
    attempts = 0

    async def cross(first: int, second: int, tx: Tx) -> None:
        nonlocal attempts
        attempts += 1
        await tx.execute(BUMP, first)
        if attempts <= 2:
            await both_hold_one.wait()
        await tx.execute(BUMP, second)

    await asyncio.gather(
        database.write(SYSTEM, lambda tx: cross(1, 2, tx)),
        database.write(SYSTEM, lambda tx: cross(2, 1, tx)),
    )

    assert attempts == 3
    assert [row[0] for row in await database.fetch(COUNTERS)] == [2, 2]


async def test_a_serialisation_failure_is_retried(database: Database) -> None:
    attempts = 0

    async def read_then_write(tx: Tx) -> None:
        nonlocal attempts
        attempts += 1
        await tx.execute(statement("level", ".", "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        await tx.fetch(COUNTERS)
        if attempts == 1:
            await asyncio.create_task(
                database.write(SYSTEM, lambda other: other.execute(BUMP, 1)), context=detached_context()
            )
        await tx.execute(BUMP, 1)

    await database.write(PUBLIC, read_then_write)

    assert attempts == 2
    assert [row[0] for row in await database.fetch(COUNTERS)] == [2, 0]


async def test_retries_are_bounded(database: Database) -> None:
    attempts = 0

    async def never_works(tx: Tx) -> None:
        nonlocal attempts
        attempts += 1
        await tx.execute(BUMP, 1)
        await tx.execute(raising("40001"))

    with pytest.raises(Unavailable) as caught:
        await database.write(SYSTEM, never_works)

    assert isinstance(caught.value.__cause__, asyncpg.SerializationError)
    assert attempts == 8
    assert [row[0] for row in await database.fetch(COUNTERS)] == [0, 0]


async def test_other_errors_are_not_retried(database: Database) -> None:
    attempts = 0

    async def fails(tx: Tx) -> None:
        nonlocal attempts
        attempts += 1
        await tx.execute(BUMP, 1)
        raise LookupError("once")

    with pytest.raises(LookupError, match="once"):
        await database.write(SYSTEM, fails)
    assert attempts == 1
    assert [row[0] for row in await database.fetch(COUNTERS)] == [0, 0]


async def test_a_swallowed_error_does_not_pass_for_a_commit(database: Database) -> None:
    async def careless(tx: Tx) -> str:
        await tx.execute(BUMP, 1)
        with pytest.raises(asyncpg.DivisionByZeroError):
            await tx.fetch(statement("bad", ".", "SELECT 1/0"))
        return "done"

    with pytest.raises(asyncpg.InFailedSQLTransactionError):
        await database.write(SYSTEM, careless)
    assert [row[0] for row in await database.fetch(COUNTERS)] == [0, 0]


async def test_cancelling_a_write_rolls_it_back(single: Database, owner: Owner) -> None:
    async def slow(tx: Tx) -> None:
        await tx.execute(BUMP, 1)
        await tx.fetch(SLEEP)

    task = asyncio.create_task(single.write(Scope(user_id=uuid4(), system=True), slow))
    await until(lambda: sleeping(owner))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    # The cancelled statement ended at once, and its lock with it.
    await single.write(SYSTEM, lambda tx: tx.execute(BUMP, 1))
    assert [row[0] for row in await single.fetch(COUNTERS)] == [1, 0]
    await assert_pool_is_clean(single)


async def test_cancelling_at_any_moment_leaks_nothing(single: Database, caplog: pytest.LogCaptureFixture) -> None:
    loop = asyncio.get_running_loop()
    for turns in range(60):
        task = asyncio.create_task(single.write(Scope(user_id=uuid4(), system=True), lambda tx: tx.execute(BUMP, 1)))
        for _ in range(turns % 20):
            await asyncio.sleep(0)
        if turns >= 20:
            # Past the first statements: these wait on the server, not on turns of the loop.
            await elapse(turns * 0.00005)
        task.cancel()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    assert loop.is_running()
    await assert_pool_is_clean(single)
    assert "active transaction" not in caplog.text


async def sleeping(owner: Owner) -> bool:
    return bool(await owner.fetchval("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"))


async def assert_pool_is_clean(database: Database) -> None:
    """No connection keeps a transaction or a setting of an earlier user."""
    async with database.pool.acquire() as one, database.pool.acquire() as two:
        for connection in (one, two):
            assert not connection.is_in_transaction()
            assert not any(await connection.fetchrow(SETTINGS.sql) or ())


async def test_the_pool_needs_no_reset_round_trip(single: Database, owner: Owner) -> None:
    for _ in range(3):
        await single.fetch(COUNTERS)

    last = await owner.fetch(
        "SELECT query FROM pg_stat_activity WHERE application_name = 'moneta' AND datname = current_database()"
    )
    queries = [row["query"] for row in last]
    assert COUNTERS.sql in queries
    assert not [query for query in queries if "UNLISTEN" in query or "RESET" in query or "advisory" in query]


async def test_scopes_do_not_leak_from_one_user_to_the_next(single: Database) -> None:
    for _ in range(6):
        async with single.snapshot(Scope(user_id=uuid4(), ip="192.0.2.7", user_agent="x")) as tx:
            await tx.fetch(NOTES)
    await assert_pool_is_clean(single)


async def test_begin_and_scope_are_not_counted_and_statements_are(database: Database) -> None:
    with working(Work()) as work:
        async with database.snapshot(Scope(user_id=UUID(int=1))) as tx:
            await asyncio.gather(tx.fetch(COUNTERS), tx.fetch_one(NOTES), value_of(tx, COUNTERS))
        await database.fetch(COUNTERS)
    assert work.statements == 4


async def test_after_commit_runs_after_it_and_cannot_fail_the_write(database: Database) -> None:
    seen: list[list[int]] = []

    async def look() -> None:
        seen.append([row[0] for row in await database.fetch(COUNTERS)])

    async def break_down() -> None:
        raise RuntimeError("best effort")

    async def work(tx: Tx) -> str:
        tx.after_commit(break_down)
        tx.after_commit(look)
        await tx.execute(BUMP, 2)
        return "kept"

    assert await database.write(SYSTEM, work) == "kept"
    assert seen == [[0, 1]]


async def test_after_commit_does_not_run_after_a_rollback(database: Database) -> None:
    seen: list[str] = []

    async def look() -> None:
        seen.append("ran")

    async def work(tx: Tx) -> None:
        tx.after_commit(look)
        raise LookupError

    with pytest.raises(LookupError):
        await database.write(SYSTEM, work)
    assert seen == []


async def test_jsonb_keeps_its_shape(database: Database) -> None:
    value = {"text": "it's é \U0001f4b8", "list": [1, None, True], "nested": {"a": {}}}
    row = await database.fetch_one(statement("json", ".", "SELECT $1::jsonb, $2::jsonb[]"), value, [value, 1])
    assert row is not None
    assert row[0] == value
    assert row[1] == [value, 1]
