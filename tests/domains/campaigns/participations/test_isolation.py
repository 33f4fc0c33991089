"""Row-level security: who sees participations, whatever the statement."""

from typing import Any, NamedTuple

import asyncpg
import pytest

from app.domains.campaigns.participants.model import Attribute
from app.domains.campaigns.participations.model import Verification, VerificationStatus
from app.domains.campaigns.tasks.model import AnswerProof, ProofKind, Quiz, WrongAnswer
from app.domains.tenancy.tenants.model.tenants import MemberRole, Tenancy
from app.kit.db import PUBLIC, SYSTEM, Scope
from app.kit.errors import NotFound
from tests.domains.campaigns.contest import Contest
from tests.domains.campaigns.fair import Fair, in_test_mode

PRIVATE = ("participations", "participation_reviews", "task_completions", "point_entries")
"""Of the tenant, and of who takes part."""
SHOWN = ("tasks", "project_counters")
"""To who sees the project."""
SECRET = ("task_answers", "task_guesses")
TABLES = (*PRIVATE, *SHOWN, *SECRET)


class Filled(NamedTuple):
    """What there is of one tenant and mode."""

    contest: Contest
    participation: Any


async def fill(fair: Fair, by: Tenancy, **given: Any) -> Filled:
    """A row of each table."""
    contest = await Contest.begin(fair, by, **given)
    services, id = fair.services, await contest.join(by=by)
    task = await contest.task(ProofKind.QUIZ, quiz=Quiz("42"), max_completions=2)
    with pytest.raises(WrongAnswer):
        await contest.complete(id, task, AnswerProof("41"), by)
    await contest.complete(id, task, AnswerProof("42"), by)
    data = (Attribute("passport", "P1"),)
    await services.participations.verify(by, id, Verification(VerificationStatus.VERIFIED, data), fair.office.key)
    return Filled(contest, id)


async def test_members_see_what_is_theirs_in_the_mode_in_which_they_act(fair: Fair) -> None:
    office = fair.office
    for each in (fair.alice, in_test_mode(fair.alice), in_test_mode(fair.alice)):
        await fill(fair, each, is_public=False)
    bob = await office.join(office.bob, MemberRole.VIEWER)
    await office.found("other", by=office.bob)
    elsewhere = await office.acting(office.bob, "other")
    key = await office.bearing((await office.issue()).secret)
    assert key is not None
    foreign = await office.bearing((await office.issue(elsewhere)).secret)
    assert foreign is not None
    test, nobody = in_test_mode(fair.alice).scope, Scope(tenant_id=fair.alice.tenant_id)
    for table in TABLES:
        shown = table not in SECRET
        for scope in (elsewhere.scope, foreign.scope, nobody, office.alice.scope, office.bob.scope, PUBLIC):
            assert await fair.rows(scope, f"SELECT FROM {table}") == 0, (table, scope)
        for scope, count in {fair.alice.scope: 1, bob.scope: 1, key.scope: 1, test: 2}.items():
            assert await fair.rows(scope, f"SELECT FROM {table}") == count * shown, (table, scope)
        assert await fair.rows(SYSTEM, f"SELECT FROM {table}") == 3


async def test_of_a_public_project_everybody_sees_the_tasks_and_the_numbers(fair: Fair) -> None:
    filled = await fill(fair, fair.alice)
    for table in TABLES:
        for scope in (PUBLIC, fair.office.bob.scope):
            assert await fair.rows(scope, f"SELECT FROM {table}") == (table in SHOWN), table
    await fair.services.projects.archive(fair.alice, filled.contest.project)
    for table in TABLES:
        assert await fair.rows(PUBLIC, f"SELECT FROM {table}") == 0


