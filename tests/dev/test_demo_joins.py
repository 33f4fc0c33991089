"""Who joins while the demo runs."""

import pytest

from app.dev import demo_joins
from app.dev.demo_campaigns import load_demo_campaigns
from app.dev.demo_joins import keep_joining
from app.kit.clock import FixedClock
from app.kit.house import Services
from tests.databases import Owner
from tests.domains.campaigns.contest import UNSOUND
from tests.factories import register

JOINED = """SELECT p.username, count(t.id) FROM participations j JOIN participants p ON p.id = j.participant_id
    LEFT JOIN task_completions t ON t.participation_id = j.id WHERE p.username LIKE 'live%' GROUP BY 1 ORDER BY 1"""


async def test_some_join_and_no_more_than_may(
    services: Services, clock: FixedClock, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    await load_demo_campaigns(services, clock, await register(services))
    monkeypatch.setattr(demo_joins, "PAUSES_S", (0.0, 0.0))
    for most in (3, 5, 5):
        monkeypatch.setattr(demo_joins, "MOST", most)
        await keep_joining(services, "alice@example.com")
        joined = await owner.fetch(JOINED)
        assert [row[0] for row in joined] == [f"live{number:04d}" for number in range(most)]
    assert 0 < sum(row[1] for row in joined) <= 5
    assert [row[0] for row in await owner.fetch(UNSOUND)] == []


async def test_where_nobody_can_join_it_ends(services: Services, clock: FixedClock, owner: Owner) -> None:
    await keep_joining(services, "alice@example.com")
    await load_demo_campaigns(services, clock, await register(services))
    await owner.execute("UPDATE tenants SET subscription_status = 'suspended'")
    await keep_joining(services, "alice@example.com")
    assert await owner.fetch(JOINED) == []
