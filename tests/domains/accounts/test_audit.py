import asyncio
import json
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from app.domains.accounts.model import AuditVerdict, ProfileChanges
from app.domains.accounts.rules.audit import GENESIS, Anchor, Extent, audit_verdict
from app.kit.db import SYSTEM
from tests.domains.accounts.conftest import House
from tests.factories import register
from tests.statements import statement

WITHOUT_TRIGGERS = "SET session_replication_role = replica"


async def _story(house: House) -> int:
    """Makes some audited changes. Returns how many entries there are."""
    await house.add_code()
    viewer = await register(house)
    for n in range(5):
        await house.accounts.profiles.put_setting(viewer, "n", n)
    return int(await house.owner.fetchval("SELECT count(*) FROM audit_logs"))


async def test_the_log_says_who_changed_what_from_where(house: House) -> None:
    viewer = await register(house)
    await house.accounts.profiles.update(viewer, ProfileChanges(username="alice"))
    row = await house.owner.fetchrow(
        "SELECT user_id, action, resource_type, resource_id, details::text, host(ip_address), user_agent"
        " FROM audit_logs ORDER BY seq DESC LIMIT 1"
    )
    assert row is not None
    who, action, kind, resource, details, ip, agent = row
    assert (who, action, kind, resource) == (viewer.user_id, "update", "profiles", str(viewer.user_id))
    assert json.loads(details) == {"old": {"username": None}, "new": {"username": "alice"}}
    assert (ip, agent) == ("203.0.113.7", "tests")


async def test_no_secret_is_copied(house: House) -> None:
    await register(house, verified=False)
    user = await house.owner.fetchrow("SELECT password_hash, verification_token_hash FROM users")
    assert user is not None
    entries = " ".join(row[0] for row in await house.owner.fetch("SELECT details::text FROM audit_logs"))
    assert '"password_hash": "[redacted]"' in entries
    assert '"verification_token_hash": "[redacted]"' in entries
    assert user["password_hash"] not in entries
    assert user["verification_token_hash"] not in entries
    assert "FOR-ALICE" not in entries


async def test_what_is_rolled_back_is_not_logged(house: House) -> None:
    async def work(tx: object) -> None:
        raise RuntimeError("no")

    before = await _story(house)
    with pytest.raises(RuntimeError):
        await house.database.write(SYSTEM, work)
    assert await house.owner.fetchval("SELECT count(*) FROM audit_logs") == before
    assert (await house.accounts.audit.verify()).ok


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO audit_logs (seq) VALUES (1)",
        "UPDATE audit_logs SET action = 'insert'",
        "DELETE FROM audit_logs",
        "TRUNCATE audit_logs",
        "UPDATE audit_chain SET seq = 0",
        "DELETE FROM audit_anchors",
        "UPDATE auth_logs SET success = true",
    ],
)
async def test_the_application_only_appends(house: House, sql: str) -> None:
    await _story(house)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await house.database.write(SYSTEM, lambda tx: tx.execute(statement("attack", "", sql)))
    assert (await house.accounts.audit.verify()).ok


async def test_a_whole_log_is_in_order(house: House) -> None:
    entries = await _story(house)
    verdict = await house.accounts.audit.verify()
    assert verdict == AuditVerdict(True, entries, f"audit log: {entries} entries, all in order")


@pytest.mark.usefixtures("warm")
async def test_many_writers_make_one_chain(house: House) -> None:
    viewers = [await register(house, f"u{n}@example.com") for n in range(8)]
    await asyncio.gather(
        *(house.accounts.profiles.put_setting(viewer, f"s{n}", n) for viewer in viewers for n in range(8))
    )
    verdict = await house.accounts.audit.verify()
    assert verdict.ok, verdict.message
    assert verdict.entries == 8 * 3 + 64


@pytest.mark.parametrize(
    ("tampering", "finding"),
    [
        ("UPDATE audit_logs SET action = 'delete' WHERE seq = 4", "entry 4 was changed"),
        ("UPDATE audit_logs SET user_id = gen_random_uuid() WHERE seq = 4", "entry 4 was changed"),
        ("UPDATE audit_logs SET details = '{}' WHERE seq = 4", "entry 4 was changed"),
        ("UPDATE audit_logs SET created_at = created_at - interval '1 us' WHERE seq = 4", "entry 4 was changed"),
        ("UPDATE audit_logs SET seq = CASE seq WHEN 4 THEN 5 ELSE 4 END WHERE seq IN (4, 5)", "entry 4 was changed"),
        ("DELETE FROM audit_logs WHERE seq = 4", "at least one entry before 5 is missing"),
        ("DELETE FROM audit_logs WHERE seq > 6", "the entries after 6 are missing"),
        ("DELETE FROM audit_logs WHERE seq = 1", "the entries from 1 to 1 are missing"),
        ("DELETE FROM audit_logs", "the entries from 1 to"),
        (
            "UPDATE audit_logs a SET details = '{}', hash = audit_row_hash(ROW(a.id, a.seq, a.user_id, a.action,"
            " a.resource_type, a.resource_id, '{}'::jsonb, a.ip_address, a.user_agent, a.created_at, a.previous_hash,"
            " a.hash)::audit_logs) WHERE seq = 4",
            "entry 5 does not follow",
        ),
    ],
)
async def test_tampering_shows(house: House, tampering: str, finding: str) -> None:
    await _story(house)
    await house.owner.execute(f"{WITHOUT_TRIGGERS}; {tampering}")
    verdict = await house.accounts.audit.verify()
    assert not verdict.ok
    assert finding in verdict.message


async def test_the_chain_survives_the_dropping_of_old_months(house: House) -> None:
    entries = await _story(house)
    # As if the entries were of two months: the first half is dropped with its partition.
    half = entries // 2
    anchor = await house.owner.fetchrow("SELECT seq, previous_hash FROM audit_logs WHERE seq = $1", half + 1)
    assert anchor is not None
    old = datetime.now(UTC) - timedelta(days=3 * 365)
    await house.owner.execute("UPDATE audit_anchors SET month = date_trunc('month', $1::timestamptz)", old)
    await house.owner.execute("INSERT INTO audit_anchors VALUES (date_trunc('month', now()), $1, $2)", *anchor)
    await house.owner.execute("DELETE FROM audit_logs WHERE seq <= $1", half)
    verdict = await house.accounts.audit.verify()
    assert verdict.ok, verdict.message
    assert verdict.entries == entries - half
    await house.owner.execute("DELETE FROM audit_logs WHERE seq = $1", half + 1)
    assert not (await house.accounts.audit.verify()).ok


def test_an_empty_log_of_a_new_database_is_whole() -> None:
    assert audit_verdict(Extent(0, None, None, None, None, 0, GENESIS), [], None).ok


def test_an_entry_that_no_month_begins_with_is_not_a_beginning() -> None:
    anchors = [Anchor(datetime(2024, 1, 1, tzinfo=UTC), 1, GENESIS, True)]
    verdict = audit_verdict(Extent(1, 7, "a" * 64, 7, "b" * 64, 7, "b" * 64), anchors, None)
    assert verdict.message == "audit log: the entries right before 7 are missing"
