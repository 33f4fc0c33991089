"""Processes that ask each other: each is a ProcessRpc with a Redis client of its own."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from redis.asyncio import Redis

from app.dev.embedded import Embedded
from app.dev.processes import free_port
from app.kit import process_rpc as process_rpc_module
from app.kit.process_rpc import QUESTIONS, Handler, ProcessRpc, Replies
from app.kit.redis_client import open_redis
from tests.engine.support import listening
from tests.kit.test_hub import valkey
from tests.waiting import HANG_S, until

IMPATIENT_S = 0.05
"""For who does not answer. Nobody else is patient: whatever ends, ended because all had answered."""


@contextlib.asynccontextmanager
async def process(
    url: str, handler: Handler, *, topic: str = "who", within_s: float = HANG_S
) -> AsyncIterator[ProcessRpc]:
    redis = await open_redis(url)
    rpc = ProcessRpc(redis, within_s=within_s)
    rpc.register(topic, handler)
    await rpc.start()
    try:
        yield rpc
    finally:
        await rpc.stop()
        await redis.aclose()


async def listeners(redis: Redis) -> int:
    return dict(await redis.pubsub_numsub(QUESTIONS))[QUESTIONS.encode()]


async def all_listen(redis: Redis, processes: int) -> None:
    async def so_many() -> bool:
        return await listeners(redis) == processes

    await until(so_many)


async def test_all_processes_answer_and_the_own_answer_is_first(redis: Redis, servers: Embedded) -> None:
    url = servers.redis_url

    async def second(payload: Any) -> Any:
        return {"second": payload}

    async with (
        process(url, lambda payload: {"first": payload}) as first,
        process(url, second) as other,
        process(url, lambda _: ["third"]),
    ):
        await all_listen(redis, 3)
        answers = await first.call("who", {"name": "Ada", "n": [1, None]})
        question = {"name": "Ada", "n": [1, None]}
        assert answers.complete
        assert answers.replies[0] == {"first": question}
        assert sorted(map(str, answers.replies[1:])) == ["['third']", str({"second": question})]
        assert (await other.call("who", 7)).replies[0] == {"second": 7}


async def test_questions_that_are_open_at_once_get_their_own_answers(redis: Redis, servers: Embedded) -> None:
    async with (
        process(servers.redis_url, lambda payload: payload) as first,
        process(servers.redis_url, lambda payload: -payload),
    ):
        await all_listen(redis, 2)
        answers = await asyncio.gather(*(first.call("who", number) for number in range(50)))
    assert answers == [Replies([number, -number], complete=True) for number in range(50)]


async def test_a_process_that_was_not_started_is_alone(redis: Redis, servers: Embedded) -> None:
    async with process(servers.redis_url, lambda _: "other"):
        await all_listen(redis, 1)
        rpc = ProcessRpc(redis)
        rpc.register("who", lambda _: "me")
        assert await rpc.call("who", None) == Replies(["me"], complete=True)
        await rpc.stop()


async def test_a_process_that_has_stopped_is_not_waited_for(redis: Redis, servers: Embedded) -> None:
    async with process(servers.redis_url, lambda _: "first") as first:
        async with process(servers.redis_url, lambda _: "second"):
            await all_listen(redis, 2)
        await all_listen(redis, 1)
        assert await first.call("who", None) == Replies(["first"], complete=True)


async def test_a_process_that_dies_while_it_is_asked_costs_the_deadline_and_no_more(
    redis: Redis, servers: Embedded
) -> None:
    asked = asyncio.Event()

    async def die(_: Any) -> Any:
        asked.set()
        await asyncio.Event().wait()

    async with (
        process(servers.redis_url, lambda _: "first") as first,
        process(servers.redis_url, die),
        process(servers.redis_url, lambda _: "third"),
    ):
        await all_listen(redis, 3)
        first.within_s = IMPATIENT_S

        async def heard_of_the_living() -> bool:
            # However slow the machine is, in the end the living answer in time.
            first.within_s *= 2
            answers = await first.call("who", None)
            assert not answers.complete
            return answers.replies == ["first", "third"]

        await until(heard_of_the_living)
        assert asked.is_set()


async def test_a_process_that_fails_says_so_at_once(redis: Redis, servers: Embedded) -> None:
    def fail(_: Any) -> Any:
        raise RuntimeError("not today")

    async with (
        process(servers.redis_url, lambda _: "first") as first,
        process(servers.redis_url, fail) as failing,
        process(servers.redis_url, lambda _: "of another release", topic="what") as other,
    ):
        await all_listen(redis, 3)
        assert await first.call("who", None) == Replies(["first"], complete=False)
        with pytest.raises(RuntimeError, match="not today"):
            await failing.call("who", None)
        assert (await other.call("what", None)).replies == ["of another release"]


async def test_a_reply_beyond_the_limit_is_left_out(
    redis: Redis, servers: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process_rpc_module, "MAX_REPLY_BYTES", 1000)
    async with (
        process(servers.redis_url, lambda _: "first") as first,
        process(servers.redis_url, lambda size: "x" * size),
    ):
        await all_listen(redis, 2)
        assert await first.call("who", 1000) == Replies(["first"], complete=False)
        assert await first.call("who", 800) == Replies(["first", "x" * 800], complete=True)


async def test_open_questions_are_bounded(redis: Redis, servers: Embedded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_rpc_module, "MAX_ASKING", 2)
    answered, release = [], asyncio.Event()

    async def slow(payload: Any) -> Any:
        answered.append(payload)
        await release.wait()
        return "second"

    async with process(servers.redis_url, lambda _: "first") as first, process(servers.redis_url, slow):
        await all_listen(redis, 2)
        waiting = [asyncio.create_task(first.call("who", number)) for number in range(2)]
        await until(lambda: sorted(answered) == [0, 1])
        assert await first.call("who", 2) == Replies(["first"], complete=False)
        release.set()
        assert await asyncio.gather(*waiting) == [Replies(["first", "second"], complete=True)] * 2
        assert sorted(answered) == [0, 1]
        assert (await first.call("who", 3)).complete


async def test_questions_of_others_are_bounded(
    redis: Redis, servers: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process_rpc_module, "MAX_ANSWERING", 3)
    answered, release = [], asyncio.Event()

    async def slow(payload: Any) -> Any:
        answered.append(payload)
        await release.wait()

    async with process(servers.redis_url, lambda _: "first") as first, process(servers.redis_url, slow):
        await all_listen(redis, 2)
        with listening() as entries:
            waiting = [asyncio.create_task(first.call("who", number)) for number in range(10)]
            await until(lambda: [entry["event"] for entry in entries] == ["peers.too_busy"] * 7)
        release.set()
        await until(lambda: sum(asking.done() for asking in waiting) == 3)
        assert [asking.result().complete for asking in waiting if asking.done()] == [True] * 3
        assert len(answered) == 3
        # Nobody will answer the others.
        for asking in waiting:
            asking.cancel()
        await asyncio.wait(waiting)


async def test_an_ask_that_is_cancelled_leaves_nothing_behind(redis: Redis, servers: Embedded) -> None:
    asked = asyncio.Event()

    async def never(_: Any) -> Any:
        asked.set()
        await asyncio.Event().wait()

    async with process(servers.redis_url, lambda _: "first") as first, process(servers.redis_url, never):
        await all_listen(redis, 2)
        asking = asyncio.create_task(first.call("who", None))
        await asked.wait()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert not first._asked
        await until(lambda: not first._publishing)


@pytest.mark.parametrize("message", [b"\xff\xfe", b"{", b"[]", b'{"id": 1}', b'{"id": "a", "topic": "who"}', b""])
async def test_nonsense_on_the_channels_is_passed_over(redis: Redis, servers: Embedded, message: bytes) -> None:
    async with (
        process(servers.redis_url, lambda _: "first") as first,
        process(servers.redis_url, lambda _: "second"),
    ):
        await all_listen(redis, 2)
        for channel in await redis.pubsub_channels(f"{QUESTIONS}*"):
            await redis.publish(channel, message)
        assert await first.call("who", None) == Replies(["first", "second"], complete=True)


async def test_a_reply_to_no_question_of_ours_is_passed_over(redis: Redis, servers: Embedded) -> None:
    reply = {"question": "unknown", "sender": "somebody", "failed": False, "body": "forged"}
    async with process(servers.redis_url, lambda _: "first") as first:
        await all_listen(redis, 1)
        await redis.publish(f"{QUESTIONS}:{first._name}", msgspec.json.encode(reply))
        assert await first.call("who", None) == Replies(["first"], complete=True)


async def test_connections_that_are_killed_come_back(redis: Redis, servers: Embedded) -> None:
    async with (
        process(servers.redis_url, lambda _: "first") as first,
        process(servers.redis_url, lambda _: "second"),
    ):
        await all_listen(redis, 2)
        first.within_s = IMPATIENT_S
        for _ in range(3):
            assert await redis.client_kill_filter(_type="pubsub") == 2
            await all_listen(redis, 2)
            await until(lambda: whole(first))


async def whole(rpc: ProcessRpc) -> bool:
    """Whether both processes answer; until its channels are back, a process misses some of the replies.

    Each time it waits longer, as long as a busy machine may want.
    """
    rpc.within_s += IMPATIENT_S
    return await rpc.call("who", None) == Replies(["first", "second"], complete=True)


async def test_without_redis_there_is_the_own_answer_until_redis_is_back(tmp_path: Path) -> None:
    port = free_port()
    url = f"redis://127.0.0.1:{port}"
    async with contextlib.AsyncExitStack() as stack:
        async with valkey(port, tmp_path) as server:
            first = await stack.enter_async_context(process(url, lambda _: "first", within_s=IMPATIENT_S))
            await stack.enter_async_context(process(url, lambda _: "second"))
            await until(lambda: whole(first))
            server.kill()
            await server.wait()
            # It does not wait for an answer to what it could not ask.
            first.within_s = HANG_S
            assert await first.call("who", None) == Replies(["first"], complete=False)
        async with valkey(port, tmp_path):
            first.within_s = IMPATIENT_S
            await until(lambda: whole(first))


async def test_whoever_does_not_hear_its_own_question_knows_that_it_misses_answers(
    redis: Redis, servers: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def deaf(_: ProcessRpc) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(ProcessRpc, "_listen", deaf)
    async with process(servers.redis_url, lambda _: "first") as first:
        await all_listen(redis, 0)
        assert await first.call("who", None) == Replies(["first"], complete=False)


async def test_a_redis_that_hangs_holds_nobody(tmp_path: Path) -> None:
    port = free_port()
    async with (
        valkey(port, tmp_path) as server,
        process(f"redis://127.0.0.1:{port}", lambda _: "first", within_s=IMPATIENT_S) as first,
    ):
        async with Redis(port=port) as probe:
            await all_listen(probe, 1)
        server.send_signal(19)
        try:
            assert await first.call("who", None) == Replies(["first"], complete=False)
        finally:
            server.send_signal(18)


async def test_it_starts_and_stops_without_redis(tmp_path: Path) -> None:
    port = free_port()
    async with valkey(port, tmp_path):
        redis = await open_redis(f"redis://127.0.0.1:{port}")
    rpc = ProcessRpc(redis, within_s=IMPATIENT_S)
    rpc.register("who", lambda _: "me")
    await rpc.start()
    assert await rpc.call("who", None) == Replies(["me"], complete=False)
    listening = rpc._listening
    assert listening is not None
    await rpc.stop()
    assert listening.done()
    assert await rpc.call("who", None) == Replies(["me"], complete=True)
    await redis.aclose()


def test_a_topic_has_one_handler(redis: Redis) -> None:
    rpc = ProcessRpc(redis)
    rpc.register("who", lambda _: "me")
    with pytest.raises(ValueError, match="who is answered already"):
        rpc.register("who", lambda _: "me too")
