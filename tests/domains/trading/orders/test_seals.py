"""Every change of an order is sealed once, and what happens to it afterwards shows."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
import pytest_asyncio

from app.domains.accounts.services import AccountsServices
from app.domains.trading.orders.services import seals
from app.kit.db import SYSTEM
from tests.databases import Owner
from tests.domains.trading.orders.trader import Trader, limit, order
from tests.statements import statement

WITHOUT_TRIGGERS = "SET session_replication_role = replica"
CHANGE = (
    "INSERT INTO order_changes (order_id, portfolio_id, action, details) SELECT order_id, portfolio_id, action,"
    " details FROM order_changes ORDER BY id LIMIT 1"
)


@pytest_asyncio.fixture
async def other(database_url: str) -> AsyncIterator[Owner]:
    """Another connection."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


async def sealed(trader: Trader) -> list[tuple[int, int, int]]:
    """The ranges of the seals in the audit log, and of how many changes they are."""
    rows = await trader.stage.owner.fetch(
        "SELECT s.after_id, s.to_id, s.changes FROM audit_logs a,"
        " jsonb_to_record(a.details -> 'new') AS s (after_id bigint, to_id bigint, changes bigint)"
        " WHERE a.resource_type = 'order_seals' ORDER BY a.seq"
    )
    return [tuple(row) for row in rows]


async def seal(trader: Trader) -> str:
    """Seals what there is now."""
    await trader.stage.trading.seals.seal()
    return await trader.stage.trading.seals.seal()


async def ids(trader: Trader) -> list[int]:
    return [row[0] for row in await trader.stage.owner.fetch("SELECT id FROM order_changes ORDER BY id")]


async def fault(trader: Trader) -> str:
    """What is found of the seals, while the audit log itself is in order."""
    assert (await trader.stage.services[AccountsServices].audit.verify()).ok
    verdict = await trader.stage.trading.seals.verify()
    assert not verdict.ok
    return verdict.message


async def test_changes_are_sealed_in_batches_and_once(trader: Trader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seals, "SEAL_SIZE", 2)
    monkeypatch.setattr(seals, "CHECKED_AT_ONCE", 2)
    for _ in range(3):
        await trader.place(limit())
    await trader.market.match()
    there = await ids(trader)
    assert len(there) == 6
    assert await seal(trader) == "6 changes"
    assert await sealed(trader) == [(0, there[1], 2), (there[1], there[3], 2), (there[3], there[5], 2)]
    assert await seal(trader) == "0 changes"
    await trader.place(order())
    assert await seal(trader) == "1 changes"
    assert len(await sealed(trader)) == 4
    verdict = await trader.stage.trading.seals.verify()
    assert (verdict.ok, verdict.entries) == (True, 4), verdict.message
    assert (await trader.stage.services[AccountsServices].audit.verify()).ok


async def test_what_is_inserted_early_and_committed_late_is_sealed_later_and_once(trader: Trader, other: Owner) -> None:
    await trader.place(limit())
    late = other.transaction()
    await late.start()
    early_id = await other.fetchval(f"{CHANGE} RETURNING id")
    await trader.place(limit())
    # The ID that was given last is not the last that is committed.
    assert max(await ids(trader)) > early_id
    assert await seal(trader) == "0 changes"
    assert await seal(trader) == "0 changes"
    assert await sealed(trader) == []
    await late.commit()
    assert await trader.stage.trading.seals.seal() == "3 changes"
    there = await ids(trader)
    assert early_id in there
    assert await sealed(trader) == [(0, there[-1], len(there))]
    assert (await trader.stage.trading.seals.verify()).ok


async def test_what_was_rolled_back_leaves_a_gap_only(trader: Trader, other: Owner) -> None:
    await trader.place(limit())
    late = other.transaction()
    await late.start()
    await other.execute(CHANGE)
    await trader.place(limit())
    await late.rollback()
    assert await seal(trader) == "2 changes"
    assert (await trader.stage.trading.seals.verify()).ok


async def test_a_transaction_that_never_ends_does_not_starve_sealing_by_those_after_it(
    trader: Trader, other: Owner
) -> None:
    await trader.place(limit())
    await trader.stage.trading.seals.seal()
    running = other.transaction()
    await running.start()
    await other.execute(CHANGE)
    # It began after what is to be sealed was noted.
    assert await trader.stage.trading.seals.seal() == "1 changes"
    await running.rollback()


async def test_it_goes_on_after_a_restore_into_another_cluster(trader: Trader) -> None:
    """Whose transactions have other numbers: higher ones were noted, or lower ones."""
    for xid in ("4611686018427387904", "1"):
        await trader.place(limit())
        await trader.stage.owner.execute(f"UPDATE order_sealing SET next_xid = '{xid}'")
        await trader.stage.trading.seals.seal()
        assert await trader.stage.trading.seals.seal() == "1 changes"
    assert (await trader.stage.trading.seals.verify()).ok


