import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import msgspec
import pytest
import pytest_asyncio

from app.transport import sse
from app.transport.cookies import SESSION
from app.transport.sessions import session_stream
from tests.kit.moving import append, relaying
from tests.transport.live.stage import Stage
from tests.waiting import until


@pytest_asyncio.fixture
async def client(stage: Stage) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        base_url=stage.url, headers={"accept": "text/event-stream"}, timeout=10, trust_env=False
    ) as client:
        yield client


async def whole(client: httpx.AsyncClient, query: str, **headers: str) -> str:
    """The text of a stream that ends by itself."""
    response = await client.post("/graphql", json={"query": query}, headers=headers)
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert response.headers["cache-control"] == "no-store"
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


async def test_a_subscription_is_a_stream_of_next_and_one_complete(client: httpx.AsyncClient, stage: Stage) -> None:
    text = await whole(client, "subscription { ticks(count: 2) { n cursor } }")
    first, second, last, rest = text.split("\n\n")
    for number, block in ((1, first), (2, second)):
        assert block.splitlines()[:2] == [f"id: {number}", "event: next"]
        assert len(block.splitlines()) == 3
        assert data_of(block)["data"] == {"ticks": {"n": number, "cursor": str(number)}}
    assert (last, rest) == ("event: complete\ndata:", "")
    assert stage.open == 0


async def test_get_subscribes_too(client: httpx.AsyncClient) -> None:
    response = await client.get("/graphql", params={"query": "subscription { ticks(count: 1) { n } }"})
    first, last, _ = response.text.split("\n\n")
    # Without a cursor in the selection there is nothing to name the event by.
    assert first.splitlines()[0] == "event: next"
    assert last == "event: complete\ndata:"


async def test_the_last_event_id_continues_the_stream(client: httpx.AsyncClient) -> None:
    for query in (
        "subscription { ticks(count: 2) { n cursor } }",
        'subscription { t: ticks(count: 2, after: "1") { ...T } } fragment T on Tick { n cursor }',
    ):
        text = await whole(client, query, **{"last-event-id": "7"})
        assert [line for line in text.splitlines() if line.startswith("id:")] == ["id: 8", "id: 9"]
    # It is this request's alone.
    text = await whole(client, "subscription { ticks(count: 1) { n cursor } }")
    assert "id: 1\n" in text


async def test_a_field_without_after_ignores_the_last_event_id(client: httpx.AsyncClient) -> None:
    text = await whole(client, "subscription { failing }", **{"last-event-id": "7"})
    assert data_of(text.split("\n\n")[0])["data"] == {"failing": 1}


async def test_a_failed_stream_ends_with_its_error(client: httpx.AsyncClient) -> None:
    first, second, last, _ = (await whole(client, "subscription { failing }")).split("\n\n")
    assert data_of(first)["data"] == {"failing": 1}
    assert data_of(second)["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert last == "event: complete\ndata:"


async def test_silence_is_filled_with_comments_and_leaving_ends_the_generator(
    client: httpx.AsyncClient, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sse, "KEEP_ALIVE_S", 0.02)
    async with client.stream("POST", "/graphql", json={"query": "subscription { silence }"}) as response:
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
    async with relaying(stage.database, stage.redis):
        asking = asyncio.create_task(whole(client, "subscription { silence }", authorization="Bearer alice"))
        await until(lambda: stage.open == 1 and stage.hub.listening == 1)
        await append(stage.database, stage.events, session_stream(alice), [1])
        text = await asyncio.wait_for(asking, 1)
    error, last, _ = text.split("\n\n")
    assert data_of(error)["errors"][0]["message"] == "The session was ended."
    assert data_of(error)["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert last == "event: complete\ndata:"
    await until(lambda: stage.open == 0 and stage.hub.listening == 0)


async def test_an_expired_session_ends_the_stream(client: httpx.AsyncClient, stage: Stage) -> None:
    stage.log_in("alice", lasts=timedelta(seconds=0.2))
    text = await asyncio.wait_for(whole(client, "subscription { silence }", authorization="Bearer alice"), 2)
    assert data_of(text.split("\n\n")[0])["errors"][0]["message"] == "The session has expired."


async def test_a_foreign_page_gets_no_stream_with_our_cookie(client: httpx.AsyncClient, stage: Stage) -> None:
    stage.log_in("alice")
    response = await client.post(
        "/graphql",
        json={"query": "subscription { silence }"},
        headers={"cookie": f"{SESSION}=alice", "origin": "https://evil.example"},
    )
    assert response.status_code == 403
    assert stage.open == 0


async def test_a_reader_that_does_not_drain_is_let_go(
    client: httpx.AsyncClient, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sse, "DRAIN_S", 0.2)
    async with client.stream("POST", "/graphql", json={"query": "subscription { flood }"}) as response:
        assert response.status_code == 200
        await until(lambda: stage.open == 1)
        await until(lambda: stage.open == 0)
        assert stage.flooded < 1000


async def test_closing_ends_every_stream_in_order(client: httpx.AsyncClient, stage: Stage) -> None:
    asking = asyncio.create_task(whole(client, "subscription { silence }"))
    await until(lambda: stage.open == 1)
    assert stage.streams is not None
    await stage.streams.close()
    assert await asyncio.wait_for(asking, 2) == ""
    await until(lambda: stage.open == 0)


async def test_fifty_streams_come_and_go_and_leave_nothing(client: httpx.AsyncClient, stage: Stage) -> None:
    stage.log_in("alice")
    await whole(client, "subscription { ticks(count: 1) { n } }")
    before = asyncio.all_tasks()

    async def visit() -> None:
        headers = {"authorization": "Bearer alice"}
        async with client.stream(
            "POST", "/graphql", json={"query": "subscription { silence }"}, headers=headers
        ) as response:
            assert response.status_code == 200

    await asyncio.gather(*(visit() for _ in range(50)))
    await until(lambda: stage.open == 0 and stage.hub.listening == 0)
    await until(lambda: not {task for task in asyncio.all_tasks() - before if not task.done()})


async def test_a_fact_travels_from_its_commit_to_the_stream(client: httpx.AsyncClient, stage: Stage) -> None:
    async with (
        relaying(stage.database, stage.redis),
        client.stream(
            "POST", "/graphql", json={"query": 'subscription { facts(stream: "chain") { n cursor } }'}
        ) as response,
    ):
        await until(lambda: stage.hub.listening == 1)
        await append(stage.database, stage.events, "chain", range(5))
        ids: list[str] = []
        async for line in response.aiter_lines():
            if line.startswith("id: "):
                ids.append(line)
            if len(ids) == 5:
                break
    assert ids == [f"id: {n}" for n in range(1, 6)]
