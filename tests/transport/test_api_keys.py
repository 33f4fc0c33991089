"""Callers with an API key, over the small graph: who they are, what they may ask, and how often."""

import asyncio
import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from app.domains.accounts.model import SESSIONS_STREAM, Client
from app.domains.tenancy.api_keys.model import CallUsage, KeyRefused
from app.domains.tenancy.tenants.model.tenants import ActingKey, Plan, SubscriptionStatus, Tenancy
from app.engine.declarations.key_scopes import PUBLIC, declare_key_scope
from app.kit.db import SYSTEM
from app.kit.errors import Unavailable
from app.kit.events import Fact
from app.kit.quotas import QuotaExceeded, Usage
from tests.databases import NOON
from tests.transport import graph, support
from tests.transport.client import begin, closed, hear, say, subscribe
from tests.transport.stage import Stage
from tests.transport.support import TOKEN, Witness, ask, build, client_for, errors
from tests.waiting import HANG_S, until

KEY = "mk_live_0123456789abcdef_" + "a" * 64
BEARER = {"authorization": f"Bearer {KEY}"}
LEFT = (Usage("minute", 10, 9, 60, NOON, 30), Usage("hour", 100, 99, 3600, NOON, 1800))
ENDED, EXPIRED = (4403, "The session was ended."), (4403, "The session has expired.")

for schema in (support.SCHEMA._schema, graph.SCHEMA._schema):
    for root in (schema.query_type, schema.mutation_type, schema.subscription_type):
        assert root is not None
        declare_key_scope(root, PUBLIC)
    for mutation in schema.mutation_type.fields.values():  # type: ignore[union-attr]  # there are mutations
        declare_key_scope(mutation, "claims:write")
    for name in ("Tick", "Price", "StreamEvent"):
        if name in schema.type_map:
            declare_key_scope(schema.type_map[name], "claims:read")


def acting(*scopes: str, livemode: bool = True, **given: Any) -> Tenancy:
    values: dict[str, Any] = {
        "id": uuid4(), "secret_id": uuid4(), "scopes": frozenset(scopes), "expires_at": None, "plan": Plan.FREE,
        "per_minute": 10, "per_hour": 100, "per_day": 1000, "per_month": 10_000,
    }  # fmt: skip
    key = ActingKey(**values | given)
    return Tenancy(
        tenant_id=uuid4(), slug="acme", status=SubscriptionStatus.ACTIVE, key=key, livemode=livemode, client=Client()
    )


def bearers(found: Tenancy | Exception | None) -> Any:
    async def acting_by_key(token: str, client: Client) -> Tenancy | None:
        if isinstance(found, Exception):
            raise found
        return found if token == KEY else None

    return acting_by_key


def charging(*outcomes: CallUsage | Exception) -> Any:
    left = list(outcomes)

    async def charge(tenancy: Tenancy, key: ActingKey) -> CallUsage:
        outcome = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return charge


COUNTED = CallUsage(LEFT, is_counted=True)


async def test_who_bears_a_key_is_no_user_and_acts_in_its_tenant() -> None:
    witness = Witness()
    client = client_for(build(witness=witness, acting_by_key=bearers(key := acting())))
    response = await ask(client, "{ who }", **BEARER)
    assert response.json() == {"data": {"who": None}, "extensions": response.json()["extensions"]}
    assert [(each.viewer, each.tenancy, each.refusal) for each in witness.callers][-1] == (None, key, None)


async def test_a_key_that_is_not_good_is_nobody_and_hears_why() -> None:
    witness = Witness()
    client = client_for(build(witness=witness, acting_by_key=bearers(None)))
    response = await ask(client, "{ who }", **BEARER)
    assert 'error="invalid_token"' in response.headers["www-authenticate"]
    assert witness.callers[-1].refusal is not None
    assert not witness.callers[-1].is_known


@pytest.mark.parametrize(("refused", "status"), [(KeyRefused("No."), 403), (Unavailable(), 503)])
async def test_a_key_that_cannot_be_used_or_looked_up_is_refused(refused: Exception, status: int) -> None:
    response = await ask(client_for(build(acting_by_key=bearers(refused))), "{ who }", **BEARER)
    assert response.status_code == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"x-moneta-tenant": "acme"}, 200),
        ({"x-moneta-tenant": "other"}, 403),
        ({"x-moneta-mode": "live"}, 200),
        ({"x-moneta-mode": "test"}, 403),
        ({"x-moneta-mode": "TEST"}, 400),
        ({"x-moneta-mode": ""}, 400),
    ],
)
async def test_a_key_acts_in_its_own_tenant_and_mode(headers: dict[str, str], status: int) -> None:
    response = await ask(client_for(build(acting_by_key=bearers(acting()))), "{ who }", **BEARER, **headers)
    assert response.status_code == status


