"""API keys against the whole application: over HTTP and a socket, from the key's creation to its end."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest_asyncio
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from app.domains.tenancy.services import TenancyServices
from app.kit.hub import Hub
from app.kit.process_rpc import ProcessRpc
from app.kit.pubsub import broadcast_over
from app.main import Application, build_runtime
from app.transport.application import create_app
from app.transport.event_streams import EventStreams
from app.transport.server import serve
from app.transport.sockets import SocketEndpoint
from tests.databases import Owner
from tests.factories import PASSWORD
from tests.graph.world import World
from tests.kit.event_pipeline import relaying
from tests.transport.client import begin, closed, hear, subscribe
from tests.waiting import HANG_S

CREATE = """mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) {
    ... on CreateApiKeyPayload { secret apiKey { id prefix } } } }"""
REVOKE = "mutation ($input: RevokeApiKeyInput!) { revokeApiKey(input: $input) { __typename } }"
OFFICE = "{ tenant { slug members(first: 5) { nodes { tenantRole } } } rateLimit { name callsLeft } }"


@dataclass
class Site:
    """A server of the whole application, and a client of it."""

    application: Application
    url: str
    client: httpx.AsyncClient
    tokens: dict[str, str]

    async def ask(self, query: str, token: str, variables: Any = None, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.post(
            f"{self.url}/graphql",
            json={"query": query, "variables": variables},
            headers={"authorization": f"Bearer {token}", "accept": "application/graphql-response+json", **named},
        )

    async def create(self, key: str, scopes: list[str], **headers: str) -> dict[str, Any]:
        given = {"input": {"name": key, "scopes": scopes, "idempotencyKey": key}}
        answer = await self.ask(CREATE, self.tokens["alice"], given, x_moneta_tenant="acme", **headers)
        assert "no-transform" in answer.headers["cache-control"]
        made: dict[str, Any] = answer.json()["data"]["createApiKey"]
        return made


@asynccontextmanager
async def running(application: Application) -> AsyncIterator[str]:
    hub = Hub(broadcast_over(application.redis), application.events, memory_limit=100)
    runtime = build_runtime(application, hub, ProcessRpc(application.redis))
    await hub.start()
    await runtime.sessions.start()
    sockets, streams = SocketEndpoint(runtime), EventStreams(runtime)
    address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    stop = asyncio.Event()
    app = create_app(runtime, sockets=sockets, stream=streams)
    settings = application.settings.model_copy(update={"port": 0})
    server = asyncio.create_task(
        serve(app, settings, ready=address.set_result, stop=stop, stopping=(streams.close, sockets.close))
    )
    try:
        yield await address
    finally:
        stop.set()
        await server
        await runtime.sessions.stop()
        runtime.subscriptions.stop()
        await hub.stop()
        await application.services[TenancyServices].stop()


@pytest_asyncio.fixture
async def site(world: World, application: Application) -> AsyncIterator[Site]:
    login = """mutation { login(input: { email: "alice@example.com", password: "%s", delivery: BEARER })
        { ... on LoginPayload { accessToken } } }"""
    async with (
        relaying(application.database, application.redis),
        running(application) as url,
        httpx.AsyncClient(trust_env=False, timeout=HANG_S) as client,
    ):
        answer = await client.post(f"{url}/graphql", json={"query": login % PASSWORD})
        token = answer.json()["data"]["login"]["accessToken"]
        yield Site(application, url, client, {"alice": token})


async def test_a_key_from_its_creation_to_its_end(site: Site) -> None:
    made = await site.create("reader", ["tenant:read", "members:read"])
    secret = made["secret"]
    assert secret.startswith(made["apiKey"]["prefix"])
    answer = await site.ask(OFFICE, secret)
    assert answer.status_code == 200
    assert answer.json()["data"]["tenant"] == {
        "slug": "acme", "members": {"nodes": [{"tenantRole": "OWNER"}, {"tenantRole": "VIEWER"}]},
    }  # fmt: skip
    assert answer.headers["ratelimit"].startswith('"minute";r=599;t=')
    assert [each["name"] for each in answer.json()["data"]["rateLimit"]] == ["minute", "hour", "day", "plan", "month"]
    assert (await site.ask("{ viewer { id } }", secret)).status_code in {400, 403}
    assert (await site.ask("{ viewer { __typename } }", secret)).status_code == 403
    assert (await site.ask(OFFICE, secret, x_moneta_tenant="other")).status_code == 403
    socket_url = site.url.replace("http", "ws") + "/graphql"
    protocol = [Subprotocol("graphql-transport-ws")]
    async with connect(
        socket_url, subprotocols=protocol, proxy=None, open_timeout=HANG_S, close_timeout=HANG_S, ping_timeout=HANG_S
    ) as socket:
        await begin(socket, {"authorization": f"Bearer {secret}"})
        await subscribe(socket, "q", OFFICE)
        assert (await hear(socket))["payload"]["data"]["tenant"]["slug"] == "acme"
        assert (await hear(socket))["type"] == "complete"
        await subscribe(socket, "s", "subscription { blocks { block { height } } }")
        given = {"input": {"id": made["apiKey"]["id"]}}
        revoked = await site.ask(REVOKE, site.tokens["alice"], given, x_moneta_tenant="acme")
        assert "errors" not in revoked.json()
        assert (await closed(socket))[0] == 4403
    dead = await site.ask(OFFICE, secret)
    assert dead.json()["data"]["tenant"] is None
    assert 'error="invalid_token"' in dead.headers["www-authenticate"]


async def test_a_key_for_tests_sees_no_live_keys(site: Site, owner: Owner) -> None:
    await site.create("live", ["tenant:read"])
    made = await site.create("test", ["tenant:read"], x_moneta_mode="test")
    assert made["secret"].startswith("mk_test_")
    keys = "{ tenant { apiKeys(first: 10) { nodes { prefix isLive } } } }"
    for mode, live in (("live", True), ("test", False)):
        answer = await site.ask(keys, site.tokens["alice"], x_moneta_tenant="acme", x_moneta_mode=mode)
        assert {each["isLive"] for each in answer.json()["data"]["tenant"]["apiKeys"]["nodes"]} == {live}
    assert (await site.ask(keys, site.tokens["alice"], x_moneta_mode="both")).status_code == 400
    assert (await site.ask(OFFICE, made["secret"], x_moneta_mode="live")).status_code == 403


async def test_of_a_hundred_requests_at_once_ten_are_answered(site: Site, owner: Owner) -> None:
    secret = (await site.create("limited", ["tenant:read"]))["secret"]
    await owner.execute("UPDATE api_keys SET rate_limit_per_minute = 10 WHERE name = 'limited'")
    answers = await asyncio.gather(*(site.ask("{ tenant { slug } }", secret) for _ in range(100)))
    codes = sorted(each.status_code for each in answers)
    assert codes == [200] * 10 + [429] * 90
    refused = next(each for each in answers if each.status_code == 429)
    assert 0 < int(refused.headers["retry-after"]) <= 60
    assert '"minute";r=0;t=' in refused.headers["ratelimit"]

    await site.application.services[TenancyServices].calls.flush()
    assert await owner.fetchval("SELECT sum(calls) FROM tenant_api_calls") == 10
    usage = await site.ask("{ tenant { usage { callLimit } } }", site.tokens["alice"], x_moneta_tenant="acme")
    assert json.loads(usage.content)["data"]["tenant"]["usage"] == {"callLimit": 10_000}
