import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import msgspec
import pytest
import pytest_asyncio
from redis.asyncio import Redis

from app.kit.db import Database
from app.kit.volatile import VolatileTopics
from app.transport import event_streams
from app.transport.cookies import SESSION
from tests.transport.stage import Stage, staged
from tests.waiting import HANG_S, until


@pytest_asyncio.fixture
async def client(stage: Stage) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        base_url=stage.url, headers={"accept": "text/event-stream"}, timeout=HANG_S, trust_env=False
    ) as client:
        yield client


async def whole(client: httpx.AsyncClient, query: str, **headers: str) -> str:
    """The text of a stream that ends by itself."""
    response = await client.post("/graphql", json={"query": query}, headers=headers)
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    # Compression would delay events.
    assert response.headers["cache-control"] == "no-store, no-transform"
    return response.text


def data_of(block: str) -> Any:
    line = next(line for line in block.splitlines() if line.startswith("data: "))
    return msgspec.json.decode(line.removeprefix("data: "))


async def test_a_stream_of_events_for_our_page_sets_no_cookies(stage: Stage, client: httpx.AsyncClient) -> None:
    assert '"setsCookies":false' in await whole(client, "{ setsCookies }", origin=stage.url)
    plain = await client.post(
        "/graphql", json={"query": "{ setsCookies }"}, headers={"origin": stage.url, "accept": "application/json"}
    )
    assert plain.json()["data"] == {"setsCookies": True}


async def heard(response: httpx.Response, count: int) -> list[str]:
    """The next blocks that are not comments."""
    blocks: list[str] = []
    text = ""
    async for chunk in response.aiter_text():
        *whole, text = (text + chunk).split("\n\n")
        blocks += [block for block in whole if block != ":"]
        if len(blocks) >= count:
            break
    assert len(blocks) == count
    return blocks


async def test_each_event_is_a_next_with_its_cursor_whatever_is_selected(
    client: httpx.AsyncClient, stage: Stage
) -> None:
    async with (
        client.stream("POST", "/graphql", json={"query": "subscription { facts { cursor } }"}) as full,
        client.stream("GET", "/graphql", params={"query": "subscription { f: facts { n } }"}) as bare,
    ):
        await until(lambda: stage.open == 2)
        await stage.publish(range(3))
        with_cursors, without = await heard(full, 3), await heard(bare, 3)
    ids = [data_of(block)["data"]["facts"]["cursor"] for block in with_cursors]
    for blocks in (with_cursors, without):
        assert [block.splitlines()[:2] for block in blocks] == [[f"id: {id_}", "event: next"] for id_ in ids]
        assert all(len(block.splitlines()) == 3 for block in blocks)
    assert [data_of(block)["data"] for block in without] == [{"f": {"n": n}} for n in range(3)]
    await until(lambda: stage.open == 0)


async def test_the_last_event_id_continues_the_stream(client: httpx.AsyncClient, stage: Stage) -> None:
    async with client.stream("POST", "/graphql", json={"query": "subscription { facts { n } }"}) as response:
        await until(lambda: stage.open == 1)
        await stage.publish(range(5))
        ids = [block.splitlines()[0].removeprefix("id: ") for block in await heard(response, 5)]
    for query in (
        "subscription { facts { n } }",
        f'subscription {{ t: facts(after: "{ids[0]}") {{ ...T }} }} fragment T on Tick {{ n }}',
    ):
        headers = {"last-event-id": ids[2]}
        async with client.stream("POST", "/graphql", json={"query": query}, headers=headers) as response:
            again = [block.splitlines()[0].removeprefix("id: ") for block in await heard(response, 2)]
        assert again == ids[3:]


async def test_a_last_event_id_of_nowhere_asks_for_the_data_anew(client: httpx.AsyncClient, stage: Stage) -> None:
    failure, last, _ = (await whole(client, "subscription { facts { n } }", **{"last-event-id": "7"})).split("\n\n")
    assert data_of(failure)["errors"][0]["extensions"]["code"] == "RESYNC_REQUIRED"
    assert not failure.startswith("id:")
    assert last == "event: complete\ndata:"
    assert stage.open == 0