@pytest.mark.parametrize(
    ("tampering", "finding"),
    [
        ("UPDATE order_changes SET details = '{}' WHERE id = $1", "a change of seal 1 was changed"),
        ("UPDATE order_changes SET order_id = gen_random_uuid() WHERE id = $1", "a change of seal 1 was changed"),
        ("UPDATE order_changes SET portfolio_id = gen_random_uuid() WHERE id = $1", "a change of seal 1 was changed"),
        ("UPDATE order_changes SET action = 'delete' WHERE id = $1", "a change of seal 1 was changed"),
        (
            "UPDATE order_changes SET created_at = created_at + interval '1 us' WHERE id = $1",
            "a change of seal 1 was changed",
        ),
        ("DELETE FROM order_changes WHERE id = $1", "changes of seal 1 are missing"),
        ("DELETE FROM order_changes WHERE id >= $1", "changes of seal 1 are missing"),
        (
            "INSERT INTO order_changes (id, order_id, portfolio_id, action, details) OVERRIDING SYSTEM VALUE"
            " SELECT id, order_id, portfolio_id, action, details FROM order_changes WHERE id = $1",
            "changes were added to seal 1",
        ),
        (
            "INSERT INTO order_changes (id, order_id, portfolio_id, action, details) OVERRIDING SYSTEM VALUE"
            " SELECT -id, order_id, portfolio_id, action, details FROM order_changes WHERE id = $1",
            "there are 1 changes that no seal is of",
        ),
        ("UPDATE order_sealing SET sealed_to = sealed_to + $1", "seal 2 is not the one that sealing ends with"),
        ("UPDATE order_sealing SET number = number + $1", "seal 2 is not the one that sealing ends with"),
    ],
)
async def test_tampering_shows(trader: Trader, tampering: str, finding: str) -> None:
    for _ in range(2):
        await trader.place(limit())
        await trader.market.match()
        await seal(trader)
    assert (await trader.stage.trading.seals.verify()).ok
    await trader.stage.owner.execute(WITHOUT_TRIGGERS)
    await trader.stage.owner.execute(tampering, (await ids(trader))[0])
    assert finding in await fault(trader)


async def test_skipping_changes_shows_with_the_next_seal(trader: Trader) -> None:
    await trader.place(limit())
    await seal(trader)
    await trader.place(limit())
    await trader.stage.owner.execute("UPDATE order_sealing SET sealed_to = sealed_to + 1")
    await trader.place(limit())
    await seal(trader)
    assert "seal 2 does not follow" in await fault(trader)


async def test_the_digest_is_that_of_the_rows_in_the_order_of_their_ids(trader: Trader) -> None:
    """So that rows that change places show."""
    await trader.place(limit())
    await trader.place(limit(price="80"))
    await seal(trader)
    first, second = await ids(trader)
    await trader.stage.owner.execute(WITHOUT_TRIGGERS)
    for from_id, to_id in ((first, -1), (second, first), (-1, second)):
        await trader.stage.owner.execute(
            "INSERT INTO order_changes (id, order_id, portfolio_id, action, details, created_at)"
            " OVERRIDING SYSTEM VALUE SELECT $2, order_id, portfolio_id, action, details, created_at"
            " FROM order_changes WHERE id = $1",
            from_id,
            to_id,
        )
        await trader.stage.owner.execute("DELETE FROM order_changes WHERE id = $1", from_id)
    assert "a change of seal 1 was changed" in await fault(trader)


async def test_a_seal_whose_changes_retention_has_dropped_is_verified_by_itself(trader: Trader) -> None:
    await trader.place(limit())
    await seal(trader)
    await trader.stage.owner.execute(WITHOUT_TRIGGERS)
    await trader.stage.owner.execute("DELETE FROM order_changes")
    assert "changes of seal 1 are missing" in await fault(trader)
    months = datetime.now(UTC) + timedelta(days=2 * 365 + 40)
    trader.stage.clock.advance(months - trader.stage.clock.now())
    verdict = await trader.stage.trading.seals.verify()
    assert (verdict.ok, verdict.entries) == (True, 1)


async def test_months_of_changes_are_dropped_after_two_years(trader: Trader) -> None:
    kept = "SELECT retention = interval '2 years' FROM partitioned_tables WHERE table_name = 'order_changes'"
    assert await trader.stage.owner.fetchval(kept)


@pytest.mark.parametrize("table", ["order_changes", "order_seals", "order_sealing"])
async def test_the_application_only_reads(trader: Trader, table: str) -> None:
    await trader.place(limit())
    await seal(trader)
    column = {"order_sealing": "number", "order_seals": "number", "order_changes": "action"}[table]
    for sql in (f"DELETE FROM {table}", f"UPDATE {table} SET {column} = {column}", f"TRUNCATE {table}"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await execute(trader, sql)
    insert = CHANGE if table == "order_changes" else f"INSERT INTO {table} SELECT * FROM {table}"
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await execute(trader, insert)


async def execute(trader: Trader, sql: str) -> None:
    await trader.stage.database.write(SYSTEM, lambda tx: tx.execute(statement("attack", "", sql)))
