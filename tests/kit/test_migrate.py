import asyncio
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from app.kit.db import SYSTEM, Database
from app.kit.migrate import MIGRATIONS, migrate
from tests.conftest import Owner
from tests.statements import statement

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


async def test_each_revision_is_recorded(owner: Owner) -> None:
    rows = await owner.fetch("SELECT version, applied_at <= now() AS past, execution_time_ms FROM schema_migrations")
    assert sorted(row["version"] for row in rows) == VERSIONS
    assert all(row["past"] and 0 <= row["execution_time_ms"] < 60_000 for row in rows)


@pytest.mark.parametrize("timezone", ["UTC", "America/New_York", "Pacific/Auckland"])
async def test_partitions_are_whole_months_in_utc_whoever_asks(owner: Owner, timezone: str) -> None:
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


async def test_a_date_to_come_drops_nothing(owner: Owner) -> None:
    before = await partitions(owner)
    assert any(name.startswith("events_") for name in before)
    await owner.execute("SELECT maintain_partitions('2099-01-15', 0)")
    assert set(before) <= set(await partitions(owner))


async def test_the_application_maintains_partitions_but_reaches_none_directly(database: Database, owner: Owner) -> None:
    maintain = statement("maintain", ".", "SELECT created FROM maintain_partitions($1)")
    created = await database.write(SYSTEM, lambda tx: tx.fetch_value(maintain, datetime(2031, 5, 1, tzinfo=UTC)))
    assert created >= 4
    for sql in ("SELECT FROM events_2031_05", "DROP TABLE events_2031_05"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await database.fetch(statement("direct", ".", sql))


MAKE = statement("make", ".", "SELECT make_partitions($1, $2, $3)")


async def made(database: Database, since: datetime, until: datetime, table: str = "price_history") -> int:
    count: int = await database.write(SYSTEM, lambda tx: tx.fetch_value(MAKE, table, since, until))
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
