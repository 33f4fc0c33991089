"""Many at once over a few connections, some of whom go away half way: nobody meets what is another's."""

import asyncio
import contextlib
import json
import random
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import pytest

from app.domains.campaigns.participants.loaders import participant_by_id, participants_by_tenant
from app.domains.campaigns.participants.model import NewParticipant, ParticipantChanges
from app.domains.campaigns.projects.loaders import project_by_id, projects_by_tenant
from app.domains.campaigns.projects.model import FixedDistribution, NewProject, ProjectChanges
from app.domains.campaigns.services import CampaignsServices
from app.domains.campaigns.tasks.model import NewTask, ProofKind
from app.domains.tenancy.api_keys.model import NewApiKey
from app.domains.tenancy.services import TenancyServices
from app.domains.tenancy.tenants.model.tenants import Tenancy, TenantChanges
from app.engine.declarations.nodes import global_id
from app.kit.db import Database
from app.kit.errors import Problem
from app.kit.house import Services
from app.kit.lists import page_request
from app.kit.reads import Reads
from app.schema.context import scope_of
from tests.conftest import Execute
from tests.databases import Owner
from tests.factories import CLIENT
from tests.graph.isolation.estates import Asker, Estates, found
from tests.graph.world import World
from tests.waiting import elapse, until

TASKS: Final = 200
CONNECTIONS: Final = 5
CANCELLED: Final = 0.3
"""How many of all tasks are cancelled."""
MARKS: Final = re.compile(r"mark-(acme|globex)-(live|test)")
OFFICE: Final = """{ tenant { slug
    projects(first: 20) { totalCount { value } nodes { id name } }
    participants(first: 20) { nodes { id username } }
    apiKeys(first: 20) { nodes { id name } } } }"""
THINGS: Final = """query Things($ids: [ID!]!) { nodes(ids: $ids) { __typename id
    ... on Project { name } ... on Participant { username } ... on ApiKey { name } } }"""
RENAME: Final = """mutation Rename($input: UpdateProjectInput!) { updateProject(input: $input) { __typename
    ... on UpdateProjectPayload { project { id name } } } }"""
OWN: Final = "{ viewer { participants(first: 20) { nodes { id username } } } }"


@pytest.fixture
def pool_size() -> int:
    """A few connections, so that each serves everybody."""
    return CONNECTIONS


def mark_of(tenancy: Tenancy) -> str:
    """What is in the name of everything of a tenant in a mode."""
    return f"mark-{tenancy.slug}-{'live' if tenancy.livemode else 'test'}"


