"""Leaderboards, live: at once, the latest state after each change, once for all who watch the same."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from app.domains.accounts.model import Viewer
from app.domains.accounts.services import AccountsServices
from app.domains.campaigns.leaderboards.model import leaderboard_topic
from app.domains.campaigns.participants.model import Attribute
from app.domains.campaigns.projects.model import ProjectChanges
from app.domains.campaigns.services import CampaignsServices
from app.domains.tenancy.services import TenancyServices
from app.domains.tenancy.tenants.model.tenants import MemberRole, Tenancy
from app.engine.declarations.nodes import global_id
from app.engine.streams.model import Transport
from app.engine.streams.subscription import Subscription
from app.kit.process_rpc import ProcessRpc
from app.kit.volatile import latest_key
from app.main import Application, build_runtime
from app.transport.runtime import AppRuntime, Caller
from tests.databases import Owner
from tests.domains.campaigns.contest import Contest
from tests.domains.campaigns.fair import Fair, in_test_mode
from tests.domains.tenancy.office import Office
from tests.engine.support import NOBODY
from tests.factories import CLIENT, register
from tests.kit.event_pipeline import hub_of
from tests.schema.market.prices.test_ticks import Inbox
from tests.waiting import until

BOARD = """subscription($key: String!, $first: Int) { leaderboard(projectKey: $key, first: $first) {
  topEntries { rank points level publicName }
} }"""
MINE = """subscription($key: String!, $first: Int) { leaderboard(projectKey: $key, first: $first) {
  topEntries { rank participationId participation { id rank points } }
} }"""


@dataclass
class Stage:
    """The graph, and a project whose leaderboard is watched."""

    runtime: AppRuntime
    fair: Fair
    contest: Contest

    async def attempt(
        self, query: str, inbox: Inbox, by: Tenancy | Viewer | None, **given: Any
    ) -> Subscription | list[dict[str, Any]]:
        variables = {"key": self.contest.key, **given}
        prepared = self.runtime.engine.prepare(query, None, variables, introspection_allowed=True)
        assert not isinstance(prepared, list), prepared
        office, tenancy = self.fair.office, by if isinstance(by, Tenancy) else None
        viewers = {each.user_id: each for each in (office.alice, office.bob)}
        viewer = by if isinstance(by, Viewer) else viewers.get(tenancy.user_id) if tenancy and tenancy.user_id else None
        context = self.runtime.new_context(Caller(viewer, CLIENT, "test", from_browser=False, tenancy=tenancy))
        return await self.runtime.subscriptions.open(prepared, context, inbox, Transport.WEBSOCKET, NOBODY)

    async def open(self, query: str = BOARD, by: Tenancy | Viewer | None = None, **given: Any) -> Inbox:
        """A subscriber who has received the first state."""
        inbox = Inbox()
        opened = await self.attempt(query, inbox, by, **given)
        assert isinstance(opened, Subscription), opened
        await until(lambda: bool(inbox.taken))
        return inbox

    async def refused(self, by: Tenancy | Viewer | None, **given: Any) -> str:
        opened = await self.attempt(BOARD, Inbox(), by, **given)
        assert isinstance(opened, list)
        return str(opened[0]["extensions"]["code"])

    async def announce(self) -> int:
        return await self.fair.services.leaderboards.announce()


@pytest_asyncio.fixture
async def stage(application: Application, redis: Redis, owner: Owner, clock: Any) -> AsyncIterator[Stage]:
    services = application.services
    alice, bob = await register(services), await register(services, "bob@example.com")
    mail_queue = services[AccountsServices].mail_queue
    office = Office(services[TenancyServices], mail_queue, application.database, owner, clock, alice, bob)
    await office.found()
    fair = Fair(office, services[CampaignsServices], await office.acting())
    async with hub_of(application.events, redis) as hub:
        runtime = build_runtime(application, hub, ProcessRpc(redis))
        yield Stage(runtime, fair, await Contest.begin(fair))
        runtime.subscriptions.stop()


def entry(rank: int, points: int, name: str | None = None, level: int = 1) -> dict[str, Any]:
    return {"rank": rank, "points": str(points), "level": level, "publicName": name}


async def test_it_is_there_at_once_and_then_after_changes(stage: Stage) -> None:
    contest, fair = stage.contest, stage.fair
    inbox = await stage.open()
    assert inbox.taken == [{"topEntries": []}]
    named = await fair.participant(attributes=(Attribute("public_name", "Ann"),))
    ids = [await contest.join(named), await contest.join()]
    assert await stage.announce() == 1
    await until(lambda: len(inbox.taken) == 2)
    assert inbox.taken[1]["topEntries"] == sorted(
        [entry(1, 0, "Ann"), entry(1, 0)], key=lambda each: (ids[0] > ids[1]) == (each["publicName"] is None)
    )
    # What happens between two announcements is one state.
    for _ in range(20):
        await contest.adjust(ids[0], 5)
    await contest.adjust(ids[1], 7)
    assert await stage.announce() == 1
    await until(lambda: len(inbox.taken) == 3)
    assert inbox.taken[2]["topEntries"] == [entry(1, 100, "Ann", 2), entry(2, 7)]
    assert await stage.announce() == 0
    # Who comes later has the latest state at once, of as many as they ask for.
    later = await stage.open(first=1)
    assert later.taken == [{"topEntries": [entry(1, 100, "Ann", 2)]}]
    assert len(inbox.taken) == 3


async def test_equal_subscribers_share_an_execution(stage: Stage) -> None:
    fair, runtime = stage.fair, stage.runtime
    bob = await fair.office.join(fair.office.bob, MemberRole.VIEWER)
    callers = (None, None, fair.office.alice, fair.office.bob, fair.alice, bob)
    inboxes = [await stage.open(BOARD, each) for each in callers]
    assert runtime.subscriptions.groups == 1
    before = runtime.subscriptions.counters.executions
    await stage.contest.join()
    await stage.announce()
    await until(lambda: all(len(each.taken) == 2 for each in inboxes))
    assert runtime.subscriptions.counters.executions == before + 1
    # What is the viewer's alone is executed for each.
    own = [await stage.open(MINE, each) for each in (fair.alice, None)]
    assert runtime.subscriptions.groups == 3
    [participation] = await fair.office.owner.fetch("SELECT id FROM participations")
    id = global_id("Participation", participation["id"])
    assert [each.taken[0]["topEntries"] for each in own] == [
        [{"rank": 1, "participationId": id, "participation": {"id": id, "rank": 1, "points": "0"}}],
        [{"rank": 1, "participationId": id, "participation": None}],
    ]


async def test_one_that_is_hidden_is_for_the_members_of_the_tenant(stage: Stage) -> None:
    fair, contest = stage.fair, stage.contest
    anonymous = await stage.open()
    await fair.services.projects.update(fair.alice, contest.project, ProjectChanges(is_public=False))
    bob = await fair.office.join(fair.office.bob, MemberRole.VIEWER)
    members = [await stage.open(BOARD, each) for each in (fair.alice, fair.alice, bob)]
    # Of a tenant, those of one role.
    assert stage.runtime.subscriptions.groups == 3
    for each in (None, fair.office.bob, in_test_mode(fair.alice)):
        assert await stage.refused(each) == "NOT_FOUND"
    await contest.join()
    await stage.announce()
    await until(lambda: all(len(each.taken) == 2 for each in members))
    # Who does not see it any more learns nothing but that.
    await until(lambda: anonymous.errors is not None)
    assert anonymous.errors is not None
    assert [each["extensions"]["code"] for each in anonymous.errors] == ["NOT_FOUND"]
    assert anonymous.taken == [{"topEntries": []}]


async def test_a_reader_who_is_slow_has_the_latest_state_later(stage: Stage) -> None:
    slow, quick = await stage.open(), await stage.open()
    slow.full = True
    for _ in range(5):
        seen = len(quick.taken)
        await stage.contest.join()
        await stage.announce()
        await until(lambda: len(quick.taken) > seen)  # noqa: B023  # awaited at once
    assert len(quick.taken) == 6
    assert len(slow.taken) == 1
    slow.full = False
    [member] = [each for each in stage.runtime.subscriptions._by_id.values() if each.sink is slow]
    member.resume()
    await until(lambda: len(slow.taken) == 2)
    assert slow.taken[1] == quick.taken[-1]


async def test_what_cannot_be_followed_is_refused(stage: Stage) -> None:
    for wrong in (0, 101, -1):
        assert await stage.refused(None, first=wrong) == "BAD_USER_INPUT"
    assert await stage.refused(None, key="proj_000000000000") == "NOT_FOUND"


async def test_ranks_are_right_without_redis_and_changes_are_announced_when_it_is_back(
    stage: Stage, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    contest, fair = stage.contest, stage.fair
    inbox = await stage.open()
    await contest.adjust(await contest.join(), 5)
    topics = fair.services.leaderboards.volatile

    async def lost(*_: Any, **__: Any) -> bool:
        return False

    with monkeypatch.context() as patched:
        patched.setattr(topics, "_publish_all", lost)
        assert await stage.announce() == 0
    await redis.delete(latest_key(leaderboard_topic(contest.project)))
    assert len(inbox.taken) == 1
    assert await stage.announce() == 1
    await until(lambda: len(inbox.taken) == 2)
    assert inbox.taken[1]["topEntries"] == [entry(1, 5)]
