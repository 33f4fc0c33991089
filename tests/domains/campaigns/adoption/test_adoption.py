"""A database without tenants is brought into one: a dump with data, some of which is wrong."""

import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from app.domains.campaigns.adoption.model import AdoptionReport
from app.domains.campaigns.adoption.rules import adopted_id, circular
from app.domains.tenancy.tenants.model.tenants import MemberRole, Tenancy
from app.kit.errors import Forbidden
from app.kit.table_copies import NoSuchTable, copy_tables
from tests.domains.campaigns.adoption.legacy import DIRTY, PROJECTS, USERS, dump, id_of
from tests.domains.campaigns.contest import Contest
from tests.domains.campaigns.fair import Fair, in_test_mode

TABLES = ("participants", "participant_wallets", "projects", "project_wallets", "participations", "point_entries")
REFUSED = DIRTY["telegram"] + DIRTY["nobody"] + DIRTY["dateless"]


@pytest.fixture
def adopt(fair: Fair, database_url: str) -> Callable[..., Any]:
    """Loads the dump, once, and adopts it."""

    async def adopt(tenancy: Tenancy | None) -> AdoptionReport:
        if await fair.office.owner.fetchval("SELECT to_regnamespace('legacy') IS NULL"):
            await fair.office.owner.execute(dump())
        copies = await copy_tables(database_url, "legacy", ("users", "projects"), ("user_projects",))
        tables = {name: copy.rows for name, copy in copies.items()}
        return await fair.services.adoption.run(tenancy, tables, lambda *_: None)

    return adopt


async def contents(fair: Fair) -> dict[str, list[Any]]:
    """All that may not change when it is adopted again."""
    rows = {each: await fair.office.owner.fetch(f"SELECT * FROM {each} ORDER BY 1, 2") for each in TABLES}
    counters = "SELECT project_id, shard, participants FROM project_counters ORDER BY 1, 2"
    return {**rows, "counters": await fair.office.owner.fetch(counters)}


async def test_a_dump_is_adopted_and_again_changes_nothing(fair: Fair, adopt: Callable[..., Any]) -> None:
    report = await adopt(fair.alice)
    assert report.differences == []
    assert report.found["users"] == USERS
    assert report.adopted["users"] == report.stored["users"] == USERS - REFUSED
    assert report.adopted["projects"] == PROJECTS - 2
    refused = Counter(each.what for each in report.refused)
    assert refused["users"] == REFUSED
    assert refused["users.wallets"] == DIRTY["wallet"]
    assert refused["referrals"] == DIRTY["circle"] + DIRTY["orphan"]
    assert (refused["projects"], refused["projects.wallets"]) == (2, 1)
    assert report.adopted["user_projects"] == 2 * USERS - refused["user_projects"] > USERS
    reasons = Counter(each.reason.partition(":")[0] for each in report.refused)
    assert reasons["telegram_id"] == DIRTY["telegram"] + DIRTY["nobody"]
    assert {"created_at", "claim_amount", "points_earned"} <= {*reasons}
    assert report.notes["users.username: not of a form that it can have, left out"] == DIRTY["blank"]
    assert report.notes["users.referral_code: another user has it, drawn again"] == DIRTY["code"]
    assert report.notes["projects.project_key: not of a form that a key has, drawn again"] == 1
    contest = Contest(fair, UUID(int=0), "", fair.alice)
    await contest.assert_sound()
    before = await contents(fair)

    again = await adopt(fair.alice)
    assert await contents(fair) == before
    assert again.adopted == report.adopted
    assert not +again.stored
    assert again.differences == []
    assert sorted(again.refused) == sorted(report.refused)


