"""Multipart subscriptions over HTTP, to the byte: Apollo's protocol."""

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from redis.asyncio import Redis

from app.kit.db import Database
from app.transport import event_streams
from app.transport.framings import Multipart, ServerSentEvents, choose_framing
from app.transport.messages import accepted
from tests.transport.stage import Stage, staged
from tests.waiting import HANG_S, until

ACCEPT = 'multipart/mixed;boundary="graphql";subscriptionSpec="1.0"'
APOLLO = "multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/graphql-response+json,*/*;q=0.9"
PART = b"\r\ncontent-type: application/json\r\n\r\n%s\r\n--graphql"
FACTS = {"query": "subscription { facts { n } }"}


@pytest_asyncio.fixture
async def client(stage: Stage) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        base_url=stage.url, headers={"accept": ACCEPT}, timeout=HANG_S, trust_env=False
    ) as client:
        yield client


async def read(response: httpx.Response, boundaries: int) -> bytes:
    """A body up to so many boundaries, in whatever pieces they come."""
    body = b""
    async for chunk in response.aiter_bytes():
        body += chunk
        if body.count(b"--graphql") >= boundaries:
            break
    return body


async def test_each_event_is_a_part_that_its_boundary_follows(client: httpx.AsyncClient, stage: Stage) -> None:
    async with client.stream("POST", "/graphql", json=FACTS) as response:
        assert response.status_code == 200
        assert response.headers["content-type"] == ACCEPT
        assert response.headers["cache-control"] == "no-store, no-transform"
        await until(lambda: stage.open == 1)
        await stage.publish([1, 2])
        body = await read(response, 3)
    head, *found, rest = body.split(b"\r\n--graphql")
    assert (head, rest) == (b"", b"")
    assert [each.partition(b"\r\n\r\n")[0] for each in found] == [b"\r\ncontent-type: application/json"] * 2
    payloads = [json.loads(each.partition(b"\r\n\r\n")[2]) for each in found]
    assert [each["payload"]["data"] for each in payloads] == [{"facts": {"n": 1}}, {"facts": {"n": 2}}]
    assert all(set(each) == {"payload"} for each in payloads)


async def test_a_last_event_id_means_nothing_here(client: httpx.AsyncClient, stage: Stage) -> None:
    async with client.stream("POST", "/graphql", json=FACTS, headers={"last-event-id": "7"}) as response:
        await until(lambda: stage.open == 1)
        await stage.publish([1])
        assert b'{"facts":{"n":1}}' in await read(response, 2)


async def test_every_part_is_written_at_once_and_with_its_boundary(client: httpx.AsyncClient, stage: Stage) -> None:
    """A client reads a part when it has the boundary behind it: no event waits for the next one."""
    async with client.stream("POST", "/graphql", json=FACTS) as response:
        chunks = response.aiter_raw()
        assert await anext(chunks) == b"\r\n--graphql"
        for n in range(3):
            await until(lambda: stage.open == 1)
            await stage.publish([n])
            chunk = await anext(chunks)
            head, _, rest = chunk.partition(b"\r\n\r\n")
            assert head == b"\r\ncontent-type: application/json"
            assert rest.startswith(b'{"payload":{"data":{"facts":{"n":%d}}' % n)
            assert rest.endswith(b"}\r\n--graphql")


async def test_a_refused_stream_is_an_error_of_the_transport(client: httpx.AsyncClient, stage: Stage) -> None:
    stage.forbidden = True
    response = await client.post("/graphql", json={"query": "subscription { mine { n } }"})
    assert response.status_code == 200
    begin, part, end = response.content.split(b"\r\n--graphql")
    assert (begin, end) == (b"", b"--\r\n")
    failure = json.loads(part.partition(b"\r\n\r\n")[2])
    assert failure["payload"] is None
    assert [error["extensions"]["code"] for error in failure["errors"]] == ["FORBIDDEN"]


async def test_one_result_is_one_part_for_who_reads_nothing_else(client: httpx.AsyncClient, stage: Stage) -> None:
    response = await client.post("/graphql", json={"query": "{ hello }"})
    begin, part, end = response.content.split(b"\r\n--graphql")
    assert (begin, end) == (b"", b"--\r\n")
    assert json.loads(part.partition(b"\r\n\r\n")[2])["payload"]["data"] == {"hello": "hello world"}
    # A client that also reads JSON gets that.
    plain = await client.post("/graphql", json={"query": "{ hello }"}, headers={"accept": APOLLO})
    assert plain.headers["content-type"] == "application/graphql-response+json; charset=utf-8"
    refused = await client.post("/graphql", json={"query": "{ nothing }"}, headers={"accept": APOLLO})
    assert refused.status_code == 400


