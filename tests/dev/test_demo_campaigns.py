"""The demo's tenant."""

from app.dev.demo_campaigns import PARTICIPANTS, PROJECTS, load_demo_campaigns
from app.kit.clock import FixedClock
from app.kit.db import PUBLIC
from app.kit.house import Services
from tests.databases import Owner
from tests.domains.campaigns.contest import UNSOUND
from tests.factories import register


async def test_the_demo_has_a_tenant_with_public_projects_and_participants_once(
    services: Services, clock: FixedClock, owner: Owner
) -> None:
    alice, now = await register(services), clock.now()
    assert await load_demo_campaigns(services, clock, alice)
    assert clock.now() == now
    assert not await load_demo_campaigns(services, clock, alice)
    async with owner.transaction():
        await owner.execute(f"SET LOCAL ROLE moneta_app; {PUBLIC.settings()}")
        assert {row[0] for row in await owner.fetch("SELECT key FROM projects")} == {*PROJECTS}
    row = await owner.fetchrow(
        "SELECT count(*), sum(total_referrals), count(referred_by), max(created_at) <= $1 FROM participants", now
    )
    assert row is not None
    assert (row[0], row[1], row[3]) == (PARTICIPANTS, row[2], True)
    assert row[2] > 0
    assert [row[0] for row in await owner.fetch(UNSOUND)] == []
    taken = await owner.fetchrow(
        "SELECT count(*), count(DISTINCT project_id), count(DISTINCT level) > 2, max(joined_at) <= $1,"
        " (SELECT count(*) FROM task_completions WHERE status = 'pending') > 20 FROM participations",
        now,
    )
    assert taken is not None
    assert tuple(taken) == (PARTICIPANTS, 2, True, True, True)
    await owner.execute("UPDATE tenants SET deleted_at = now()")
    assert not await load_demo_campaigns(services, clock, alice)