async def test_what_they_had_is_theirs(fair: Fair, adopt: Callable[..., Any]) -> None:
    await adopt(fair.alice)

    async def adopted(table: str, kind: int, number: int) -> dict[str, Any]:
        return await fair.row(table, adopted_id(fair.alice.tenant_id, True, id_of(kind, number)))

    fifth, seventh, eighth = [await adopted("participants", 1, number) for number in (5, 7, 8)]
    assert (fifth["telegram_id"], fifth["username"]) == (1005, "O'Brien \\ 5")
    assert (await adopted("participants", 1, 6))["first_name"] == 'Line "one", two'
    assert json.loads(seventh["attributes"]) == {"tier": "gold", "age": "7"}
    assert (eighth["locale"], eighth["has_notifications"], eighth["is_verified"]) == ("de-AT", False, True)
    twelfth, second = await adopted("participants", 1, 12), await adopted("participants", 1, 2)
    assert (twelfth["referred_by"], second["total_referrals"]) == (second["id"], 1)
    project = await adopted("projects", 2, 4)
    assert (project["key"], project["network"], project["claim_amount"]) == ("proj_000000000004", "ethereum", 10**9)
    assert {(row["tenant_id"], row["livemode"]) for row in (fifth, project)} == {(fair.alice.tenant_id, True)}
    part = await adopted("participations", 3, 6)
    assert (part["points"], part["level"], part["next_level_points"]) == (600, 4, 1000)
    # From before the first month of which events are kept: they are counted and have no events.
    assert part["joined_at"] == datetime(2025, 1, 2, tzinfo=UTC)
    counted = """SELECT array[count(*), sum(points)]::bigint[] FROM analytics_inbox
        WHERE project_id = $1 AND participant_id = $2"""
    of_part = part["project_id"], part["participant_id"]
    assert await fair.office.owner.fetchval(counted, *of_part) == [2, 600]
    assert await fair.office.owner.fetchval("SELECT count(*) FROM analytics_events") == 0


async def test_nothing_is_stored_in_a_dry_run_which_finds_the_same(fair: Fair, adopt: Callable[..., Any]) -> None:
    report = await adopt(None)
    assert not any((await contents(fair)).values())
    stored = await adopt(fair.alice)
    assert sorted(report.refused) == sorted(stored.refused)
    assert {each: report.adopted[each] for each in ("users", "projects", "user_projects")} == {
        each: stored.adopted[each] for each in ("users", "projects", "user_projects")
    }


async def test_who_is_there_already_is_not_replaced(fair: Fair, adopt: Callable[..., Any]) -> None:
    there = await fair.participant(telegram_id=1020)
    before = await fair.row("participants", there)
    report = await adopt(fair.alice)
    assert report.differences == []
    assert await fair.row("participants", there) == before
    assert [each.reason for each in report.refused if each.id == str(id_of(1, 20)) and each.what == "users"] == [
        "Another participant of the tenant has this ID or code."
    ]


async def test_each_tenant_and_mode_adopts_for_itself(fair: Fair, adopt: Callable[..., Any]) -> None:
    await fair.office.found("other", by=fair.office.bob)
    bob = await fair.office.acting(fair.office.bob, "other")
    for each in (fair.alice, in_test_mode(fair.alice), bob):
        assert (await adopt(each)).stored["users"] == USERS - REFUSED
    assert await fair.office.owner.fetchval("SELECT count(*) FROM participants") == 3 * (USERS - REFUSED)


async def test_only_an_owner_adopts(fair: Fair, adopt: Callable[..., Any]) -> None:
    bob = await fair.office.join(fair.office.bob, MemberRole.ADMIN)
    with pytest.raises(Forbidden):
        await adopt(bob)
    assert not any((await contents(fair)).values())


async def test_a_table_that_is_needed_has_to_be_there(fair: Fair, database_url: str) -> None:
    with pytest.raises(NoSuchTable, match=r"legacy\.users"):
        await copy_tables(database_url, "legacy", ("users",), ())


def test_circles_are_found() -> None:
    one, two, three, four = (UUID(int=number) for number in range(1, 5))
    assert circular({one: two, two: three, three: two, four: four}) == {two, three, four}
    assert circular({one: two, two: three}) == set()
