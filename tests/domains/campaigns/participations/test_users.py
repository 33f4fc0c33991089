"""A participation is of the user whom its participant is linked to, however and whenever that is changed."""

import asyncio
from uuid import UUID

from app.domains.accounts.model import Viewer
from app.domains.campaigns.participants.statements import LinkSql
from app.kit.db import SYSTEM, Scope, Tx
from tests.domains.campaigns.contest import Contest
from tests.domains.campaigns.fair import Fair
from tests.waiting import until

BLOCKED = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
READ = ("participations", "participation_reviews", "task_completions", "point_entries")


async def linked(fair: Fair, participant: UUID, viewer: Viewer) -> None:
    link = await fair.services.links.issue(fair.alice, participant)
    await fair.services.links.link(viewer, link.token)


async def test_participations_have_the_user_of_their_participant(fair: Fair) -> None:
    contest, other = await Contest.begin(fair), await Contest.begin(fair)
    bob, who, somebody = fair.office.bob, await fair.participant(), await contest.join()
    before = await contest.join(who)
    changed_at = (await contest.row(before))["updated_at"]
    assert (await contest.row(before))["user_id"] is None
    await linked(fair, who, bob)
    after = await other.join(who)
    assert [(await contest.row(each))["user_id"] for each in (before, after)] == [bob.user_id] * 2
    assert (await contest.row(before))["updated_at"] > changed_at
    await fair.services.links.unlink(fair.alice, who)
    assert [(await contest.row(each))["user_id"] for each in (before, after)] == [None] * 2
    await linked(fair, who, bob)
    await fair.services.links.unlink_self(bob, who)
    assert [(await contest.row(each))["user_id"] for each in (before, after)] == [None] * 2
    await linked(fair, who, bob)
    await fair.services.erasure.erase(fair.alice, who)
    assert [(await contest.row(each))["user_id"] for each in (before, after)] == [None] * 2
    assert (await contest.row(somebody))["user_id"] is None
    await contest.assert_sound()


async def test_they_have_none_once_the_user_is_no_more(fair: Fair) -> None:
    contest = await Contest.begin(fair)
    id = await contest.join(by=fair.office.bob)
    assert (await contest.row(id))["user_id"] == fair.office.bob.user_id
    assert await fair.rows(SYSTEM, f"DELETE FROM users WHERE id = '{fair.office.bob.user_id}'") == 1
    assert (await contest.row(id))["user_id"] is None
    await contest.assert_sound()


async def test_who_joins_while_they_are_linked_and_unlinked_is_nobody_else(fair: Fair) -> None:
    await fair.office.owner.execute("UPDATE tenants SET max_projects = 40")
    contests = [await Contest.begin(fair) for _ in range(40)]
    who, bob = await fair.participant(), fair.office.bob

    async def link_and_unlink() -> None:
        for number in range(10):
            await linked(fair, who, bob)
            if number < 9:
                await fair.services.links.unlink(fair.alice, who)

    await asyncio.gather(link_and_unlink(), *(contest.join(who) for contest in contests))
    own = f"SELECT count(*) FROM participations WHERE user_id = '{bob.user_id}'"
    assert await contests[0].number(own) == 40
    await contests[0].assert_sound()


async def test_who_joins_waits_for_who_links_them(fair: Fair) -> None:
    contest, who, bob, linked_now = (
        await Contest.begin(fair),
        await fair.participant(),
        fair.office.bob,
        asyncio.Event(),
    )

    async def is_waiting() -> bool:
        return await contest.number(BLOCKED) > 0

    async def link(tx: Tx) -> None:
        await tx.execute(LinkSql.set_user, who, bob.user_id)
        linked_now.set()
        # Committed once the other waits.
        await until(is_waiting)

    linking = asyncio.create_task(fair.office.database.write(SYSTEM, link))
    await linked_now.wait()
    joining = asyncio.create_task(contest.join(who))
    await linking
    assert (await contest.row(await joining))["user_id"] == bob.user_id
    await contest.assert_sound()


async def test_a_user_reads_what_is_about_them_until_they_are_unlinked(fair: Fair) -> None:
    contest, bob = await Contest.begin(fair), fair.office.bob
    task, scope = await contest.task(), Scope(user_id=fair.office.bob.user_id)
    for id in (await contest.join(by=bob), await contest.join()):
        await contest.complete(id, task)
        await fair.services.participations.ban(fair.alice, id, "No.", fair.office.key)
    assert [await fair.rows(scope, f"SELECT FROM {table}") for table in READ] == [1, 1, 1, 1]
    [who] = await fair.office.owner.fetch("SELECT id FROM participants WHERE user_id = $1", bob.user_id)
    await fair.services.links.unlink_self(bob, who["id"])
    assert [await fair.rows(scope, f"SELECT FROM {table}") for table in READ] == [0, 0, 0, 0]