async def test_a_volatile_event_has_no_id(client: httpx.AsyncClient, stage: Stage) -> None:
    await VolatileTopics(stage.redis).publish("price", "BTC", 7)
    async with client.stream("POST", "/graphql", json={"query": "subscription { price { n } }"}) as response:
        (block,) = await heard(response, 1)
    assert block.splitlines()[0] == "event: next"
    assert data_of(block)["data"] == {"price": {"n": 7}}


async def test_a_refused_stream_ends_with_its_error(client: httpx.AsyncClient, stage: Stage) -> None:
    stage.forbidden = True
    failure, last, _ = (await whole(client, "subscription { mine { n } }")).split("\n\n")
    assert data_of(failure)["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert last == "event: complete\ndata:"


async def test_silence_is_filled_with_comments_and_leaving_ends_the_generator(
    client: httpx.AsyncClient, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_streams, "KEEP_ALIVE_S", 0.02)
    async with client.stream("POST", "/graphql", json={"query": "subscription { facts { n } }"}) as response:
        heard = ""
        async for text in response.aiter_text():
            heard += text
            if len(heard) >= 9:
                break
        assert set(heard.split("\n\n")) == {":", ""}
        assert stage.open == 1
    await until(lambda: stage.open == 0)


async def test_an_ended_session_ends_the_stream(client: httpx.AsyncClient, stage: Stage) -> None:
    alice = stage.log_in("alice")
    asking = asyncio.create_task(whole(client, "subscription { facts { n } }", authorization="Bearer alice"))
    await until(lambda: stage.open == 1)
    await stage.revoke(alice)
    error, last, _ = (await asking).split("\n\n")
    assert data_of(error)["errors"][0]["message"] == "The session was ended."
    assert data_of(error)["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert last == "event: complete\ndata:"
    await until(lambda: stage.open == 0 and stage.runtime.sessions.watching == 0)


async def test_an_expired_session_ends_the_stream(client: httpx.AsyncClient, stage: Stage) -> None:
    alice = stage.log_in("alice")
    asking = asyncio.create_task(whole(client, "subscription { facts { n } }", authorization="Bearer alice"))
    await until(lambda: stage.open == 1)
    stage.time.pass_to(alice.expires_at)
    assert data_of((await asking).split("\n\n")[0])["errors"][0]["message"] == "The session has expired."


async def test_a_session_that_was_renewed_keeps_its_stream(client: httpx.AsyncClient, stage: Stage) -> None:
    alice = stage.log_in("alice")
    request = {"json": {"query": "subscription { facts { n } }"}, "headers": {"authorization": "Bearer alice"}}
    async with client.stream("POST", "/graphql", **request) as response:  # type: ignore[arg-type]
        await until(lambda: stage.open == 1)
        stage.tokens["alice"] = msgspec.structs.replace(alice, expires_at=alice.expires_at + timedelta(hours=1))
        stage.time.pass_to(alice.expires_at + timedelta(seconds=1))
        await stage.publish([7])
        assert data_of((await heard(response, 1))[0])["data"] == {"facts": {"n": 7}}


async def test_a_foreign_page_gets_no_stream_with_our_cookie(client: httpx.AsyncClient, stage: Stage) -> None:
    stage.log_in("alice")
    response = await client.post(
        "/graphql",
        json={"query": "subscription { facts { n } }"},
        headers={"cookie": f"{SESSION}=alice", "origin": "https://evil.example"},
    )
    assert response.status_code == 403
    assert stage.open == 0


async def test_a_reader_that_does_not_drain_is_let_go(
    database: Database, redis: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        staged(database, redis, socket_drain_s=0.2) as stage,
        httpx.AsyncClient(
            base_url=stage.url, headers={"accept": "text/event-stream"}, timeout=HANG_S, trust_env=False
        ) as client,
        client.stream("POST", "/graphql", json={"query": "subscription { facts { text(size: 100000) } }"}) as response,
    ):
        assert response.status_code == 200
        await until(lambda: stage.open == 1)
        # More than the kernel takes for a reader that does not read.
        await stage.publish(range(200))
        await until(lambda: stage.open == 0)
        assert stage.counters.evictions == 1
    # It is an expected end.
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


async def test_closing_ends_every_stream_so_that_clients_return(client: httpx.AsyncClient, stage: Stage) -> None:
    asking = asyncio.create_task(whole(client, "subscription { facts { n } }"))
    await until(lambda: stage.open == 1)
    await stage.streams.close()
    assert await asking == ": SERVER_STOPPING The server is restarting. Connect again.\n\n"
    await until(lambda: stage.open == 0)


async def test_fifty_streams_come_and_go_and_leave_nothing(client: httpx.AsyncClient, stage: Stage) -> None:
    stage.log_in("alice")
    await whole(client, "{ hello }")
    listening = stage.hub.listening
    before = asyncio.all_tasks()

    async def visit() -> None:
        headers = {"authorization": "Bearer alice"}
        async with client.stream(
            "POST", "/graphql", json={"query": "subscription { facts { n } }"}, headers=headers
        ) as response:
            assert response.status_code == 200

    await asyncio.gather(*(visit() for _ in range(50)))
    await until(lambda: stage.open == 0 and stage.hub.listening == listening)
    await until(lambda: not {task for task in asyncio.all_tasks() - before if not task.done()})


async def test_a_viewer_and_an_address_have_so_many_streams_and_no_more(database: Database, redis: Redis) -> None:
    query = {"query": "subscription { facts { n } }"}
    async with (
        staged(database, redis, socket_viewer_limit=2, socket_address_limit=1) as stage,
        httpx.AsyncClient(
            base_url=stage.url, headers={"accept": "text/event-stream"}, timeout=HANG_S, trust_env=False
        ) as client,
        contextlib.AsyncExitStack() as stack,
    ):
        stage.log_in("alice")
        stage.log_in("bob")
        alice, bob = ({"authorization": f"Bearer {name}"} for name in ("alice", "bob"))
        first, *_ = [
            await stack.enter_async_context(client.stream("POST", "/graphql", json=query, headers=headers))
            for headers in (alice, alice, bob, {})
        ]
        for headers, message in (
            (alice, "You have as many streams of events open as may be, 2: use one of them."),
            ({}, "Your address has as many streams of events open as may be, 1: use one of them."),
        ):
            refused = await client.post("/graphql", json=query, headers=headers)
            assert refused.status_code == 429
            error = refused.json()["errors"][0]
            assert (error["message"], error["extensions"]["code"]) == (message, "RATE_LIMITED")
        await until(lambda: stage.open == 4)
        # One answer is no stream.
        assert '"hello":"hello world"' in await whole(client, "{ hello }", **alice)

        await first.aclose()
        await until(lambda: stage.open == 3)
        again = await stack.enter_async_context(client.stream("POST", "/graphql", json=query, headers=alice))
        assert again.status_code == 200


async def test_a_client_that_goes_with_a_request_behind_its_stream_is_no_error_of_ours(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(event_streams, "KEEP_ALIVE_S", 0.05)
    body = msgspec.json.encode({"query": "subscription { facts { n } }"})
    head = "POST /graphql HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\ncontent-type: application/json\r\n"
    request = f"{head}content-length: {len(body)}\r\n\r\n".encode() + body
    host, _, port = stage.url.removeprefix("http://").partition(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(request + b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n")
    await until(lambda: stage.open == 1)
    writer.transport.abort()
    await until(lambda: stage.open == 0)
    assert "request_failed" not in capsys.readouterr().err + caplog.text
