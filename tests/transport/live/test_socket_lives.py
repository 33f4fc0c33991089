import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest
from redis.asyncio import Redis
from websockets.exceptions import InvalidStatus

from app.kit.db import Database
from app.transport.sessions import session_stream
from app.transport.sockets import outgoing
from tests.kit.moving import append, relaying
from tests.transport.live.stage import Stage, begin, closed, hear, say, staged, subscribe
from tests.waiting import until


async def whoami(socket: Any) -> str | None:
    await subscribe(socket, "me", "{ me }")
    answer = await hear(socket)
    await hear(socket)
    me: str | None = answer["payload"]["data"]["me"]
    return me


async def test_a_token_in_the_payload_authenticates(stage: Stage) -> None:
    alice = stage.log_in("alice")
    async with stage.connect(origin="https://elsewhere.example") as socket:
        await begin(socket, {"authorization": "Bearer alice"})
        assert await whoami(socket) == str(alice.user_id)


async def test_a_cookie_authenticates_our_own_pages(stage: Stage) -> None:
    alice = stage.log_in("alice")
    async with stage.connect(cookie="alice", origin=stage.url) as socket:
        await begin(socket)
        assert await whoami(socket) == str(alice.user_id)


async def test_nobody_is_anonymous(stage: Stage) -> None:
    async with stage.connect() as socket:
        await begin(socket)
        assert await whoami(socket) is None


@pytest.mark.parametrize("origin", ["https://evil.example", "null", None])
async def test_a_cookie_from_a_foreign_page_is_refused_before_the_socket(stage: Stage, origin: str | None) -> None:
    stage.log_in("alice")
    with pytest.raises(InvalidStatus) as caught:
        async with stage.connect(cookie="alice", origin=origin):
            pass
    assert caught.value.response.status_code == 403
    assert json.loads(caught.value.response.body or b"")["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert stage.authentications == 0


@pytest.mark.parametrize("authorization", ["Bearer nobody", "Basic alice", "alice", "", 7, {}, ["Bearer alice"]])
async def test_a_bad_token_is_closed_with_4403(stage: Stage, authorization: object) -> None:
    stage.log_in("alice")
    async with stage.connect() as socket:
        await say(socket, "connection_init", payload={"authorization": authorization})
        assert await closed(socket) == (4403, "Forbidden")


async def test_an_expired_session_is_closed_at_its_time(stage: Stage) -> None:
    stage.log_in("alice", lasts=timedelta(seconds=0.3))
    async with stage.connect() as socket:
        await begin(socket, {"authorization": "Bearer alice"})
        await subscribe(socket, "s", "subscription { silence }")
        assert await closed(socket, within_s=2) == (4403, "The session has expired.")
    await until(lambda: stage.open == 0)
    assert stage.hub.listening == 0


async def test_a_revoked_session_is_closed_within_a_second(stage: Stage) -> None:
    alice, bob = stage.log_in("alice"), stage.log_in("bob")
    async with (
        relaying(stage.database, stage.redis),
        stage.connect(cookie="alice", origin=stage.url) as socket,
        stage.connect() as other,
    ):
        await begin(socket)
        await begin(other, {"authorization": "Bearer bob"})
        await subscribe(socket, "s", "subscription { silence }")
        await append(stage.database, stage.events, session_stream(alice), [1])
        assert await closed(socket, within_s=1) == (4403, "The session was ended.")
        assert await whoami(other) == str(bob.user_id)


async def test_a_session_revoked_while_it_connects_does_not_slip_through(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.log_in("alice")
    listen = stage.hub.listen

    def revoked_meanwhile(stream: str) -> Any:
        stage.tokens.clear()
        return listen(stream)

    monkeypatch.setattr(stage.hub, "listen", revoked_meanwhile)
    async with stage.connect() as socket:
        await say(socket, "connection_init", payload={"authorization": "Bearer alice"})
        assert await closed(socket) == (4403, "Forbidden")


async def test_shutting_down_closes_with_1012(database: Database, redis: Redis) -> None:
    async with staged(database, redis) as stage, stage.connect() as socket:
        await begin(socket)
        await subscribe(socket, "s", "subscription { silence }")
        await until(lambda: stage.open == 1)
        stage.stop.set()
        assert (await closed(socket, within_s=3))[0] == 1012
        await until(lambda: stage.open == 0)


async def test_a_reader_that_does_not_drain_is_let_go(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "DRAIN_S", 0.3)
    async with stage.connect() as slow, stage.connect() as quick:
        await begin(slow)
        await begin(quick)
        await subscribe(slow, "s", "subscription { flood }")
        await until(lambda: stage.open == 1)
        await until(lambda: stage.open == 0)
        # What fits in the buffers, and the bounded queue: not all that there was to say.
        assert stage.flooded < 1000
        await subscribe(quick, "q", "{ hello }")
        assert (await hear(quick))["type"] == "next"


async def test_a_blocked_reader_that_wakes_up_is_told_to_come_back(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outgoing, "DRAIN_S", 0.2)
    monkeypatch.setattr("app.transport.sockets.endpoint.CLOSE_S", 10.0)
    async with stage.connect() as socket:
        await begin(socket)
        await subscribe(socket, "s", "subscription { flood }")
        await until(lambda: stage.open == 1)
        await until(lambda: stage.open == 0)
        assert (await closed(socket))[0] == 1013


async def test_two_hundred_sockets_come_and_go_and_leave_nothing(stage: Stage) -> None:
    stage.log_in("alice")
    async with stage.connect() as socket:
        await begin(socket)
    await until(lambda: stage.hub.listening == 0)
    before = asyncio.all_tasks()

    async def visit(number: int) -> None:
        async with stage.connect() as socket:
            if number % 3:
                await begin(socket, {"authorization": "Bearer alice"})
                await subscribe(socket, "s", "subscription { silence }")
                await subscribe(socket, "t", "subscription { ticks(count: 5) { n } }")
                await hear(socket)
            if number % 2:
                socket.transport.abort()

    for start in range(0, 200, 20):
        await asyncio.gather(*(visit(number) for number in range(start, start + 20)))

    await until(lambda: stage.open == 0)
    await until(lambda: stage.hub.listening == 0)
    await until(lambda: not {task for task in asyncio.all_tasks() - before if not task.done()})


async def test_a_fact_travels_from_its_commit_to_the_socket(stage: Stage) -> None:
    async with relaying(stage.database, stage.redis), stage.connect() as socket:
        await begin(socket)
        await subscribe(socket, "s", 'subscription { facts(stream: "chain") { n cursor } }')
        await until(lambda: stage.hub.listening == 1)
        await append(stage.database, stage.events, "chain", range(30))
        heard = [(await hear(socket))["payload"]["data"]["facts"] for _ in range(30)]
    assert heard == [{"n": n, "cursor": str(n + 1)} for n in range(30)]
    await until(lambda: stage.hub.listening == 0)