async def test_members_choose_the_mode() -> None:
    member = Tenancy(
        tenant_id=uuid4(), slug="acme", status=SubscriptionStatus.ACTIVE, user_id=support.ALICE, membership_id=uuid4(),
        client=Client(),
    )  # fmt: skip

    async def tenancy_of(*_: Any) -> Tenancy:
        return member

    witness = Witness()
    client = client_for(build(witness=witness, tenancy_of=tenancy_of))
    bearer = {"authorization": f"Bearer {TOKEN}", "x-moneta-tenant": "acme"}
    for mode in ({}, {"x-moneta-mode": "live"}, {"x-moneta-mode": "test"}):
        assert (await ask(client, "{ who }", **bearer, **mode)).status_code == 200
    assert [each.tenancy and each.tenancy.livemode for each in witness.callers] == [True, True, False]
    assert (await ask(client, "{ who }", **bearer, **{"x-moneta-mode": "tests"})).status_code == 400


@pytest.mark.parametrize(
    ("scopes", "query", "allowed"),
    [
        ((), "{ hello }", True),
        ((), "mutation { login }", False),
        (("claims:read",), "mutation { login }", False),
        (("claims:write",), "mutation { login }", True),
        (("*:write",), "mutation { login }", True),
        ((), "{ __schema { queryType { name } } }", True),
    ],
)
async def test_an_operation_needs_its_scopes(scopes: tuple[str, ...], query: str, allowed: bool) -> None:
    witness = Witness()
    client = client_for(build(witness=witness, acting_by_key=bearers(acting(*scopes))))
    response = await ask(client, query, **BEARER, accept="application/graphql-response+json")
    if allowed:
        assert response.status_code == 200
        assert "errors" not in response.json()
    else:
        assert response.status_code == 403
        message = "This API key lacks the scope claims:write, which Mutation.login needs."
        assert errors(response) == [("FORBIDDEN", message)]


async def test_every_answer_says_what_is_left() -> None:
    client = client_for(build(acting_by_key=bearers(acting()), charge=charging(COUNTED)))
    for query in ("{ hello }", "{ unknown }", "mutation { login }", "{"):
        headers = (await ask(client, query, **BEARER)).headers
        assert headers["ratelimit-policy"] == '"minute";q=10;w=60, "hour";q=100;w=3600'
        assert headers["ratelimit"] == '"minute";r=9;t=30, "hour";r=99;t=1800'
    assert "ratelimit" not in (await ask(client, "{ hello }")).headers


async def test_beyond_a_limit_there_is_no_answer_but_when_to_try_again() -> None:
    over = QuotaExceeded((Usage("minute", 10, 0, 60, NOON, 30), LEFT[1]))
    response = await ask(
        client_for(build(acting_by_key=bearers(acting()), charge=charging(over))), "{ hello }", **BEARER
    )
    assert response.status_code == 429
    assert response.headers["retry-after"] == "30"
    assert response.headers["ratelimit"] == '"minute";r=0;t=30, "hour";r=99;t=1800'
    assert errors(response)[0][0] == "RATE_LIMITED"


async def test_while_calls_cannot_be_counted_there_are_reads_and_no_writes() -> None:
    uncounted = CallUsage((), is_counted=False)
    key = acting("*:write")
    client = client_for(build(acting_by_key=bearers(key), charge=charging(uncounted)))
    assert (await ask(client, "{ hello }", **BEARER)).json()["data"] == {"hello": "hello world"}
    assert errors(await ask(client, "mutation { login }", **BEARER))[0][0] == "MAINTENANCE"


def give(stage: Stage, key: Tenancy, charge: Any = None) -> None:
    object.__setattr__(stage.runtime, "acting_by_key", bearers(key))
    object.__setattr__(stage.runtime, "charge", charge or charging(COUNTED))


async def end(stage: Stage, key: Tenancy) -> None:
    fact = Fact(SESSIONS_STREAM, "session.revoked", {"session_id": str(key.held_by)})
    await stage.database.write(SYSTEM, lambda tx: stage.events.append(tx, [fact]))


FACTS = "subscription { facts { n } }"


async def test_a_socket_closes_with_its_key(stage: Stage) -> None:
    give(stage, key := acting("claims:read"))
    async with stage.connect() as socket:
        await begin(socket, {"authorization": f"Bearer {KEY}"})
        await subscribe(socket, "s", FACTS)
        await until(lambda: stage.open == 1)
        await end(stage, key)
        assert await closed(socket) == ENDED
    await until(lambda: stage.runtime.sessions.watching == 0)