async def test_silence_is_filled_with_empty_parts(
    client: httpx.AsyncClient, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_streams, "KEEP_ALIVE_S", 0.02)
    expected = b"\r\n--graphql" + 2 * (PART % b"{}")
    async with client.stream("POST", "/graphql", json=FACTS) as response:
        assert (await read(response, 3)).startswith(expected)
    await until(lambda: stage.open == 0)


async def test_a_client_that_is_cut_off_half_way_leaves_nothing(client: httpx.AsyncClient, stage: Stage) -> None:
    listening = stage.hub.listening
    query = {"query": "subscription { facts { text(size: 100000) } }"}
    async with client.stream("POST", "/graphql", json=query) as response:
        await until(lambda: stage.open == 1)
        await stage.publish([1])
        # In the middle of a part.
        async for chunk in response.aiter_raw():
            if b"xxx" in chunk:
                assert not chunk.endswith(b"--graphql")
                break
    await until(lambda: stage.open == 0 and stage.hub.listening == listening)


async def test_a_reader_that_does_not_drain_is_let_go(
    database: Database, redis: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        staged(database, redis, socket_drain_s=0.2) as stage,
        httpx.AsyncClient(base_url=stage.url, headers={"accept": ACCEPT}, timeout=HANG_S, trust_env=False) as client,
        client.stream("POST", "/graphql", json={"query": "subscription { facts { text(size: 100000) } }"}),
    ):
        await until(lambda: stage.open == 1)
        # More than the kernel takes for a reader that does not read.
        await stage.publish(range(200))
        await until(lambda: stage.open == 0)
        assert stage.counters.evictions == 1
    # It is an expected end.
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


async def test_streams_of_both_kinds_share_the_limits(database: Database, redis: Redis) -> None:
    async with (
        staged(database, redis, socket_address_limit=1) as stage,
        httpx.AsyncClient(base_url=stage.url, timeout=HANG_S, trust_env=False) as client,
        client.stream("POST", "/graphql", json=FACTS, headers={"accept": "text/event-stream"}),
    ):
        await until(lambda: stage.open == 1)
        refused = await client.post("/graphql", json=FACTS, headers={"accept": ACCEPT})
        assert refused.status_code == 429


async def test_closing_tells_every_stream(client: httpx.AsyncClient, stage: Stage) -> None:
    asking = asyncio.create_task(client.post("/graphql", json=FACTS))
    await until(lambda: stage.open == 1)
    await stage.streams.close()
    body = (await asking).content
    assert body.endswith(b"\r\n--graphql--\r\n")
    assert b'"reason":"SERVER_STOPPING"' in body


@pytest.mark.parametrize(
    ("accept", "framing"),
    [
        (ACCEPT, Multipart),
        (APOLLO, Multipart),
        ("Multipart/Mixed; subscriptionSpec=1.0", Multipart),
        ("text/event-stream", ServerSentEvents),
        (f"text/event-stream, {ACCEPT}", ServerSentEvents),
        (f"{ACCEPT}, text/event-stream", Multipart),
        (f"{ACCEPT};q=0.5, text/event-stream", ServerSentEvents),
        (f"{ACCEPT};q=0, text/event-stream;q=0.1", ServerSentEvents),
        ("multipart/mixed", None),
        ("multipart/mixed;deferSpec=20220824", None),
        ('multipart/mixed;subscriptionSpec="2.0"', None),
        (f"{ACCEPT};q=0", None),
        ("*/*", None),
        ("application/json", None),
        (None, None),
    ],
)
def test_the_framing_is_what_the_client_names(accept: str | None, framing: type | None) -> None:
    chosen = choose_framing(accepted(accept))
    assert chosen is None if framing is None else isinstance(chosen, framing)


async def test_other_kinds_of_multipart_are_not_acceptable(client: httpx.AsyncClient) -> None:
    response = await client.post("/graphql", json=FACTS, headers={"accept": "multipart/mixed;deferSpec=20220824"})
    assert response.status_code == 406
