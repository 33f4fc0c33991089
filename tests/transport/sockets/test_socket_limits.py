"""How many sockets there may be, and how fast they may come."""

import contextlib
import json

import pytest
from redis.asyncio import Redis
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from app.kit.db import Database
from app.transport.sockets.admission import ADDRESSES, AddressBuckets, SocketAdmission, TokenBucket
from app.transport.sockets.socket import DOCUMENT_CHARS
from tests.transport.client import begin, closed, hear, say, subscribe
from tests.transport.stage import staged
from tests.waiting import until


async def test_a_viewer_has_so_many_sockets_and_no_more(database: Database, redis: Redis) -> None:
    async with staged(database, redis, socket_viewer_limit=2) as stage, contextlib.AsyncExitStack() as stack:
        stage.log_in("alice")
        stage.log_in("bob")
        first, *_ = [await stack.enter_async_context(stage.connect()) for _ in range(2)]
        await begin(first, {"authorization": "Bearer alice"})
        second = await stack.enter_async_context(stage.connect(cookie="alice", origin=stage.url))
        await begin(second)
        async with stage.connect() as third:
            await say(third, "connection_init", payload={"authorization": "Bearer alice"})
            assert await closed(third) == (1013, "You have as many sockets open as may be, 2: use one of them.")
        async with stage.connect() as bobs, stage.connect() as nobodys:
            await begin(bobs, {"authorization": "Bearer bob"})
            await begin(nobodys)
        assert (await stage.metrics())['moneta_websockets_refused_total{reason="viewer"}'] == 1

        await first.close()
        await until(lambda: stage.runtime.sessions.watching == 1)
        async with stage.connect() as again:
            await begin(again, {"authorization": "Bearer alice"})


async def test_an_address_has_so_many_anonymous_sockets(database: Database, redis: Redis) -> None:
    async with staged(database, redis, socket_address_limit=1) as stage:
        stage.log_in("alice")
        async with stage.connect() as first:
            await begin(first)
            async with stage.connect() as known:
                await begin(known, {"authorization": "Bearer alice"})
            async with stage.connect() as second:
                await say(second, "connection_init")
                assert await closed(second) == (
                    1013,
                    "Your address has as many sockets open as may be, 1: use one of them.",
                )
        assert (await stage.metrics())['moneta_websockets_refused_total{reason="address"}'] == 1
        await until(lambda: len(stage.sockets) == 0)
        async with stage.connect() as later:
            await begin(later)