async def test_a_socket_closes_when_its_key_expires(stage: Stage) -> None:
    give(stage, acting("claims:read", expires_at=stage.time.now() + timedelta(hours=1)))
    async with stage.connect() as socket:
        await begin(socket, {"authorization": f"Bearer {KEY}"})
        stage.time.pass_to(stage.time.now() + timedelta(minutes=59))
        await subscribe(socket, "s", FACTS)
        await until(lambda: stage.open == 1)
        stage.time.pass_to(stage.time.now() + timedelta(minutes=1))
        assert await closed(socket) == EXPIRED


@pytest.mark.parametrize("payload", [{"tenant": "other"}, {"mode": "test"}, {"mode": "no"}, {"mode": 1}])
async def test_a_socket_names_no_other_tenant_or_mode(stage: Stage, payload: dict[str, Any]) -> None:
    give(stage, acting())
    async with stage.connect() as socket:
        await say(socket, "connection_init", payload={"authorization": f"Bearer {KEY}", **payload})
        assert (await closed(socket))[0] == 4403


async def test_a_user_does_not_go_on_with_the_key_of_the_handshake(stage: Stage) -> None:
    alice = stage.log_in("alice")
    give(stage, acting("*:write"))
    async with stage.connect(authorization=f"Bearer {KEY}") as socket:
        await begin(socket, {"authorization": "Bearer alice"})
        await until(lambda: len(stage.sockets) == 1)
        [server] = list(stage.sockets)
        assert (server._caller.viewer, server._caller.tenancy) == (alice, None)


async def test_a_subscription_needs_its_scopes(stage: Stage) -> None:
    give(stage, acting("claims:write"))
    async with stage.connect() as socket:
        await begin(socket, {"authorization": f"Bearer {KEY}"})
        await subscribe(socket, "s", FACTS)
        refused = await hear(socket)
        assert refused["payload"][0]["extensions"]["code"] == "FORBIDDEN"
        assert "claims:read" in refused["payload"][0]["message"]


async def test_operations_on_a_socket_are_calls_as_well(stage: Stage) -> None:
    give(stage, acting(), charging(COUNTED, QuotaExceeded((Usage("minute", 1, 0, 60, NOON, 30),))))
    async with stage.connect() as socket:
        await begin(socket, {"authorization": f"Bearer {KEY}"})
        await subscribe(socket, "q", "{ hello }")
        assert (await hear(socket))["type"] == "next"
        assert (await hear(socket))["type"] == "complete"
        await subscribe(socket, "q", "{ hello }")
        refused = await hear(socket)
        assert (refused["type"], refused["payload"][0]["extensions"]["code"]) == ("error", "RATE_LIMITED")


async def test_a_subscription_is_a_call_with_each_minute(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.transport.calls.MINUTE_S", 0.01)
    over = QuotaExceeded((Usage("minute", 1, 0, 60, NOON, 30),))
    give(stage, acting("claims:read"), charging(COUNTED, COUNTED, COUNTED, over))
    async with stage.connect() as socket:
        await begin(socket, {"authorization": f"Bearer {KEY}"})
        await subscribe(socket, "s", FACTS)
        ended = await hear(socket)
        assert (ended["type"], ended["payload"][0]["extensions"]["code"]) == ("error", "RATE_LIMITED")
        await until(lambda: stage.open == 0)


async def test_a_key_is_not_renewed_on_a_socket(stage: Stage) -> None:
    give(stage, acting())
    async with stage.connect() as socket:
        await begin(socket, {"authorization": f"Bearer {KEY}"})
        await say(socket, "ping", payload={"token": KEY})
        heard = [json.loads(await socket.recv()) for _ in range(2)]
        assert {each["type"] for each in heard} == {"ping", "pong"}


async def test_a_stream_of_events_ends_with_its_key_and_with_its_limit(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    give(stage, key := acting("claims:read"))
    headers = {"accept": "text/event-stream", **BEARER}

    async def stream() -> httpx.Response:
        async with httpx.AsyncClient(base_url=stage.url, timeout=HANG_S, trust_env=False) as client:
            return await client.post("/graphql", json={"query": FACTS}, headers=headers)

    asking = asyncio.create_task(stream())
    await until(lambda: stage.open == 1)
    await end(stage, key)
    answer = await asking
    assert "The session was ended." in answer.text
    assert answer.headers["ratelimit"] == '"minute";r=9;t=30, "hour";r=99;t=1800'
    monkeypatch.setattr("app.transport.calls.MINUTE_S", 0.01)
    give(stage, acting("claims:read"), charging(COUNTED, QuotaExceeded((Usage("minute", 1, 0, 60, NOON, 30),))))
    assert "RATE_LIMITED" in (await stream()).text
