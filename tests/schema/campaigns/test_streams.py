"""Projects and participations as streams: each event once, in order, for who may see it; and what is gone since."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import pytest_asyncio
from redis.asyncio import Redis

from app.domains.accounts.model import Viewer
from app.domains.accounts.services import AccountsServices
from app.domains.campaigns.participations.model import Verification, VerificationStatus
from app.domains.campaigns.projects.model import ProjectChanges
from app.domains.campaigns.services import CampaignsServices
from app.domains.campaigns.tasks.model import AnswerProof, ProofKind, Quiz, TextProof
from app.domains.tenancy.services import TenancyServices
from app.domains.tenancy.tenants.model.tenants import MemberRole, Tenancy
from app.engine.declarations.nodes import global_id
from app.engine.streams.iterator import Failed
from app.engine.streams.model import Delivery, Transport
from app.kit.db import Database
from app.kit.process_rpc import ProcessRpc
from app.main import Application, build_runtime
from app.transport.runtime import AppRuntime, Caller
from tests.conftest import Execute
from tests.databases import Owner
from tests.domains.campaigns.contest import Contest
from tests.domains.campaigns.fair import Fair, in_test_mode
from tests.domains.tenancy.office import Office
from tests.engine.support import NOBODY
from tests.factories import CLIENT, register
from tests.kit.event_pipeline import hub_of, relaying
from tests.pulled_events import iterate
from tests.waiting import until

PROJECT = """subscription {{ projectUpdates(projectKey: "{key}") {{
  cursor kind project {{ key name totalParticipants }} task {{ taskKey }} participantCount completionCount
}} }}"""
PARTICIPATION = """subscription {{ participationUpdates(projectKey: "{key}") {{
  cursor kind points level pointsAdded participation {{ id status points }} completion {{ status task {{ taskKey }} }}
}} }}"""


@dataclass
class Gallery:
    """The graph with a relay, and a contest that is watched."""

    runtime: AppRuntime
    fair: Fair
    contest: Contest

    async def watching(
        self, document: str, by: Tenancy | Viewer | None, count: int, after: str | None = None
    ) -> "asyncio.Task[Any]":
        """A task for the first events, or the codes of a refusal. It is subscribed, or has ended."""
        text = document.format(key=self.contest.key)
        prepared = self.runtime.engine.prepare(text, None, None, introspection_allowed=True)
        assert not isinstance(prepared, list), prepared
        tenancy = by if isinstance(by, Tenancy) else None
        viewers = {each.user_id: each for each in (self.fair.office.alice, self.fair.office.bob)}
        viewer = by if isinstance(by, Viewer) else viewers.get(tenancy.user_id) if tenancy and tenancy.user_id else None
        context = self.runtime.new_context(Caller(viewer, CLIENT, "test", from_browser=False, tenancy=tenancy))
        before = len(self.runtime.subscriptions)

        async def take() -> list[Any]:
            taken: list[Any] = []
            stream = iterate(self.runtime.subscriptions, prepared, context, Transport.SSE, NOBODY, after=after)
            async with aclosing(stream):
                while len(taken) < count:
                    delivery = await anext(stream)
                    if isinstance(delivery, Failed):
                        return [*taken, *(error["extensions"]["code"] for error in delivery.errors)]
                    assert isinstance(delivery, Delivery)
                    response = json.loads(delivery.body)
                    assert "errors" not in response, response
                    taken += response["data"].values()
            return taken

        task = asyncio.create_task(take())
        await until(lambda: len(self.runtime.subscriptions) > before or task.done())
        return task


@pytest_asyncio.fixture
async def gallery(
    application: Application, redis: Redis, owner: Owner, database: Database, clock: Any
) -> AsyncIterator[Gallery]:
    services = application.services
    alice, bob = await register(services), await register(services, "bob@example.com")
    mail_queue = services[AccountsServices].mail_queue
    office = Office(services[TenancyServices], mail_queue, application.database, owner, clock, alice, bob)
    await office.found()
    fair = Fair(office, services[CampaignsServices], await office.acting())
    async with relaying(application.database, redis), hub_of(application.events, redis) as hub:
        runtime = build_runtime(application, hub, ProcessRpc(redis))
        yield Gallery(runtime, fair, await Contest.begin(fair))


def kinds(events: list[Any]) -> list[str]:
    return [each["kind"] for each in events]


async def test_a_public_project_is_followed_by_everybody_until_it_is_no_longer_seen(gallery: Gallery) -> None:
    fair, contest = gallery.fair, gallery.contest
    nobody, member = [await gallery.watching(PROJECT, each, 5) for each in (None, fair.alice)]
    task = await contest.task()
    await contest.complete(await contest.join(), task)
    await fair.services.points.announce()
    await fair.services.tasks.archive(fair.alice, task)
    await fair.services.projects.update(fair.alice, contest.project, ProjectChanges(name="Other"))
    await fair.services.projects.update(fair.alice, contest.project, ProjectChanges(is_public=False))
    seen = await member
    assert kinds(seen) == ["TASK_DEFINED", "COUNTED", "TASK_ARCHIVED", "CHANGED", "CHANGED"]
    assert (seen[1]["participantCount"], seen[1]["completionCount"], seen[0]["participantCount"]) == (1, 1, None)
    assert [each["task"] is not None for each in seen] == [True, False, True, False, False]
    shown = await nobody
    # Nobody is shown anything from then on; what came before may have been delivered before or not.
    assert shown[-1] == "NOT_FOUND"
    assert kinds(shown[:-1]) == kinds(seen)[: len(shown) - 1]
    assert await (await gallery.watching(PROJECT, None, 1)) == ["NOT_FOUND"]
    assert await (await gallery.watching(PROJECT, fair.office.bob, 1)) == ["NOT_FOUND"]
    # Those who may continue where they were.
    again = await gallery.watching(PROJECT, fair.alice, 3, after=seen[1]["cursor"])
    assert [each["cursor"] for each in await again] == [each["cursor"] for each in seen[2:]]


async def test_members_follow_all_and_who_takes_part_themself(gallery: Gallery) -> None:
    fair, contest, bob = gallery.fair, gallery.contest, gallery.fair.office.bob
    assert await (await gallery.watching(PARTICIPATION, None, 1)) == ["UNAUTHENTICATED"]
    assert await (await gallery.watching(PARTICIPATION, bob, 1)) == ["NOT_FOUND"]
    assert await (await gallery.watching(PARTICIPATION, in_test_mode(fair.alice), 1)) == ["NOT_FOUND"]
    own_id, other = await contest.join(by=bob), await contest.join()
    everything = await gallery.watching(PARTICIPATION, fair.alice, 9)
    own = await gallery.watching(PARTICIPATION, bob, 4)
    quiz = await contest.task(ProofKind.QUIZ, quiz=Quiz("42"), points=100)
    await contest.adjust(other, 5)
    await contest.complete(own_id, quiz, AnswerProof("42"))
    services = fair.services.participations
    await services.verify(fair.alice, own_id, Verification(VerificationStatus.VERIFIED), "verify")
    await services.ban(fair.alice, other, "Spam", "ban")
    await fair.services.joining.unban(fair.alice, other, "unban")
    await services.leave(fair.alice, other, "leave")
    await services.leave(bob, own_id, "leave")
    events = await everything
    assert kinds(events) == [
        "POINTS", "COMPLETION", "POINTS", "LEVEL", "VERIFICATION", "BANNED", "UNBANNED", "LEFT", "LEFT",
    ]  # fmt: skip
    assert [(each["points"], each["level"], each["pointsAdded"]) for each in events[:4]] == [
        ("5", 1, "5"),
        ("0", 1, None),
        ("100", 2, "100"),
        ("100", 2, None),
    ]
    assert events[1]["completion"] == {"status": "ACCEPTED", "task": {"taskKey": "task"}}
    shown = await own
    assert kinds(shown) == ["COMPLETION", "POINTS", "LEVEL", "VERIFICATION"]
    assert {each["participation"]["id"] for each in shown} == {events[1]["participation"]["id"]}
    # Each continues in what is their own only.
    again = await gallery.watching(PARTICIPATION, bob, 4, after=shown[0]["cursor"])
    assert kinds(await again) == ["POINTS", "LEVEL", "VERIFICATION", "LEFT"]
    assert await (await gallery.watching(PARTICIPATION, bob, 1, after=events[0]["cursor"])) == ["RESYNC_REQUIRED"]


async def test_of_another_tenant_and_of_nobody_there_is_nothing_to_follow(gallery: Gallery) -> None:
    fair, contest = gallery.fair, gallery.contest
    viewer = await fair.office.join(fair.office.bob, MemberRole.VIEWER)
    await fair.office.found("other", by=fair.office.bob)
    other = await fair.office.acting(fair.office.bob, "other")
    assert await (await gallery.watching(PARTICIPATION, other, 1)) == ["NOT_FOUND"]
    watched = await gallery.watching(PARTICIPATION, viewer, 3)
    await contest.join()
    # Who is no member any more receives nothing further.
    await fair.office.owner.execute("DELETE FROM tenant_members WHERE user_id = $1", fair.office.bob.user_id)
    await contest.join()
    await contest.join()
    shown = await watched
    assert shown[-1] == "NOT_FOUND"
    assert len(shown) < 3


async def test_a_replay_of_what_is_gone_says_so(gallery: Gallery, execute: Execute) -> None:
    fair, contest = gallery.fair, gallery.contest
    who = await fair.participant()
    id = await contest.join(who)
    task = await contest.task(ProofKind.MANUAL)
    completion = await contest.complete(id, task, TextProof("x"))
    ids = {"participationId": global_id("Participation", id)}
    calls: dict[str, dict[str, Any]] = {
        "verifyParticipation": ids | {"verificationStatus": "VERIFIED"},
        "adjustPoints": ids | {"points": "5", "pointReason": "BONUS", "note": "x"},
        "reviewCompletion": {"id": global_id("TaskCompletion", completion), "accepted": False},
        "completeTask": ids | {"taskId": global_id("Task", task), "proof": {"text": "x"}},
        "leaveProject": ids,
        "joinProject": {"projectKey": contest.key, "participantId": global_id("Participant", who)},
        "banParticipant": ids | {"banReason": "x"},
        "unbanParticipant": ids,
    }

    async def call(name: str) -> str:
        kind = f"{name[0].upper()}{name[1:]}Input"
        document = f"mutation($input: {kind}!) {{ {name}(input: $input) {{ __typename }} }}"
        given = {"input": calls[name] | {"idempotencyKey": f"gone {name}"}}
        response = await execute(document, given, fair.office.alice, tenancy=fair.alice)
        assert response.errors == []
        data: Any = response.data
        return str(data[name]["__typename"])

    for name in calls:
        assert await call(name) == f"{name[0].upper()}{name[1:]}Payload"
    await fair.office.owner.execute("DELETE FROM participations")
    assert {await call(name) for name in calls} == {"ResultDeleted"}