@dataclass
class Crowd:
    """What its members do, and what they have met."""

    services: Services
    database: Database
    execute: Execute
    projects: dict[str, UUID]
    keys: dict[str, str]
    """Of the projects."""
    participants: dict[str, UUID]
    chance: random.Random
    number: int = 0
    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    foreign: list[str] = field(default_factory=list)

    @property
    def ids(self) -> list[str]:
        """Everything, whosever it is."""
        return [
            *(global_id("Project", each) for each in self.projects.values()),
            *(global_id("Participant", each) for each in self.participants.values()),
        ]

    def key(self) -> str:
        """Another idempotency key."""
        self.number += 1
        return f"crowd-{self.number}"

    def look(self, who: str, mark: str, answer: Any) -> None:
        """Keeps what of an answer is somebody else's."""
        text = answer if isinstance(answer, str) else json.dumps(answer, default=str)
        if others := {each.group() for each in MARKS.finditer(text)} - {mark}:
            self.foreign.append(f"{who} met {others}")

    async def act(self, asker: Asker, mark: str) -> None:
        """Does something."""
        acts = [self._graph, self._loaders] if asker.tenancy is None else [self._graph, self._loaders, self._write] * 2
        act: Callable[[Asker, str], Awaitable[None]] = self.chance.choice(acts)
        try:
            await act(asker, mark)
        except Problem as problem:
            self.refused[type(problem).__name__] += 1
        else:
            self.done[f"{asker.name}: {act.__name__}"] += 1

    async def _graph(self, asker: Asker, mark: str) -> None:
        document, variables = self.chance.choice(
            [(OFFICE, None), (THINGS, {"ids": self.ids})]
            if asker.viewer is None
            else [(OFFICE, None), (THINGS, {"ids": self.ids}), (OWN, None)]
        )
        if asker.tenancy is not None and self.chance.random() < 0.5:
            renamed = self.chance.choice([*self.projects])
            given = {"id": global_id("Project", self.projects[renamed]), "name": f"Named {self.key()} {renamed}"}
            answer = await self.execute(RENAME, {"input": given}, asker.viewer, tenancy=asker.tenancy)
            if renamed != mark:
                assert answer.data == {"updateProject": {"__typename": "NotFound"}}
                return
        else:
            answer = await self.execute(document, variables, asker.viewer, tenancy=asker.tenancy)
        self.look(asker.name, mark, answer.data)

    async def _loaders(self, asker: Asker, mark: str) -> None:
        reads = Reads(self.database, scope_of(asker.viewer, asker.tenancy))
        try:
            for one, keys in ((project_by_id, self.projects), (participant_by_id, self.participants)):
                records = await asyncio.gather(*(reads.one(one, each) for each in keys.values()))
                self.look(asker.name, mark, [str(each) for each in records])
            if (tenancy := asker.tenancy) is not None:
                for page in (projects_by_tenant, participants_by_tenant):
                    listed: Any = await reads.page(page, tenancy.tenant_id, page_request(page, 50))
                    self.look(asker.name, mark, [str(each) for each in listed.records])
                    places = {(each.tenant_id, each.livemode) for each in listed.records}
                    assert places == {(tenancy.tenant_id, tenancy.livemode)}
        finally:
            await reads.aclose()

    async def _write(self, asker: Asker, mark: str) -> None:
        by, campaigns, key = found(asker.tenancy), self.services[CampaignsServices], self.key()
        whose = self.chance.choice([*self.projects])
        project, participant = self.projects[whose], self.participants[whose]
        project_key = self.keys[whose]
        task = NewTask(key=key, name=mark, points=1, proof_kind=ProofKind.API)
        about: list[Callable[[], Awaitable[Any]]] = [
            lambda: campaigns.participants.update(by, participant, ParticipantChanges(username=f"{key} {whose}")),
            lambda: campaigns.projects.update(by, project, ProjectChanges(name=f"{key} {whose}")),
            lambda: campaigns.tasks.define(by, project, task),
            lambda: campaigns.joining.join(by, project_key, participant, key),
        ]
        others: list[Callable[[], Awaitable[Any]]] = [
            lambda: campaigns.participants.create(by, NewParticipant(username=f"{key} {mark}"), key),
        ]
        if asker.viewer is not None:
            tenancy = self.services[TenancyServices]
            others += [
                lambda: tenancy.tenants.update(by, TenantChanges(name=f"{key} of {by.slug}")),
                lambda: tenancy.api_keys.create(by, NewApiKey(name=mark, scopes=["*:read"]), key),
            ]
        write = self.chance.choice(about + others)
        await write()
        assert whose == mark or write in others, "what is another's was written"


async def askers_of(estates: Estates, world: World, services: Services, owner: Owner) -> list[tuple[Asker, str]]:
    """A member and a key of each tenant in each mode, and a linked user, with what is marked as theirs."""
    linked = estates.askers["a linked user"]
    askers = [(linked, "mark-acme-live")]
    tenancy, viewers = services[TenancyServices], {each.user_id: each for each in world.viewers.values()}
    for name, estate in estates.all.items():
        by = estate.tenancy
        issued = await tenancy.api_keys.create(by, NewApiKey(name=mark_of(by), scopes=["*:read", "*:write"]), name)
        await owner.execute("UPDATE api_keys SET rate_limit_per_minute = 100000, rate_limit_per_hour = 100000")
        acting = found(await tenancy.api_keys.authenticate(found(issued.secret), CLIENT))
        askers += [
            (Asker(f"a member of {name}", viewers[found(by.user_id)], by, name), mark_of(by)),
            (Asker(f"a key of {name}", None, acting, name), mark_of(by)),
        ]
    return askers


