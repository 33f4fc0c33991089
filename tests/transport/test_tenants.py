"""The tenant that a request names, and what becomes of connections when the membership in it ends."""

import asyncio
from uuid import uuid4

import httpx
import pytest_asyncio

from app.domains.accounts.model import SESSIONS_STREAM, Client, Viewer
from app.domains.tenancy.tenants.model.tenants import MemberRole, SubscriptionStatus, Tenancy
from app.kit.db import SYSTEM
from app.kit.errors import Unavailable
from app.kit.events import Fact
from app.transport.callers import NO_TENANT
from tests.transport.client import begin, closed, subscribe, whoami
from tests.transport.stage import Stage
from tests.transport.support import ALICE, TOKEN, Witness, ask, build, client_for
from tests.waiting import HANG_S, until

ENDED = (4403, "The session was ended.")


def member(viewer: Viewer, slug: str = "acme") -> Tenancy:
    return Tenancy(
        tenant_id=uuid4(),
        slug=slug,
        status=SubscriptionStatus.ACTIVE,
        user_id=viewer.user_id,
        membership_id=uuid4(),
        role=MemberRole.OWNER,
        client=Client(),
    )


async def acme(viewer: Viewer, slug: str) -> Tenancy | None:
    return member(viewer, slug) if slug == "acme" else None


async def broken(viewer: Viewer, slug: str) -> Tenancy | None:
    raise Unavailable


async def test_a_request_acts_in_the_tenant_that_its_header_names() -> None:
    witness = Witness()
    client = client_for(build(witness=witness, tenancy_of=acme))
    bearer = {"authorization": f"Bearer {TOKEN}"}
    for headers in (
        {"x-moneta-tenant": "acme", **bearer},
        {"x-moneta-tenant": "other", **bearer},
        {"x-moneta-tenant": "", **bearer},
        {"x-moneta-tenant": "acme"},
        bearer,
    ):
        assert (await ask(client, "{ who }", **headers)).status_code == 200
    found = [(each.tenancy and each.tenancy.user_id, each.tenant_refusal) for each in witness.callers]
    assert found == [(ALICE, None), (None, NO_TENANT), (None, None), (None, NO_TENANT), (None, None)]


async def test_a_tenant_that_cannot_be_looked_up_is_no_other() -> None:
    client = client_for(build(tenancy_of=broken))
    response = await ask(client, "{ who }", authorization=f"Bearer {TOKEN}", **{"x-moneta-tenant": "acme"})
    assert response.status_code == 503
    assert response.json()["errors"][0]["extensions"]["code"] == "MAINTENANCE"


async def end(stage: Stage, tenancy: Tenancy) -> None:
    fact = Fact(SESSIONS_STREAM, "session.revoked", {"session_id": str(tenancy.membership_id)})
    await stage.database.write(SYSTEM, lambda tx: stage.events.append(tx, [fact]))


async def test_a_socket_names_its_tenant_and_closes_with_the_membership(stage: Stage) -> None:
    alice = stage.log_in("alice")
    tenancy = stage.tenancies[alice.user_id, "acme"] = member(alice)
    async with stage.connect() as socket, stage.connect() as elsewhere, stage.connect() as other:
        await begin(socket, {"authorization": "Bearer alice", "tenant": "acme"})
        await begin(elsewhere, {"authorization": "Bearer alice", "tenant": "unknown"})
        await begin(other, {"authorization": "Bearer alice"})
        await subscribe(socket, "s", "subscription { facts { n } }")
        await until(lambda: stage.open == 1)
        await end(stage, tenancy)
        assert await closed(socket) == ENDED
        assert await whoami(elsewhere) == await whoami(other) == str(alice.user_id)
    await until(lambda: stage.runtime.sessions.watching == 0)


async def test_a_session_that_ends_closes_a_socket_in_a_tenant(stage: Stage) -> None:
    alice = stage.log_in("alice")
    stage.tenancies[alice.user_id, "acme"] = member(alice)
    async with stage.connect() as socket:
        await begin(socket, {"authorization": "Bearer alice", "tenant": "acme"})
        await stage.revoke(alice)
        assert await closed(socket) == ENDED
    await until(lambda: stage.runtime.sessions.watching == 0)


async def test_a_socket_goes_on_in_its_tenant_with_a_new_token(stage: Stage) -> None:
    alice = stage.log_in("alice")
    tenancy = stage.tenancies[alice.user_id, "acme"] = member(alice)
    async with stage.connect() as socket:
        await begin(socket, {"authorization": "Bearer alice", "tenant": "acme"})
        await socket.send('{"type": "ping", "payload": {"token": "alice"}}')
        assert await socket.recv() == '{"type":"pong"}'
        await end(stage, tenancy)
        assert await closed(socket) == ENDED


@pytest_asyncio.fixture
async def client(stage: Stage) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=stage.url, timeout=HANG_S)


async def test_a_stream_of_events_ends_with_the_membership(client: httpx.AsyncClient, stage: Stage) -> None:
    alice = stage.log_in("alice")
    tenancy = stage.tenancies[alice.user_id, "acme"] = member(alice)
    headers = {"accept": "text/event-stream", "authorization": "Bearer alice", "x-moneta-tenant": "acme"}
    asking = asyncio.create_task(
        client.post("/graphql", json={"query": "subscription { facts { n } }"}, headers=headers)
    )
    await until(lambda: stage.open == 1)
    await end(stage, tenancy)
    assert "The session was ended." in (await asking).text
    await client.aclose()
