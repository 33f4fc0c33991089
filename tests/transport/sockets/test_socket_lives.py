import asyncio
import contextlib

import pytest
from redis.asyncio import Redis
from websockets.exceptions import InvalidStatus

from app.kit.db import Database
from app.transport.credentials import PLACES, SCHEME
from app.transport.sockets import endpoint
from tests.kit.event_pipeline import append
from tests.transport.client import begin, closed, hear, say, subscribe, whoami, why
from tests.transport.stage import Stage, staged
from tests.waiting import HANG_S, until


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


@pytest.mark.parametrize("path", ["/graphql", "/graphql/"])
async def test_a_slash_too_many_is_the_same_place(stage: Stage, path: str) -> None:
    async with stage.connect(path=path) as socket:
        await begin(socket)


@pytest.mark.parametrize("host", [None, "rebound.example", "evil.example"])
@pytest.mark.parametrize("origin", ["https://evil.example", "http://rebound.example", "null", None])
async def test_a_cookie_that_a_foreign_page_brings_uninvited_counts_for_nothing(
    stage: Stage, origin: str | None, host: str | None
) -> None:
    stage.log_in("alice")
    async with stage.connect(cookie="alice", origin=origin, host=host) as socket:
        await begin(socket)
        assert await whoami(socket) is None
        assert await why(socket) == "Cookies count only from our own pages. Other callers send a bearer token."
    assert stage.authentications == 0


async def test_a_page_elsewhere_may_bring_a_token_beside_cookies_that_do_not_count(stage: Stage) -> None:
    stage.log_in("alice")
    bob = stage.log_in("bob")
    async with stage.connect(cookie="alice", origin="http://localhost:3000") as socket:
        await begin(socket, {"authToken": "bob"})
        assert await whoami(socket) == str(bob.user_id)


@pytest.mark.parametrize(
    "payload",
    [
        {"Authorization": "Bearer alice"},
        {"Authorization": "alice"},
        {"headers": {"Authorization": "Bearer alice"}},
        {"context": {"headers": {"authorization": "Bearer alice"}}},
        {"token": "alice"},
        {"accessToken": "alice"},
        {"access_token": "alice"},
        {"authToken": "alice"},
    ],
)
async def test_a_token_is_taken_where_clients_put_it(stage: Stage, payload: dict[str, object]) -> None:
    alice = stage.log_in("alice")
    async with stage.connect() as socket:
        await begin(socket, payload)
        assert await whoami(socket) == str(alice.user_id)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ({"authorization": "Bearer nobody"}, "'nobody' is not valid."),
        ({"authorization": "nobody"}, "'nobody' is not valid."),
        ({"headers": {"Authorization": "Bearer nobody"}}, "'nobody' is not valid."),
        ({"token": "nobody"}, "'nobody' is not valid."),
        ({"authorization": "Basic alice"}, SCHEME),
        ({"authorization": 7}, "A token is text."),
        ({"authorization": {}}, "A token is text."),
        ({"authorization": ["Bearer alice"]}, "A token is text."),
        ({"jwt": "alice"}, PLACES),
        ({"user": {"headers": {"Authorization": "Bearer alice"}}}, PLACES),
    ],
)
async def test_a_token_that_is_not_taken_is_refused_with_its_reason(
    stage: Stage, payload: dict[str, object], reason: str
) -> None:
    stage.log_in("alice")
    for cookie in (None, "alice"):
        async with stage.connect(cookie=cookie, origin=stage.url) as socket:
            await say(socket, "connection_init", payload=payload)
            assert await closed(socket) == (4403, reason)
    assert stage.runtime.sessions.watching == 0


@pytest.mark.parametrize("payload", [{"authorization": ""}, {"Authorization": "Bearer "}, {"token": None}])
async def test_a_place_without_a_token_makes_an_anonymous_socket(stage: Stage, payload: dict[str, object]) -> None:
    async with stage.connect() as socket:
        await begin(socket, payload)
        assert await whoami(socket) is None
        assert await why(socket) is None


async def test_the_handshake_may_bring_the_token(stage: Stage) -> None:
    alice, bob = stage.log_in("alice"), stage.log_in("bob")
    async with stage.connect(authorization="Bearer alice") as socket:
        await begin(socket)
        assert await whoami(socket) == str(alice.user_id)
    for authorization in ("Bearer alice", "Bearer nobody"):
        async with stage.connect(authorization=authorization) as socket:
            await begin(socket, {"token": "bob"})
            assert await whoami(socket) == str(bob.user_id)


async def test_a_token_of_the_handshake_that_is_not_good_is_refused_where_its_reason_can_be_read(stage: Stage) -> None:
    async with stage.connect(authorization="Bearer nobody") as socket:
        await say(socket, "connection_init")
        assert await closed(socket) == (4403, "'nobody' is not valid.")


async def test_a_proxys_password_in_the_handshake_is_none_of_ours(stage: Stage) -> None:
    alice = stage.log_in("alice")
    async with stage.connect(authorization="Basic YTpi") as socket:
        await begin(socket)
        assert await whoami(socket) is None
        assert await why(socket) == SCHEME
    async with stage.connect(authorization="Basic YTpi", cookie="alice", origin=stage.url) as socket:
        await begin(socket)
        assert await whoami(socket) == str(alice.user_id)


async def test_a_cookie_that_ran_out_makes_an_anonymous_socket_that_knows_why(stage: Stage) -> None:
    async with stage.connect(cookie="old", origin=stage.url) as socket:
        await begin(socket)
        assert await why(socket) == "'old' is not valid."


async def test_authentication_happens_once(stage: Stage) -> None:
    stage.log_in("alice")
    async with stage.connect(cookie="alice", origin=stage.url) as socket:
        await begin(socket)
    assert stage.authentications == 1
    async with stage.connect() as socket:
        await begin(socket, {"authorization": "Bearer alice"})
    assert stage.authentications == 2


