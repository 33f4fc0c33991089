import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from app.kit import migrate as migrate_module
from app.kit.db import SYSTEM, Database
from app.kit.errors import Unavailable
from app.kit.migrate import MIGRATIONS, Patience, migrate
from tests.databases import Owner
from tests.engine.support import listening
from tests.statements import statement, value_of
from tests.waiting import until

VERSIONS = sorted(path.stem.partition("_")[0] for path in Path(MIGRATIONS, "versions").glob("0*.py"))
PARTITIONS = (
    "SELECT c.relname FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhrelid"
    " WHERE h.inhparent = 'events'::regclass ORDER BY 1"
)


async def versions(url: str) -> list[str]:
    connection = await asyncpg.connect(url)
    try:
        return [row[0] for row in await connection.fetch("SELECT version FROM schema_migrations ORDER BY version")]
    finally:
        await connection.close()


async def test_two_starts_at_once_leave_one_of_each(empty_database_url: str) -> None:
    program = "import asyncio, sys; from app.kit.migrate import migrate; asyncio.run(migrate(sys.argv[1]))"
    starts = [await asyncio.create_subprocess_exec(sys.executable, "-c", program, empty_database_url) for _ in range(2)]
    assert await asyncio.gather(*(start.wait() for start in starts)) == [0, 0]
    assert await versions(empty_database_url) == VERSIONS


async def test_two_at_once_in_one_process_take_turns(empty_database_url: str) -> None:
    await asyncio.gather(migrate(empty_database_url), migrate(empty_database_url))
    assert await versions(empty_database_url) == VERSIONS
    await migrate(empty_database_url)
    assert await versions(empty_database_url) == VERSIONS


async def test_head_is_reached_from_every_earlier_head(empty_database_url: str) -> None:
    for count, version in enumerate(VERSIONS, start=1):
        await migrate(empty_database_url, version)
        assert await versions(empty_database_url) == VERSIONS[:count]


IMPATIENT = Patience(lock_timeout="20ms", pauses_s=(0.0, 0.0))
"""Gives up after three attempts."""
REFUSED = (
    "the revision after 0007 waits for a lock that somebody else holds. The longest transaction is that of process"
)


@asynccontextmanager
async def held(url: str, statement: str) -> AsyncIterator[Owner]:
    """A transaction of somebody else that stays open after this statement."""
    connection = await asyncpg.connect(url, server_settings={"application_name": "somebody"})
    try:
        async with connection.transaction():
            await connection.execute(statement)
            yield connection
    finally:
        await connection.close()


@pytest.mark.parametrize("statement", ["SELECT FROM watchlist_items", "LOCK TABLE watchlist_items"])
async def test_a_migration_that_others_keep_out_gives_up_and_leaves_the_head(
    empty_database_url: str, statement: str
) -> None:
    await migrate(empty_database_url, "0007")
    async with held(empty_database_url, statement) as other:
        with listening() as logs, pytest.raises(Unavailable) as refused:
            await migrate(empty_database_url, patience=IMPATIENT)
        pid = await other.fetchval("SELECT pg_backend_pid()")
    message = refused.value.message
    assert "\n" not in message
    assert message.startswith(f"The database cannot be brought to revision head: {REFUSED} {pid} (somebody, idle in")
    assert message.endswith("with locks on watchlist_items.")
    waits = [entry for entry in logs if entry["event"] == "migrate.waiting"]
    assert len(waits) == len(IMPATIENT.pauses_s)
    assert await versions(empty_database_url) == VERSIONS[: VERSIONS.index("0007") + 1]
    await migrate(empty_database_url, patience=IMPATIENT)
    assert await versions(empty_database_url) == VERSIONS


