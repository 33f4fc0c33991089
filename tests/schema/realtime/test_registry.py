"""Listing and closing over several processes, each with subscriptions of its own."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from redis.asyncio import Redis

from app.dev.embedded import Embedded
from app.engine.streams.model import Transport
from app.engine.streams.subscriptions import Subscriptions
from app.kit.errors import NotFound, Unavailable
from app.kit.process_rpc import ProcessRpc, Replies
from app.kit.redis_client import open_redis
from app.schema.realtime.registry import MAX_DOCUMENT, OpenStream, OpenStreams
from tests.databases import NOON
from tests.kit.test_process_rpc import all_listen, process
from tests.waiting import HANG_S

ALICE, BOB = uuid4(), uuid4()


@dataclass
class Open:
    """An open subscription, as far as it is looked at."""

    id: str
    viewer_id: UUID
    age_s: int = 0
    document: str = "subscription { blocks { cursor } }"
    transport: Transport = Transport.WEBSOCKET
    delivered: int = 0
    lag: int = 0

    @property
    def opened_at(self) -> Any:
        return NOON - timedelta(seconds=self.age_s)


@dataclass
class Process:
    """The subscriptions of one process, and how all are reached from it."""

    open: list[Open]
    rpc: ProcessRpc
    closed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.registry = OpenStreams(cast(Subscriptions, self), self.rpc)

    def of(self, viewer_id: UUID) -> list[Open]:
        return [each for each in self.open if each.viewer_id == viewer_id]

    def end(self, subscription_id: str, viewer_id: UUID) -> bool:
        found = [each for each in self.open if (each.viewer_id, each.id) == (viewer_id, subscription_id)]
        for each in found:
            self.open.remove(each)
            self.closed.append(each.id)
        return bool(found)


@contextlib.asynccontextmanager
async def deployment(servers: Embedded, redis: Redis, *processes: list[Open]) -> AsyncIterator[list[Process]]:
    async with contextlib.AsyncExitStack() as stack:
        running = []
        for open_ in processes:
            client = await open_redis(servers.redis_url)
            stack.push_async_callback(client.aclose)
            running.append(Process(open_, ProcessRpc(client, within_s=HANG_S)))
            await running[-1].rpc.start()
            stack.push_async_callback(running[-1].rpc.stop)
        await all_listen(redis, len(processes))
        yield running


async def ids(by: Process, viewer_id: UUID, first: int = 50) -> list[str]:
    return [each.id for each in await by.registry.newest(viewer_id, first)]


async def test_the_newest_of_all_processes_come_first(redis: Redis, servers: Embedded) -> None:
    here = [Open("a", ALICE, 30), Open("x", BOB, 5), Open("b", ALICE, 10)]
    there = [Open("c", ALICE, 20, transport=Transport.SSE, delivered=7, lag=3), Open("d", ALICE, 40)]
    async with deployment(servers, redis, here, there) as (first, second):
        assert await ids(first, ALICE) == await ids(second, ALICE) == ["b", "c", "a", "d"]
        assert await ids(first, ALICE, first=2) == ["b", "c"]
        assert await ids(second, BOB) == ["x"]
        assert await ids(second, uuid4()) == []
        assert (await first.registry.newest(ALICE, 2))[1] == OpenStream(
            id="c",
            document="subscription { blocks { cursor } }",
            transport=Transport.SSE,
            opened_at=NOON - timedelta(seconds=20),
            delivered=7,
            lag=3,
        )


async def test_those_opened_at_one_moment_keep_an_order(redis: Redis, servers: Embedded) -> None:
    async with deployment(servers, redis, [Open("a", ALICE), Open("c", ALICE)], [Open("b", ALICE)]) as (first, second):
        assert await ids(first, ALICE) == await ids(second, ALICE) == ["c", "b", "a"]


async def test_one_is_closed_wherever_it_is_and_only_once(redis: Redis, servers: Embedded) -> None:
    async with deployment(servers, redis, [Open("a", ALICE)], [Open("b", ALICE), Open("c", ALICE)]) as (first, second):
        await first.registry.close(ALICE, "b")
        assert (first.closed, second.closed) == ([], ["b"])
        for one in (first, second):
            with pytest.raises(NotFound):
                await one.registry.close(ALICE, "b")
        await first.registry.close(ALICE, "a")
        assert (first.closed, second.closed) == (["a"], ["b"])
        assert await ids(first, ALICE) == ["c"]


async def test_of_two_that_close_it_one_learns_that_it_is_closed(redis: Redis, servers: Embedded) -> None:
    async with deployment(servers, redis, [], [Open("b", ALICE)]) as (first, second):
        outcomes = await asyncio.gather(
            first.registry.close(ALICE, "b"), second.registry.close(ALICE, "b"), return_exceptions=True
        )
        assert sorted(map(repr, outcomes)) == sorted([repr(None), repr(NotFound(OpenStream))])
        assert second.closed == ["b"]


async def test_a_stranger_closes_nothing(redis: Redis, servers: Embedded) -> None:
    async with deployment(servers, redis, [Open("a", ALICE)], [Open("b", ALICE)]) as (first, second):
        for one in (first, second):
            for id_ in ("a", "b"):
                with pytest.raises(NotFound):
                    await one.registry.close(BOB, id_)
        assert (first.closed, second.closed) == ([], [])
        assert await ids(first, BOB) == []
        assert await ids(first, ALICE) == ["b", "a"]


async def test_what_redis_returns_is_trusted(redis: Redis, servers: Embedded) -> None:
    """A question names the viewer, and nothing proves that it did ask: who publishes in Redis may act for anybody."""
    async with (
        deployment(servers, redis, [Open("a", ALICE)], [Open("b", ALICE)]) as (first, second),
        process(servers.redis_url, lambda _: False, topic="subscriptions.close") as asker,
    ):
        await all_listen(redis, 3)
        answers = await asker.call("subscriptions.close", {"viewer_id": str(ALICE), "subscription_id": "b"})
        assert (first.closed, second.closed) == ([], ["b"])
        assert sorted(answers.replies) == [False, False, True]
        # Yet it must say whose it is: an id alone closes nothing.
        nameless = await asker.call("subscriptions.close", {"subscription_id": "a"})
        assert nameless == Replies([False], complete=False)
        assert first.closed == []


@pytest.mark.parametrize(
    "id_", ["", " ", "x" * 65, "x" * 1_000_000, "a\n", "ä", "\ud800", "\u0661", "../a", "a\0", "🦆", "a b", "*"]
)
async def test_what_is_no_id_is_not_found_and_nobody_is_asked(redis: Redis, id_: str) -> None:
    alone = Process([Open(id_, ALICE)], ProcessRpc(redis))
    with pytest.raises(NotFound):
        await alone.registry.close(ALICE, id_)
    assert alone.closed == []


async def test_a_thousand_are_bounded(redis: Redis, servers: Embedded) -> None:
    long = "subscription { " + "𝄞" * 50_000
    many = [[Open(f"{place}-{n}", ALICE, 2 * n + place, document=long) for n in range(1000)] for place in range(2)]
    async with deployment(servers, redis, *many) as (first, _):
        listed = await first.registry.newest(ALICE, 100)
    assert [each.id for each in listed] == [f"{place}-{n}" for n in range(50) for place in range(2)]
    assert {each.document for each in listed} == {long[: MAX_DOCUMENT - 1] + "…"}


async def test_a_document_that_fits_is_shown_whole(redis: Redis) -> None:
    document = "x" * MAX_DOCUMENT
    alone = Process([Open("a", ALICE, document=document)], ProcessRpc(redis))
    assert [each.document for each in await alone.registry.newest(ALICE, 1)] == [document]


async def test_counting_ends_where_an_int_ends(redis: Redis) -> None:
    alone = Process([Open("a", ALICE, delivered=2**31 - 1), Open("b", ALICE, delivered=2**31)], ProcessRpc(redis))
    assert [each.delivered for each in await alone.registry.newest(ALICE, 2)] == [2**31 - 1] * 2


async def test_when_a_process_does_not_answer_the_rest_is_listed_and_nothing_is_said_to_be_absent(
    redis: Redis, servers: Embedded
) -> None:
    async with deployment(servers, redis, [Open("a", ALICE)], [Open("b", ALICE)], [Open("c", ALICE)]) as processes:
        first, second, third = processes
        second.of = third.end = broken  # type: ignore[method-assign, assignment]
        assert await ids(first, ALICE) == ["c", "a"]
        await first.registry.close(ALICE, "b")
        assert second.closed == ["b"]
        with pytest.raises(Unavailable):
            await first.registry.close(ALICE, "c")
        assert third.closed == []


def broken(*_: Any) -> Any:
    raise RuntimeError("not today")