async def test_of_200_at_once_over_five_connections_nobody_meets_a_foreign_row(  # noqa: PLR0917  # fixtures
    estates: Estates, world: World, services: Services, owner: Owner, database: Database, execute: Execute
) -> None:
    campaigns, projects, participants = services[CampaignsServices], {}, {}
    await owner.execute("UPDATE tenants SET max_projects = 100000")
    for name, estate in estates.all.items():
        mark = mark_of(estate.tenancy)
        new = NewProject(name=mark, distribution=FixedDistribution(5), is_public=False)
        projects[mark] = await campaigns.projects.create(estate.tenancy, new, f"project of {name}")
        person = NewParticipant(username=mark)
        participants[mark] = await campaigns.participants.create(estate.tenancy, person, f"participant of {name}")
    askers = await askers_of(estates, world, services, owner)
    chance = random.Random(20261130)
    keys = {mark: await owner.fetchval("SELECT key FROM projects WHERE id = $1", id) for mark, id in projects.items()}
    crowd = Crowd(services, database, execute, projects, keys, participants, chance)

    async def one(number: int) -> None:
        asker, mark = askers[number % len(askers)]
        task = asyncio.create_task(crowd.act(asker, mark))
        if chance.random() < CANCELLED:
            for _ in range(chance.randrange(60)):
                await asyncio.sleep(0)
            await elapse(chance.random() * 0.2)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            crowd.done["cancelled"] += task.cancelled()
            return
        await task

    for _ in range(3):
        await asyncio.gather(*(one(number) for number in range(TASKS)))

    print(dict(crowd.done), dict(crowd.refused))
    assert crowd.foreign == []
    assert crowd.done["cancelled"] > 0
    # Who tries another's meets nothing, and everybody does each thing.
    assert crowd.refused["NotFound"] > 0
    assert {"MembersOnly", "Unavailable", "Unauthenticated"}.isdisjoint(crowd.refused)
    everything = {f"{asker.name}: {act}" for asker, _ in askers for act in ("_graph", "_loaders", "_write")}
    everything.remove("a linked user: _write")
    assert everything <= {*crowd.done}
    await assert_idle(database, owner)
    await assert_unmixed(owner)


async def assert_idle(database: Database, owner: Owner) -> None:
    """No connection keeps a scope, and nothing is left open."""
    await until(lambda: not database._discarding)
    assert (database.admission.waiting, database.pool.get_idle_size()) == (0, database.pool.get_size())
    open_ones = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'moneta-test' AND state <> 'idle'"
    assert await owner.fetchval(f"{open_ones} AND datname = current_database()") == 0
    async with contextlib.AsyncExitStack() as opened:
        for _ in range(CONNECTIONS):
            connection = await opened.enter_async_context(database.pool.acquire())
            settings = ("user_id", "tenant_id", "api_key_id", "system", "livemode")
            asked = ", ".join(f"nullif(current_setting('app.{each}', true), '')" for each in settings)
            assert tuple(await connection.fetchrow(f"SELECT {asked}") or ()) == (None,) * len(settings)


async def assert_unmixed(owner: Owner) -> None:
    """What has the mark of a tenant and a mode is theirs."""
    for table, column in (("projects", "name"), ("participants", "username"), ("tasks", "name"), ("api_keys", "name")):
        mixed = await owner.fetch(
            f"SELECT x.{column} FROM {table} x JOIN tenants t ON t.id = x.tenant_id WHERE x.{column} LIKE '%mark-%'"
            f" AND x.{column} NOT LIKE '%mark-' || t.slug || '-' || CASE WHEN x.livemode THEN 'live' ELSE 'test' END"
        )
        assert mixed == []