async def test_sockets_that_come_too_fast_are_told_when_to_come_back(
    database: Database, redis: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    async with staged(database, redis, socket_accept_rate=1) as stage:
        async with stage.connect() as first:
            with pytest.raises(InvalidStatus) as caught:
                async with stage.connect():
                    pass
            await begin(first)
        response = caught.value.response
        assert (response.status_code, response.headers["retry-after"]) == (503, "1")
        assert json.loads(response.body or b"")["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
        assert (await stage.metrics())['moneta_websockets_refused_total{reason="rate"}'] == 1
        # Whoever floods us does not flood the log.
        assert [record for record in caplog.records if record.levelname == "ERROR"] == []


async def test_an_address_has_so_many_sockets_that_say_nothing(database: Database, redis: Redis) -> None:
    async with staged(database, redis, socket_address_limit=2) as stage, contextlib.AsyncExitStack() as stack:
        stage.log_in("alice")
        first, second = [await stack.enter_async_context(stage.connect()) for _ in range(2)]
        with pytest.raises(InvalidStatus) as caught:
            async with stage.connect():
                pass
        response = caught.value.response
        assert (response.status_code, response.headers["retry-after"]) == (429, "1")
        assert json.loads(response.body or b"")["errors"][0]["message"] == (
            "Your address has as many sockets without a connection_init open as may be, 2: use one of them."
        )
        assert (await stage.metrics())['moneta_websockets_refused_total{reason="waiting"}'] == 1

        # Each end of the silence makes room: a beginning, a refusal, a departure, a protocol that we do not speak.
        await begin(first, {"authorization": "Bearer alice"})
        async with stage.connect() as third:
            await say(third, "connection_init", payload={"authorization": "Bearer nobody"})
            assert (await closed(third))[0] == 4403
        await second.close()
        await until(lambda: len(stage.sockets) == 1)
        for _ in range(3):
            async with stage.connect(protocol=Subprotocol("graphql-ws")) as legacy:
                assert (await closed(legacy))[0] == 4406
        stage.is_down = True
        for _ in range(3):
            with pytest.raises(InvalidStatus):
                async with stage.connect(authorization="Bearer alice"):
                    pass
        for _ in range(2):
            await begin(await stack.enter_async_context(stage.connect()))
        await until(lambda: len(stage.sockets) == 3)


async def test_a_socket_that_says_nothing_is_closed_and_makes_room(database: Database, redis: Redis) -> None:
    async with staged(database, redis, socket_address_limit=1, socket_init_timeout_s=0.1) as stage:
        for _ in range(3):
            async with stage.connect() as socket:
                assert (await closed(socket))[0] == 4408
            await until(lambda: len(stage.sockets) == 0)


async def test_one_address_in_a_hurry_does_not_use_up_what_is_for_all(
    database: Database, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with staged(database, redis, socket_address_accept_rate=1, socket_accept_rate=2) as stage:
        # Nothing is given back while we look, however slow the machine is.
        monkeypatch.setattr(
            stage.sockets, "_admission", admission := SocketAdmission(stage.settings, stage.runtime.metrics)
        )
        monkeypatch.setattr(admission, "_addresses", AddressBuckets(1, lambda: 0.0))
        monkeypatch.setattr(admission, "_bucket", TokenBucket(2, lambda: 0.0))
        async with stage.connect() as first:
            for _ in range(5):
                with pytest.raises(InvalidStatus) as caught:
                    async with stage.connect():
                        pass
                assert caught.value.response.status_code == 503
            await begin(first)
        shown = await stage.metrics()
        assert shown['moneta_websockets_refused_total{reason="address_rate"}'] == 5
        assert 'moneta_websockets_refused_total{reason="rate"}' not in shown


def test_each_address_has_its_own_bucket_and_old_ones_are_forgotten() -> None:
    now = 100.0
    buckets = AddressBuckets(2, lambda: now)
    assert [buckets.take(each) for each in ("a", "a", "a", "b", "b", "b")] == [True, True, False] * 2
    now += 0.5
    assert [buckets.take("a") for _ in range(2)] == [True, False]
    for number in range(2 * ADDRESSES):
        assert buckets.take(f"address {number}")
        assert len(buckets) <= ADDRESSES
    assert buckets.take("a")


def test_the_bucket_holds_a_second_and_no_more() -> None:
    now = 100.0
    bucket = TokenBucket(10, lambda: now)
    assert [bucket.take() for _ in range(11)] == [True] * 10 + [False]
    now += 0.25
    assert [bucket.take() for _ in range(3)] == [True, True, False]
    now += 3600
    assert [bucket.take() for _ in range(11)] == [True] * 10 + [False]


async def test_what_is_open_on_a_socket_has_documents_of_a_bounded_length(database: Database, redis: Redis) -> None:
    async with staged(database, redis, body_limit_bytes=100_000) as stage, stage.connect() as socket:
        await begin(socket)
        long = "subscription { facts { n } } #" + "x" * (DOCUMENT_CHARS // 2)
        await subscribe(socket, "a", long)
        await until(lambda: stage.open == 1)
        await subscribe(socket, "b", long)
        refusal = await hear(socket)
        assert (refusal["id"], refusal["type"]) == ("b", "error")
        (error,) = refusal["payload"]
        assert error["extensions"]["code"] == "RATE_LIMITED"
        assert error["message"] == "The documents of a socket's open operations may have 65,536 characters together."
        await subscribe(socket, "c", "{ hello }")
        assert (await hear(socket))["type"] == "next"
        assert (await hear(socket))["type"] == "complete"
        await say(socket, "complete", id="a")
        await subscribe(socket, "b", long)
        await until(lambda: stage.open == 1)