async def test_a_migration_waits_for_others_and_lets_readers_pass(empty_database_url: str) -> None:
    await migrate(empty_database_url, "0007")
    reader = await asyncpg.connect(empty_database_url)
    endless = Patience(lock_timeout="20ms", pauses_s=(0.01,) * 10_000)
    try:
        with listening() as logs:
            async with held(empty_database_url, "SELECT FROM watchlist_items"):
                migrating = asyncio.create_task(migrate(empty_database_url, patience=endless))
                for attempts in (1, 3, 5):
                    await until(lambda attempts=attempts: len(logs) >= attempts)  # type: ignore[misc]
                    # It would wait behind the migration for as long as that waits for the other.
                    assert await reader.fetch("SELECT FROM watchlist_items") == []
                assert not migrating.done()
            await migrating
    finally:
        await reader.close()
    assert await versions(empty_database_url) == VERSIONS


async def test_a_revision_that_fails_otherwise_is_not_repeated(empty_database_url: str) -> None:
    await migrate(empty_database_url, "0007")
    owner = await asyncpg.connect(empty_database_url)
    try:
        await owner.execute("CREATE SEQUENCE watchlist_ranks")
    finally:
        await owner.close()
    with listening() as logs, pytest.raises(Unavailable, match="already exists"):
        await migrate(empty_database_url, patience=IMPATIENT)
    assert [entry for entry in logs if entry["event"] == "migrate.waiting"] == []


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            asyncpg.InternalClientError("got result for unknown protocol state 0"),
            "got result for unknown protocol state 0",
        ),
        (asyncpg.InterfaceError("connection is closed"), "connection is closed"),
        (TimeoutError(), "TimeoutError"),
    ],
    ids=lambda each: type(each).__name__,
)
async def test_a_connection_that_is_lost_is_said_in_one_line(
    error: Exception, said: str, empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def loses(*_: object) -> None:
        raise error

    monkeypatch.setattr(migrate_module, "_upgrade", loses)
    with pytest.raises(Unavailable) as lost:
        await migrate(empty_database_url)
    assert lost.value.message == f"The database cannot be brought to revision head: {said}"


async def test_no_revision_writes_a_table_anew(empty_database_url: str) -> None:
    """To a snapshot that was open before, such a table is empty."""
    files = (
        "SELECT oid::regclass::text AS name, relfilenode AS file FROM pg_class"
        " WHERE relkind IN ('r', 'm') AND relnamespace = 'public'::regnamespace"
    )
    owner = await asyncpg.connect(empty_database_url)
    before: dict[str, int] = {}
    try:
        for version in VERSIONS:
            await migrate(empty_database_url, version)
            now = {row["name"]: row["file"] for row in await owner.fetch(files)}
            assert {name for name in before.keys() & now.keys() if before[name] != now[name]} == set(), version
            before = now
    finally:
        await owner.close()
    assert len(before) > 30


async def test_each_revision_is_recorded(owner: Owner) -> None:
    rows = await owner.fetch("SELECT version, applied_at <= now() AS past, execution_time_ms FROM schema_migrations")
    assert sorted(row["version"] for row in rows) == VERSIONS
    assert all(row["past"] and 0 <= row["execution_time_ms"] < 60_000 for row in rows)


@pytest.mark.parametrize("timezone", ["UTC", "America/New_York", "Pacific/Auckland"])
async def test_partitions_are_whole_months_in_utc_in_any_time_zone(owner: Owner, timezone: str) -> None:
    await owner.execute(f"SET timezone = '{timezone}'")
    before = set(await partitions(owner))
    made = await owner.fetchrow("SELECT * FROM maintain_partitions('2030-01-31 23:59:59+00', 3)")
    again = await owner.fetchrow("SELECT * FROM maintain_partitions('2030-01-31 23:59:59+00', 3)")

    expected = ["events_2030_01", "events_2030_02", "events_2030_03", "events_2030_04"]
    assert made is not None
    assert again is not None
    assert made["created"] >= 4
    assert again["created"] == 0
    assert [name for name in await partitions(owner) if name not in before] == expected
    await owner.execute("SET timezone = 'UTC'")
    bound = await owner.fetchval("SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE relname = 'events_2030_03'")
    assert bound == "FOR VALUES FROM ('2030-03-01 00:00:00+00') TO ('2030-04-01 00:00:00+00')"


async def partitions(owner: Owner) -> list[str]:
    return [row[0] for row in await owner.fetch(PARTITIONS)]


async def test_partitions_past_retention_are_dropped_and_no_others(owner: Owner) -> None:
    await owner.execute("SELECT maintain_partitions('2020-01-15', 2)")
    await owner.execute("SELECT maintain_partitions('2020-04-01 00:00+00', 0)")
    # Two months back from 1 April is 1 February: January ended exactly then.
    assert [name for name in await partitions(owner) if name.startswith("events_2020")] == [
        "events_2020_02",
        "events_2020_03",
        "events_2020_04",
    ]


async def test_partitions_say_of_their_columns_what_their_parent_says(owner: Owner) -> None:
    await owner.execute("SELECT maintain_partitions('2030-01-15')")
    columns = await owner.fetch(
        "SELECT inhparent::regclass::text AS parent, inhrelid::regclass::text AS partition, p.attname,"
        " p.attoptions AS expected, c.attoptions AS found FROM pg_inherits"
        " JOIN pg_attribute p ON p.attrelid = inhparent AND p.attoptions IS NOT NULL"
        " JOIN pg_attribute c ON c.attrelid = inhrelid AND c.attname = p.attname"
    )
    assert {(row["parent"], row["attname"]) for row in columns} == {
        ("analytics_events", "event_type"),
        ("user_analytics", "event_type"),
    }
    assert len({row["partition"] for row in columns}) > 10
    assert [row["partition"] for row in columns if row["found"] != row["expected"]] == []


async def test_a_date_to_come_drops_nothing(owner: Owner) -> None:
    before = await partitions(owner)
    assert any(name.startswith("events_") for name in before)
    await owner.execute("SELECT maintain_partitions('2099-01-15', 0)")
    assert set(before) <= set(await partitions(owner))


async def test_the_application_maintains_partitions_but_reaches_none_directly(database: Database, owner: Owner) -> None:
    maintain = statement("maintain", ".", "SELECT created FROM maintain_partitions($1)")
    created = await database.write(SYSTEM, lambda tx: value_of(tx, maintain, datetime(2031, 5, 1, tzinfo=UTC)))
    assert created >= 4
    for sql in ("SELECT FROM events_2031_05", "DROP TABLE events_2031_05"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await database.fetch(statement("direct", ".", sql))


MAKE = statement("make", ".", "SELECT make_partitions($1, $2, $3)")


async def made(database: Database, since: datetime, until: datetime, table: str = "price_history") -> int:
    count: int = await database.write(SYSTEM, lambda tx: value_of(tx, MAKE, table, since, until))
    return count


async def test_partitions_of_the_past_are_made_within_the_retention(database: Database, owner: Owner) -> None:
    now: datetime = await owner.fetchval("SELECT now()")
    months = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'price_history'::regclass"
    before = await owner.fetchval(months)
    created = await made(database, now - timedelta(days=5 * 366), now)
    # Two years of retention, and the month that they begin in; what is there already is not made again.
    assert 22 <= created <= 25
    assert await owner.fetchval(months) == before + created
    assert await made(database, now - timedelta(days=5 * 366), now) == 0
    await owner.execute("SELECT maintain_partitions(now())")
    assert await owner.fetchval(months) == before + created


@pytest.mark.parametrize(
    ("table", "years", "refusal"),
    [("users", 0, asyncpg.NoDataFoundError), ("price_history", 4, asyncpg.RaiseError)],
)
async def test_partitions_are_not_made_of_anything_or_without_end(
    database: Database, owner: Owner, table: str, years: int, refusal: type[Exception]
) -> None:
    now: datetime = await owner.fetchval("SELECT now()")
    before = await owner.fetchval("SELECT count(*) FROM pg_inherits")
    with pytest.raises(refusal):
        await made(database, now, now + timedelta(days=366 * years), table)
    assert await owner.fetchval("SELECT count(*) FROM pg_inherits") == before
