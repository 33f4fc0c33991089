"""The epoch changes when the database was restored, and at no other time."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import pytest_asyncio
from redis.asyncio import Redis

from app.kit.db import PUBLIC, Database
from app.kit.events import EventLog, Position, positions_by_stream
from app.kit.loaders import Audience
from app.kit.reads import Reads
from tests.conftest import APP_ROLE
from tests.databases import Owner, in_database, next_number
from tests.kit.event_pipeline import append
from tests.waiting import HANG_S


@pytest_asyncio.fixture
async def events(database: Database, redis: Redis) -> EventLog:
    return EventLog(database, redis)


@pytest_asyncio.fixture
async def other_name(administrator: Owner) -> AsyncIterator[str]:
    """The name of a database that the test makes."""
    name = f"moneta_copy_{next_number()}"
    yield name
    await administrator.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


async def epoch_of(events: EventLog) -> UUID:
    return (await events.positions([])).epoch


async def test_it_stays_while_nothing_happens(events: EventLog, owner: Owner, database: Database) -> None:
    noted = await owner.fetchval("SELECT epoch FROM event_epoch")
    assert {await epoch_of(events) for _ in range(3)} == {noted}
    await append(database, events, "a", range(2))
    assert await epoch_of(events) == noted
    assert await owner.fetchval("SELECT life ~ '^[0-9]+/[0-9A-F]{8}/[0-9]+/[0-9]+$' FROM event_epoch")


async def test_another_life_renews_it_once(events: EventLog, owner: Owner) -> None:
    before = await epoch_of(events)
    for changed in ("regexp_replace(life, '^[0-9]+', '1')", "regexp_replace(life, '/[0-9A-F]{8}/', '/0000000F/')"):
        await owner.execute(f"UPDATE event_epoch SET life = {changed}")
        after = set(await asyncio.gather(*(epoch_of(events) for _ in range(12))))
        assert len(after) == 1
        assert before not in after
        (before,) = after
    assert await epoch_of(events) == before


async def test_a_clone_lives_a_life_of_its_own(  # noqa: PLR0917
    events: EventLog, database: Database, database_url: str, administrator: Owner, other_name: str, redis: Redis
) -> None:
    original = await epoch_of(events)
    name = database_url.rpartition("/")[2]
    await database.close()
    await administrator.execute(f"CREATE DATABASE {other_name} TEMPLATE {name}")
    clone = await Database.open(in_database(database_url, other_name), role=APP_ROLE, size=2, timeout_s=HANG_S)
    cloned = EventLog(clone, redis)
    assert await epoch_of(cloned) != original
    assert await epoch_of(cloned) == await epoch_of(cloned)
    await clone.close()


async def test_a_table_that_a_restore_made_anew_is_noticed(events: EventLog, owner: Owner) -> None:
    before = await epoch_of(events)
    # What `pg_restore --clean` does, in the same database of the same cluster.
    await owner.execute(
        "CREATE TABLE restored (LIKE event_epoch INCLUDING ALL); INSERT INTO restored SELECT * FROM event_epoch;"
        "DROP TABLE event_epoch; ALTER TABLE restored RENAME TO event_epoch"
    )
    assert await epoch_of(events) != before


async def test_an_owner_who_may_not_ask_keeps_the_epoch(events: EventLog, owner: Owner) -> None:
    await owner.execute(
        f"ALTER FUNCTION current_event_epoch OWNER TO {APP_ROLE};"
        "REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC"
    )
    noted = await owner.fetchval("SELECT epoch FROM event_epoch")
    assert {await epoch_of(events) for _ in range(2)} == {noted}
    assert await owner.fetchval("SELECT left(life, 2) FROM event_epoch") == "?/"


async def test_it_can_be_renewed_by_command(events: EventLog) -> None:
    before = await epoch_of(events)
    renewed = await events.renew_epoch()
    assert renewed != before
    assert await epoch_of(events) == renewed


async def test_positions_are_read_with_the_epoch(events: EventLog, database: Database) -> None:
    await append(database, events, "a", range(3))
    positions = await events.positions(["a", "never"])
    assert positions.seqs == {"a": 3, "never": 0}
    for audience, loader in positions_by_stream.items():
        assert loader.audience is audience
        reads = Reads(database, PUBLIC)
        found = await asyncio.gather(reads.one(loader, "a"), reads.one(loader, "never"))
        await reads.aclose()
        assert list(found) == [Position("a", 3, positions.epoch), Position("never", 0, positions.epoch)]
    assert set(positions_by_stream) == {Audience.PUBLIC, Audience.TENANT, Audience.VIEWER}
