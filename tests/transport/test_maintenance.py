"""Maintenance: over every transport all but admins are turned away, and what callers need to log in stays open."""

import asyncio
from typing import Any, Final

import httpx
import pytest

from app.domains.accounts.model import Role
from app.engine.streams.model import EndReason
from app.transport.event_streams import EventStreams
from tests.transport.client import begin, closed, hear, subscribe
from tests.transport.stage import Stage
from tests.transport.test_ends import ends
from tests.waiting import HANG_S, until

MESSAGE: Final = "Back at noon."
REFUSED: Final = {"code": "MAINTENANCE", "retryAfterMs": 90_000}
GRAPHQL: Final = "application/graphql-response+json"
MULTIPART: Final = 'multipart/mixed;boundary="graphql";subscriptionSpec="1.0"'
ACCEPTED: Final = ("application/json", GRAPHQL, "text/event-stream", MULTIPART, f"text/event-stream, {GRAPHQL}")
FACTS: Final = "subscription { facts { n } }"


def client(stage: Stage, accept: str = GRAPHQL, token: str | None = None) -> httpx.AsyncClient:
    headers = {"accept": accept} | ({} if token is None else {"authorization": f"Bearer {token}"})
    return httpx.AsyncClient(base_url=stage.url, headers=headers, timeout=HANG_S, trust_env=False)


def begin_maintenance(stage: Stage) -> None:
    stage.runtime.maintenance.turn_on(MESSAGE, 90)


def hold_refused(response: httpx.Response) -> None:
    """It is the one error, and says when to try again."""
    assert response.status_code == 503
    assert response.headers["retry-after"] == "90"
    (error,) = response.json()["errors"]
    assert "data" not in response.json()
    assert error["message"] == MESSAGE
    assert {name: error["extensions"][name] for name in REFUSED} == REFUSED


@pytest.mark.parametrize("token", [None, "alice", "unknown"])
@pytest.mark.parametrize("accept", ACCEPTED)
@pytest.mark.parametrize("query", ["{ hello }", "mutation { bump }", FACTS, "{ state hello }", "{ hello __typename }"])
async def test_a_post_is_refused(stage: Stage, query: str, accept: str, token: str | None) -> None:
    stage.log_in("alice")
    begin_maintenance(stage)
    async with client(stage, accept, token) as http:
        hold_refused(await http.post("/graphql", json={"query": query}))
        assert (stage.bumps, stage.open) == (0, 0)
        # It is over when it is.
        stage.runtime.maintenance.turn_off()
        if "json" in accept and not query.startswith("subscription"):
            assert (await http.post("/graphql", json={"query": query})).status_code == 200


@pytest.mark.parametrize("accept", ACCEPTED)
@pytest.mark.parametrize("query", ["{ hello }", FACTS])
async def test_a_get_is_refused(stage: Stage, query: str, accept: str) -> None:
    begin_maintenance(stage)
    async with client(stage, accept) as http:
        hold_refused(await http.get("/graphql", params={"query": query}))


@pytest.mark.parametrize(
    "query",
    [
        "{ state }",
        "{ __typename }",
        "mutation { __typename }",
        "{ again: state ...Rest } fragment Rest on Query { ... { state __typename } }",
        "{ __schema { queryType { name } } }",
        '{ __type(name: "Query") { name } state }',
    ],
)
async def test_what_callers_need_to_log_in_stays_open(stage: Stage, query: str) -> None:
    begin_maintenance(stage)
    async with client(stage) as http:
        response = await http.post("/graphql", json={"query": query})
    assert response.status_code == 200
    assert response.json()["data"]
    async with stage.connect() as socket:
        await begin(socket)
        await subscribe(socket, "q", query)
        assert (await hear(socket))["type"] == "next"


@pytest.mark.parametrize(
    "query", ["{ state @skip(if: true) hello @skip(if: true) }", "{ ...A } fragment A on Query { me }"]
)
async def test_no_field_hides_behind_a_directive_or_a_fragment(stage: Stage, query: str) -> None:
    begin_maintenance(stage)
    async with client(stage) as http:
        hold_refused(await http.post("/graphql", json={"query": query}))


