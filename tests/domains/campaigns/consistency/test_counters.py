"""The doctor of data finds what was broken on purpose, mends counters, and nothing else."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, STDOUT
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.dev.embedded import Embedded
from app.domains.campaigns.participants.model import NewParticipant
from app.kit.data_checks import DataDoctor, DataReport
from tests.databases import NOON, Owner
from tests.domains.campaigns.analytics.park import Park

REFERRALS = "referrals of participants"
COUNTS = "participants and completions of projects"
POINTS = "points of participations"
LEVEL = "levels of participations"
USERS = "users and completions of participations"
FUNNELS = "funnels of projects"
BOARDS = "leaderboards of projects"
SUMS = "sums of events of projects"
FOLLOWING = {LEVEL: {FUNNELS, BOARDS}, USERS: {FUNNELS}}
"""What else differs then: funnels and leaderboards count participations as they are."""
TABLES = (
    "funnel_counts",
    "leaderboard_counts",
    "leaderboard_entries",
    "participants",
    "project_counters",
    "participations",
    "project_statistics",
    "point_entries",
    "projects",
)


async def broken(owner: Owner, sql: str) -> None:
    """Does what no constraint allows."""
    await owner.execute("SET session_replication_role = replica")
    assert await owner.execute(sql) not in {"UPDATE 0", "DELETE 0", "INSERT 0 0"}
    await owner.execute("RESET session_replication_role")


async def contents(owner: Owner) -> dict[str, list[dict[str, Any]]]:
    """What is stored, but for when it was changed."""
    hidden = {"updated_at", "is_announced"}
    return {
        table: [
            {name: value for name, value in row.items() if name not in hidden}
            for row in await owner.fetch(f"SELECT * FROM {table} ORDER BY {table}::text")
            # A row that counts nothing is as good as none.
            if not (table == "project_counters" and row["participants"] == row["completions"] == 0)
            and not (table == "funnel_counts" and row["participants"] == 0)
        ]
        for table in TABLES
    }


def wrong(report: DataReport) -> dict[str, int]:
    return {each.check: each.found for each in report.findings}


async def test_right_data_agree(park: Park, doctor: DataDoctor) -> None:
    seen: list[tuple[str, int, int]] = []
    report = await doctor.check(lambda *progress: seen.append(progress))
    assert report.findings == ()
    assert [done for _, done, _ in seen] == list(range(report.checks + 1))
    assert {total for _, _, total in seen} == {report.checks}
    keys = await park.owner.fetchval("SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND conparentid = 0")
    assert report.checks == keys + 2 + len(doctor.counters)
    before = await contents(park.owner)
    assert await doctor.repair(report) == report
    assert await contents(park.owner) == before


@pytest.mark.parametrize(
    ("sql", "check", "found"),
    [
        ("UPDATE participants SET total_referrals = 1 WHERE referral_code = 'FIRST'", REFERRALS, 1),
        ("UPDATE participants SET total_referrals = total_referrals + 1", REFERRALS, 7),
        ("UPDATE project_counters SET participants = participants + 1", COUNTS, None),
        ("UPDATE project_counters SET completions = 0 WHERE completions > 0", COUNTS, None),
        ("DELETE FROM project_counters", COUNTS, None),
        (
            "INSERT INTO project_counters SELECT tenant_id, livemode, id, 15, 9, 9 FROM projects ON CONFLICT"
            " (tenant_id, livemode, project_id, shard) DO UPDATE SET participants = 9",
            COUNTS,
            2,
        ),
        ("UPDATE participations SET level = 9 WHERE points > 0", LEVEL, 2),
        ("UPDATE participations SET next_level_points = NULL", LEVEL, 4),
        ("UPDATE participations SET user_id = (SELECT id FROM users LIMIT 1)", USERS, 4),
        ("UPDATE participations SET has_completed = NOT has_completed", USERS, 4),
        ("UPDATE funnel_counts SET participants = participants + 1", FUNNELS, None),
        ("DELETE FROM funnel_counts", FUNNELS, 3),
        (
            "INSERT INTO funnel_counts SELECT tenant_id, livemode, id, true, true, 100, 7 FROM projects",
            FUNNELS,
            2,
        ),
        ("DELETE FROM leaderboard_entries", BOARDS, 2),
        ("UPDATE leaderboard_counts SET participants = participants + 1", BOARDS, 1),
        ("UPDATE project_statistics SET joins = joins + 1 WHERE interval = 'week'", SUMS, 3),
        ("UPDATE project_statistics SET tracked = 0 WHERE tracked > 0", SUMS, 4),
        ("DELETE FROM project_statistics WHERE interval = 'day'", SUMS, None),
        ("UPDATE project_statistics SET points = -points WHERE points > 0", SUMS, 4),
    ],
)
async def test_counters_that_differ_are_found_and_mended(
    park: Park, doctor: DataDoctor, sql: str, check: str, found: int | None
) -> None:
    before = await contents(park.owner)
    await broken(park.owner, sql)
    report = await doctor.check()
    # Who was active goes with sums that are gone.
    others = {each for each in wrong(report) if not each.startswith("rows without a parent: participant_activity")}
    assert {check} <= others <= {check} | FOLLOWING.get(check, set())
    assert found is None or wrong(report)[check] == found
    assert len(report.findings[0].examples) <= 3
    after = await doctor.repair(report)
    assert {each.counter for each in after.repairs} == others
    assert {each.counter: each.mended for each in after.repairs}[check] == wrong(report)[check]
    assert not others & wrong(after).keys()
    assert not others & wrong(await doctor.check()).keys()
    now = await contents(park.owner)
    if "DELETE FROM project_statistics" in sql:
        for each in (*before["project_statistics"], *now["project_statistics"]):
            # It cannot be counted anew.
            each.pop("active_participants")
    assert now == before


async def test_points_that_are_mended_give_the_level_for_them(park: Park, doctor: DataDoctor) -> None:
    before = await contents(park.owner)
    await broken(park.owner, "UPDATE participations SET points = points + 1000, level = 5, next_level_points = 5000")
    report = await doctor.check()
    assert wrong(report) == {POINTS: 4, LEVEL: 4, FUNNELS: 6, BOARDS: 2}
    after = await doctor.repair(report)
    assert wrong(after) == {}
    assert {each.counter: each.mended for each in after.repairs} == {POINTS: 4, LEVEL: 0, FUNNELS: 3, BOARDS: 1}
    assert await contents(park.owner) == before


async def test_entries_themselves_are_never_changed(park: Park, doctor: DataDoctor) -> None:
    await broken(park.owner, "UPDATE point_entries SET amount = 50 WHERE reason = 'task'")
    entries = await park.owner.fetch("SELECT * FROM point_entries ORDER BY id")
    after = await doctor.repair(await doctor.check())
    assert wrong(after) == {}
    assert await park.owner.fetch("SELECT * FROM point_entries ORDER BY id") == entries
    assert sorted(row[0] for row in await park.owner.fetch("SELECT points FROM participations")) == [0, 0, 57, 57]


async def test_sums_of_what_is_in_files_stay(park: Park, doctor: DataDoctor) -> None:
    """Of a time whose events are gone nothing can be counted anew."""
    await park.owner.execute(
        "INSERT INTO project_statistics (tenant_id, livemode, project_id, interval, started_at, joins)"
        " SELECT tenant_id, livemode, id, 'month', '2020-01-01Z', 7 FROM projects"
    )
    assert wrong(await doctor.check()) == {}


async def test_what_happens_while_it_mends_is_counted(park: Park, doctor: DataDoctor, warm: None) -> None:
    await broken(park.owner, "UPDATE participants SET total_referrals = 5 WHERE referral_code = 'FIRST'")
    await broken(park.owner, "UPDATE project_statistics SET tracked = 9")
    report = await doctor.check()

    async def refer(number: int) -> None:
        new = NewParticipant(username=f"u{number}", referrer_code="FIRST")
        await park.fair.services.participants.create(park.fair.alice, new, f"refer {number}")
        await park.track(occurred_at=NOON - timedelta(hours=number % 50), key=f"track {number}")

    await asyncio.gather(
        *(refer(n) for n in range(20)),
        *(park.statistics.count() for _ in range(10)),
        *(doctor.repair(report) for _ in range(10)),
    )
    await doctor.repair(report)
    assert wrong(await doctor.check()) == {}
    assert await park.owner.fetchval("SELECT total_referrals FROM participants WHERE referral_code = 'FIRST'") == 22


ORPHANS = [
    ("UPDATE participants SET referred_by = gen_random_uuid() WHERE referred_by IS NOT NULL", "participants", 2),
    ("UPDATE participants SET user_id = gen_random_uuid() WHERE referral_code = 'FIRST'", "participants", 1),
    ("UPDATE participant_wallets SET livemode = false", "participant_wallets", 1),
    ("UPDATE participations SET livemode = NOT livemode", "participations", 4),
    ("UPDATE participations SET tenant_id = gen_random_uuid() WHERE livemode", "participations", 3),
    ("DELETE FROM tenants", "projects", 2),
    ("DELETE FROM tasks", "task_completions", 2),
    ("DELETE FROM projects WHERE livemode", "analytics_events", None),
    ("UPDATE analytics_inbox SET project_id = gen_random_uuid()", "analytics_inbox", 1),
]


@pytest.mark.parametrize(("sql", "table", "found"), ORPHANS, ids=[each[0][:50] for each in ORPHANS])
async def test_rows_without_a_parent_are_found_and_left(
    park: Park, doctor: DataDoctor, sql: str, table: str, found: int | None
) -> None:
    await broken(park.owner, sql)
    report = await doctor.check()
    named = {name: count for name, count in wrong(report).items() if f"parent: {table}." in name}
    assert named
    assert found is None or found in named.values()
    example = next(each.examples[0] for each in report.findings if each.check in named)
    assert example.startswith("{")
    orphans = {name for name in wrong(report) if "parent" in name}
    before = await contents(park.owner)
    after = await doctor.repair(report)
    assert {name for name in wrong(after) if "parent" in name} == orphans
    assert {name for name in wrong(await doctor.check()) if "parent" in name} == orphans
    for entries in ("point_entries", "projects"):
        assert (await contents(park.owner))[entries] == before[entries]


async def test_partitions_and_events_are_checked(park: Park, doctor: DataDoctor) -> None:
    owner = park.owner
    await owner.execute("ALTER TABLE user_analytics DETACH PARTITION user_analytics_2026_11")
    await owner.execute("INSERT INTO partitioned_tables VALUES ('gone', NULL)")
    await owner.execute("CREATE TABLE lonely (at timestamptz) PARTITION BY RANGE (at)")
    await owner.execute("INSERT INTO events (stream, seq, kind, payload) VALUES ('nobody', 1, 'x', '{}')")
    await owner.execute("INSERT INTO event_streams VALUES ('short', 1)")
    await owner.execute("INSERT INTO events (stream, seq, kind, payload) VALUES ('short', 3, 'x', '{}')")
    found = {each.check: each for each in (await doctor.check()).findings}
    assert found["events without a stream"].examples == (
        "nobody: its events end at 1, and it at none",
        "short: its events end at 3, and it at 1",
    )
    assert found["partitions without a table"].found == 5
    said = found["partitions without a table"].examples
    assert said == ("gone does not exist", *said[1:])
    assert all(each.startswith("gone has no partition for 2026-1") for each in said[1:])


COUNTERS_OF_OTHERS = [
    (
        "INSERT INTO reconciliations (account_id, status, finished_at, difference_count)"
        " VALUES (gen_random_uuid(), 'different', now(), 3)",
        "differences of comparisons with exchanges",
        "SELECT difference_count FROM reconciliations",
    ),
    (
        "INSERT INTO blockchain_info (network, coinbase_maturity, tip_hash, tip_height, circulating_coins,"
        " total_transactions, total_blocks, current_difficulty, average_block_time, halving_height,"
        " current_halving_number) VALUES ('\\x00000000', 0, repeat('0', 64), 0, 0, 9, 1, 1, 1, 1, 1)",
        "transactions of the chain",
        "SELECT total_transactions FROM blockchain_info",
    ),
]


@pytest.mark.parametrize(("sql", "check", "stored"), COUNTERS_OF_OTHERS, ids=[each[1] for each in COUNTERS_OF_OTHERS])
async def test_what_other_houses_count_is_mended(
    park: Park, doctor: DataDoctor, sql: str, check: str, stored: str
) -> None:
    await broken(park.owner, sql)
    report = await doctor.check()
    assert wrong(report)[check] == 1
    after = await doctor.repair(report)
    assert check not in wrong(after)
    assert [(each.counter, each.mended) for each in after.repairs] == [(check, 1)]
    assert await park.owner.fetchval(stored) == 0


async def test_what_cannot_be_counted_anew_is_only_found(park: Park, doctor: DataDoctor) -> None:
    await broken(
        park.owner,
        "INSERT INTO api_keys (tenant_id, key_id, key_hash, name, usage_count)"
        " SELECT id, 'mk_live_0123456789abcdef', 'x', 'Key', 4 FROM tenants",
    )
    report = await doctor.check()
    assert wrong(report) == {"uses of API keys": 1}
    assert report.findings[0].examples == ("mk_live_0123456789abcdef: 4 calls, counted never used",)
    assert await doctor.repair(report) == report


async def command(database_url: str, redis_url: str, home: Path, *arguments: str) -> tuple[int | None, str]:
    """What a check says, and its exit code."""
    environment = {
        **os.environ,
        "MONETA_DATABASE_URL": database_url,
        "MONETA_REDIS_URL": redis_url,
        "MONETA_HOME": str(home),
        "COLUMNS": "200",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "app", "doctor", *arguments, env=environment, stdout=PIPE, stderr=STDOUT
    )
    said, _ = await process.communicate()
    return process.returncode, said.decode()


async def test_the_command_says_what_is_wrong_mends_it_and_fails_until_then(
    park: Park, database_url: str, servers: Embedded, tmp_path: Path
) -> None:
    given = (database_url, servers.redis_url, tmp_path, "data")
    code, said = await command(*given)
    assert (code, "all right" in said) == (0, True), said
    await broken(park.owner, "UPDATE participants SET total_referrals = 77 WHERE referral_code = 'FIRST'")
    code, said = await command(*given)
    assert (code, REFERRALS in said, "77, counted 2" in said) == (1, True, True), said
    code, said = await command(*given, "--repair")
    assert (code, REFERRALS in said, "77, now 2" in said, "all right" in said) == (0, True, True, True), said
    await broken(park.owner, "DELETE FROM tasks")
    for more in ((), ("--repair",)):
        code, said = await command(*given, *more)
        assert (code, "task_completions.task_completions_task" in said) == (1, True), said