async def test_shutting_down_closes_with_1012(database: Database, redis: Redis) -> None:
    async with staged(database, redis) as stage, stage.connect() as socket:
        await begin(socket)
        await subscribe(socket, "s", "subscription { facts { n } }")
        await until(lambda: stage.open == 1)
        stage.stop.set()
        assert (await closed(socket))[0] == 1012
        await until(lambda: stage.open == 0)


async def test_shutting_down_closes_many_each_at_its_moment(
    database: Database, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with staged(database, redis) as stage, contextlib.AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(stage.connect()) for _ in range(50)]
        for socket in sockets:
            await begin(socket)
        with monkeypatch.context() as spread:
            spread.setattr(endpoint, "moments_s", lambda count: [0.0] * (count - 1) + [2 * HANG_S])
            closing = asyncio.create_task(stage.sockets.close())
            await until(lambda: len(stage.sockets) == 1)
            assert not closing.done()
            closing.cancel()
        await stage.sockets.close()
        assert {(await closed(socket))[0] for socket in sockets} == {1012}


def test_the_moments_of_many_are_spread_and_those_of_few_are_not() -> None:
    assert endpoint.moments_s(endpoint.FEW) == [0.0] * endpoint.FEW
    for count, span_s in ((50, 0.5), (100_000, endpoint.SPREAD_S)):
        moments_s = endpoint.moments_s(count)
        assert moments_s == sorted(moments_s)
        assert len(set(moments_s)) > 0.9 * count
        assert 0 <= moments_s[0] < span_s / 5
        assert 4 * span_s / 5 < moments_s[-1] <= span_s


async def test_nobody_gets_in_while_the_server_stops(stage: Stage) -> None:
    await stage.sockets.close()
    with pytest.raises(InvalidStatus) as caught:
        async with stage.connect():
            pass
    assert caught.value.response.status_code == 503
    assert (await stage.metrics())['moneta_websockets_refused_total{reason="stopping"}'] == 1


async def test_two_thousand_sockets_come_and_go_and_leave_nothing(stage: Stage) -> None:
    for number in range(20):
        stage.log_in(f"user-{number}")
    async with stage.connect() as socket:
        await begin(socket)
    await until(lambda: len(stage.sockets) == 0)
    before = asyncio.all_tasks()
    listening = stage.hub.listening

    async def visit(number: int) -> None:
        async with stage.connect() as socket:
            if number % 3:
                await begin(socket, {"authorization": f"Bearer user-{number % 20}"})
                await subscribe(socket, "s", "subscription { facts { n } }")
                await subscribe(socket, "t", "subscription { mine { n } }")
                await subscribe(socket, "q", "{ hello }")
                await hear(socket)
            if number % 2:
                socket.transport.abort()

    for start in range(0, 2000, 40):
        await asyncio.gather(*(visit(number) for number in range(start, start + 40)))

    await until(lambda: stage.open == 0 and len(stage.sockets) == 0)
    await until(lambda: stage.hub.listening == listening)
    assert stage.runtime.sessions.watching == 0
    await until(lambda: not {task for task in asyncio.all_tasks() - before if not task.done()})


async def test_the_metrics_say_what_is_open_and_what_was_sent(stage: Stage) -> None:
    async with stage.connect() as one, stage.connect() as two:
        for socket in (one, two):
            await begin(socket)
            await subscribe(socket, "s", "subscription { facts { n } }")
        await until(lambda: stage.open == 2)
        await stage.publish(range(3))
        for socket in (one, two):
            for _ in range(3):
                await hear(socket)
        shown = await stage.metrics()
    assert shown["moneta_websockets"] == 2
    assert shown['moneta_subscriptions{transport="websocket"}'] == 2
    assert shown['moneta_subscriptions{transport="sse"}'] == 0
    assert shown["moneta_subscription_groups"] == 1
    assert shown["moneta_subscription_executions_total"] == 3
    assert shown["moneta_subscription_deliveries_total"] == 6
    assert shown["moneta_subscription_lag"] == 0
    assert shown["moneta_subscription_evictions_total"] == 0
    assert {"moneta_subscription_replays_total", "moneta_subscription_resyncs_total"} < shown.keys()


async def test_a_fact_travels_from_its_commit_to_the_socket(stage: Stage) -> None:
    async with stage.connect() as socket:
        await begin(socket)
        await subscribe(socket, "s", 'subscription { facts(stream: "chain") { n cursor } }')
        await until(lambda: stage.open == 1)
        await append(stage.database, stage.events, "chain", range(30))
        heard = [(await hear(socket))["payload"]["data"]["facts"] for _ in range(30)]
        assert [each["n"] for each in heard] == list(range(30))
        await say(socket, "complete", id="s")

        query = 'subscription($after: Cursor) { facts(stream: "chain", after: $after) { n } }'
        await subscribe(socket, "t", query, variables={"after": heard[9]["cursor"]})
        assert [(await hear(socket))["payload"]["data"]["facts"]["n"] for _ in range(20)] == list(range(10, 30))


async def test_a_reader_that_is_stuck_does_not_hold_up_the_end(database: Database, redis: Redis) -> None:
    async with staged(database, redis) as stage, stage.connect() as socket:
        await begin(socket)
        await subscribe(socket, "s", "subscription { facts { text(size: 20000) } }")
        await until(lambda: stage.open == 1)
        for start in range(0, 1000, 50):
            await stage.publish(range(start, start + 50))
        await until(lambda: stage.paused == 1)
        stage.stop.set()
        await until(lambda: len(stage.sockets) == 0 and stage.gone())