async def test_a_user_sees_what_they_take_part_in_and_nobody_elses(fair: Fair) -> None:
    office = fair.office
    filled = await fill(fair, fair.alice, is_public=False)
    link = await fair.services.links.issue(
        fair.alice, (await filled.contest.row(filled.participation))["participant_id"]
    )
    await fair.services.links.link(office.bob, link.token)
    await fill(fair, fair.alice, is_public=False)
    for table in TABLES:
        assert await fair.rows(office.bob.scope, f"SELECT FROM {table}") == (table in PRIVATE), table
        assert await fair.rows(office.alice.scope, f"SELECT FROM {table}") == 0, table
        # Not as somebody who names the tenant without being a member.
        stranger = Scope(user_id=office.bob.user_id, tenant_id=fair.alice.tenant_id)
        assert await fair.rows(stranger, f"SELECT FROM {table}") == (table in PRIVATE), table


async def test_a_user_sees_what_they_are_in_tests_in_either_mode_and_joins_none_themself(fair: Fair) -> None:
    bob, test = fair.office.bob, in_test_mode(fair.alice)
    contest = await Contest.begin(fair, test)
    person = await fair.participant(test)
    id = await contest.join(person, test)
    await fair.services.links.link(bob, (await fair.services.links.issue(test, person)).token)
    for livemode in (True, False):
        scope = Scope(user_id=bob.user_id, livemode=livemode)
        for table in ("participants", "participations"):
            assert await fair.rows(scope, f"SELECT FROM {table} WHERE NOT livemode") == 1
    second = await Contest.begin(fair, test)
    with pytest.raises(NotFound):
        await second.join(by=bob)
    # The same user is somebody else among the real ones.
    real = await Contest.begin(fair)
    assert (await real.row(await real.join(by=bob)))["participant_id"] != person
    assert await fair.services.participations.leave(bob, id, "leave") == id
    await fair.services.links.unlink_self(bob, person)
    assert await fair.rows(bob.scope, "SELECT FROM participations WHERE NOT livemode") == 0


@pytest.mark.parametrize("table", TABLES)
async def test_nobody_but_moneta_writes(fair: Fair, table: str) -> None:
    await fill(fair, fair.alice)
    before = await fair.office.owner.fetch(f"SELECT * FROM {table}")
    assert before
    for scope in (fair.alice.scope, fair.office.alice.scope, PUBLIC):
        for sql in (f"UPDATE {table} SET livemode = livemode", f"DELETE FROM {table}"):
            if table == "point_entries":
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await fair.rows(scope, sql)
            else:
                assert await fair.rows(scope, sql) == 0
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await fair.rows(scope, f"INSERT INTO {table} SELECT (jsonb_populate_record(NULL::{table}, '{{}}')).*")
    assert await fair.office.owner.fetch(f"SELECT * FROM {table}") == before


async def test_what_belongs_together_is_of_one_tenant_mode_and_project(fair: Fair) -> None:
    mine, test = await fill(fair, fair.alice), await fill(fair, in_test_mode(fair.alice))
    second = await fill(fair, fair.alice)
    owner = fair.office.owner
    for table, column, value in (
        ("participations", "project_id", test.contest.project),
        ("participations", "participant_id", (await mine.contest.row(test.participation))["participant_id"]),
        ("task_completions", "participation_id", second.participation),
        ("task_completions", "project_id", second.contest.project),
        ("point_entries", "participation_id", second.participation),
        ("point_entries", "project_id", second.contest.project),
    ):
        where = "id" if table == "participations" else "participation_id"
        with pytest.raises(asyncpg.ForeignKeyViolationError):
            await owner.execute(f"UPDATE {table} SET {column} = $1 WHERE {where} = $2", value, mine.participation)


async def test_a_tenant_that_is_removed_takes_all_of_it_with_it(fair: Fair) -> None:
    await fill(fair, fair.alice)
    await fair.office.owner.execute("DELETE FROM tenants")
    for table in TABLES:
        assert await fair.office.owner.fetchval(f"SELECT count(*) FROM {table}") == 0