async def test_what_is_no_operation_is_refused_for_what_it_is(stage: Stage) -> None:
    begin_maintenance(stage)
    async with client(stage) as http:
        response = await http.post("/graphql", json={"query": "{ missing }"})
    assert response.status_code == 400
    assert response.json()["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_an_admin_is_answered_as_always(stage: Stage) -> None:
    stage.log_in("admin", role=Role.ADMIN)
    begin_maintenance(stage)
    async with client(stage, token="admin") as http:
        assert (await http.post("/graphql", json={"query": "mutation { bump }"})).json()["data"] == {"bump": 1}
    async with stage.connect() as socket:
        await begin(socket, {"authorization": "Bearer admin"})
        await subscribe(socket, "s", FACTS)
        await until(lambda: stage.open == 1)
        await stage.publish([7])
        assert (await hear(socket))["payload"]["data"] == {"facts": {"n": 7}}


async def test_the_pages_stay_up(stage: Stage) -> None:
    begin_maintenance(stage)
    async with client(stage, accept="text/html") as http:
        for path in ("/health/live", "/health/ready", "/metrics", "/", "/ide", "/docs", "/schema.graphql", "/graphql"):
            assert (await http.get(path)).status_code == 200, path
        assert (await http.get("/health/ready")).json()["status"] == "healthy"


async def test_a_subscribe_on_a_socket_is_an_error_and_the_socket_stays(stage: Stage) -> None:
    stage.log_in("alice")
    async with stage.connect() as before:
        await begin(before, {"authorization": "Bearer alice"})
        begin_maintenance(stage)
        async with stage.connect() as after:
            await begin(after)
            for socket in (before, after):
                for query in ("{ hello }", "mutation { bump }", FACTS):
                    await subscribe(socket, "s", query)
                    message = await hear(socket)
                    assert (message["id"], message["type"]) == ("s", "error")
                    (error,) = message["payload"]
                    assert error["message"] == MESSAGE
                    assert {name: error["extensions"][name] for name in REFUSED} == REFUSED
            assert stage.bumps == 0
            stage.runtime.maintenance.turn_off()
            for socket in (before, after):
                await subscribe(socket, "s", "{ hello }")
                assert (await hear(socket))["type"] == "next"


async def test_streams_of_users_end_and_those_of_admins_go_on(stage: Stage) -> None:
    stage.log_in("alice")
    stage.log_in("admin", role=Role.ADMIN)
    async with stage.connect() as alice, stage.connect() as nobody, stage.connect() as idle, stage.connect() as admin:
        await begin(alice, {"authorization": "Bearer alice"})
        await begin(admin, {"authorization": "Bearer admin"})
        await begin(nobody)
        await begin(idle)
        for socket in (alice, nobody, admin):
            await subscribe(socket, "s", FACTS)
        await until(lambda: stage.open == 3)
        begin_maintenance(stage)
        assert stage.open == 1
        for socket in (alice, nobody):
            assert (await closed(socket))[0] == 1013
        await stage.publish([1])
        assert (await hear(admin))["payload"]["data"] == {"facts": {"n": 1}}
        await subscribe(idle, "s", "{ state }")
        assert (await hear(idle))["type"] == "next"
    assert ends(stage)["websocket", EndReason.MAINTENANCE] == 2


async def test_the_server_sent_events_of_an_admin_go_on(stage: Stage) -> None:
    stage.log_in("admin", role=Role.ADMIN)
    async with (
        client(stage, "text/event-stream", "admin") as http,
        http.stream("POST", "/graphql", json={"query": FACTS}) as response,
    ):
        await until(lambda: stage.open == 1)
        begin_maintenance(stage)
        await stage.publish([1])
        async for line in response.aiter_lines():
            if line.startswith("data:"):
                assert '"n":1' in line
                break


@pytest.mark.parametrize("transport", ["http", "socket"])
async def test_a_mutation_under_way_is_completed(stage: Stage, transport: str) -> None:
    stage.log_in("alice")
    if transport == "http":
        async with client(stage, token="alice") as http:
            asking = asyncio.create_task(http.post("/graphql", json={"query": "mutation { bumpSlowly }"}))
            await until(lambda: stage.executing == 1)
            begin_maintenance(stage)
            stage.released.set()
            assert (await asking).json()["data"] == {"bumpSlowly": 1}
        return
    async with stage.connect() as socket:
        await begin(socket, {"authorization": "Bearer alice"})
        await subscribe(socket, "m", "mutation { bumpSlowly }")
        await until(lambda: stage.executing == 1)
        begin_maintenance(stage)
        stage.released.set()
        message: dict[str, Any] = await hear(socket)
        assert message["payload"]["data"] == {"bumpSlowly": 1}


async def test_a_mutation_under_way_on_a_socket_that_is_closed_is_completed(stage: Stage) -> None:
    async with stage.connect() as socket:
        await begin(socket)
        await subscribe(socket, "s", FACTS)
        await until(lambda: stage.open == 1)
        await subscribe(socket, "m", "mutation { bumpSlowly }")
        await until(lambda: stage.executing == 1)
        begin_maintenance(stage)
        assert (await closed(socket))[0] == 1013
        stage.released.set()
        await until(lambda: stage.bumps == 1)


async def test_another_message_ends_nothing_anew(stage: Stage) -> None:
    begin_maintenance(stage)
    stage.runtime.maintenance.turn_on(None, 5)
    async with client(stage) as http:
        response = await http.post("/graphql", json={"query": "{ hello }"})
    assert response.headers["retry-after"] == "5"
    assert response.json()["errors"][0]["message"] == "Moneta is under maintenance. Try again later."


async def test_a_stream_that_was_let_in_just_before_ends_at_once(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    lease = EventStreams._lease

    def late(streams: EventStreams, *given: Any) -> Any:
        begin_maintenance(stage)
        return lease(streams, *given)

    monkeypatch.setattr(EventStreams, "_lease", late)
    async with client(stage, "text/event-stream") as http:
        # Without `complete` clients connect again.
        assert (await http.post("/graphql", json={"query": FACTS})).text == f": MAINTENANCE {MESSAGE}\n\n"
    assert stage.open == 0
