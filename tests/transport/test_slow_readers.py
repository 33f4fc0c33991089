"""Readers that stall, and what that costs everybody else: nothing."""

import asyncio
import contextlib
import json
import socket as sockets
from collections.abc import AsyncIterator, Mapping

import pytest
from redis.asyncio import Redis
from websockets.frames import Frame, Opcode

from app.kit.db import Database
from app.transport.sockets import wire
from tests.transport.client import begin, closed, hear, subscribe
from tests.transport.stage import Stage, staged
from tests.waiting import HANG_S, until

SIZE = 20_000
SUBSCRIPTION = f"subscription {{ facts {{ n text(size: {SIZE}) }} }}"
HELD_BYTES = wire.HIGH_WATER_BYTES + 2 * 64 * 1024 + SIZE
"""The most that waits for a reader: what pauses its wire, and the batch that was one too many."""


IMPATIENT_S = 0.5


@pytest.fixture
def quick(database: Database, redis: Redis) -> contextlib.AbstractAsyncContextManager[Stage]:
    """A server that has little patience."""
    return staged(database, redis, socket_drain_s=IMPATIENT_S)


class Bare:
    """A client that reads only when asked: a small window, and no library that reads ahead."""

    def __init__(self, connection: sockets.socket) -> None:
        self.connection = connection

    async def read(self, count: int) -> bytes:
        return await asyncio.get_running_loop().sock_recv(self.connection, count)

    async def send(self, message: Mapping[str, object]) -> None:
        frame = Frame(Opcode.TEXT, json.dumps(message).encode()).serialize(mask=True)
        await asyncio.get_running_loop().sock_sendall(self.connection, frame)


@contextlib.asynccontextmanager
async def bare(stage: Stage) -> AsyncIterator[Bare]:
    """An initialised and subscribed one."""
    host, _, port = stage.url.removeprefix("http://").partition(":")
    with sockets.socket() as connection:
        connection.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
        connection.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connection, (host, int(port)))
        client = Bare(connection)
        handshake = [
            "GET /graphql HTTP/1.1",
            f"Host: {host}:{port}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Protocol: graphql-transport-ws",
            "",
            "",
        ]
        await asyncio.get_running_loop().sock_sendall(connection, "\r\n".join(handshake).encode())
        assert (await client.read(4096)).startswith(b"HTTP/1.1 101")
        await client.send({"type": "connection_init"})
        assert b"connection_ack" in await client.read(4096)
        await client.send({"type": "subscribe", "id": "s", "payload": {"query": SUBSCRIPTION}})
        yield client


async def flood(stage: Stage, count: int) -> int:
    """Publishes, and gives the most that the server held for its readers meanwhile."""
    held = 0
    for start in range(0, count, 20):
        await stage.publish(range(start, start + 20))
        held = max(held, *stage.held_bytes(), 0)
    return held


async def heard_all(stage: Stage, count: int) -> list[int]:
    """Subscribes like everybody else, and reads on."""
    async with stage.connect(max_queue=None) as socket:
        await begin(socket)
        await subscribe(socket, "s", SUBSCRIPTION)
        return [(await hear(socket))["payload"]["data"]["facts"]["n"] for _ in range(count)]


async def test_a_reader_that_reads_nothing_is_evicted_and_nobody_else_notices(stage: Stage) -> None:
    async with bare(stage):
        await until(lambda: stage.open == 1)
        others = [asyncio.create_task(heard_all(stage, 400)) for _ in range(3)]
        await until(lambda: stage.open == 4)
        assert await flood(stage, 400) <= HELD_BYTES
        assert [await each for each in others] == [list(range(400))] * 3
        (stuck,) = stage.sockets
        assert stuck.wire.paused
        stuck._evict()
        await until(lambda: stage.open == 0 and len(stage.sockets) == 0)
        assert stage.counters.evictions == 1


async def test_a_reader_of_one_byte_at_a_time_is_evicted(quick: contextlib.AbstractAsyncContextManager[Stage]) -> None:
    async with quick as stage, bare(stage) as client:

        async def trickle() -> None:
            tick = asyncio.Event()
            while await client.read(1):
                # Slowly: that is the point.
                asyncio.get_running_loop().call_later(0.1, tick.set)
                await tick.wait()
                tick.clear()

        trickling = asyncio.create_task(trickle())
        await until(lambda: stage.open == 1)
        assert await flood(stage, 400) <= HELD_BYTES
        await until(lambda: stage.open == 0 and len(stage.sockets) == 0)
        assert stage.counters.evictions == 1
        trickling.cancel()


async def test_an_evicted_reader_that_wakes_up_is_told_to_come_back(
    quick: contextlib.AbstractAsyncContextManager[Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "CLOSE_S", HANG_S)
    async with quick as stage, stage.connect() as socket:
        await begin(socket)
        await subscribe(socket, "s", SUBSCRIPTION)
        await until(lambda: stage.open == 1)
        # Enough for the library's own buffers as well.
        await flood(stage, 1000)
        await until(lambda: stage.open == 0)
        assert await closed(socket) == (1013, "You read too slowly. Subscribe again from there.")


async def test_a_paused_reader_that_recovers_misses_nothing(stage: Stage) -> None:
    async with stage.connect() as socket:
        await begin(socket)
        await subscribe(socket, "s", SUBSCRIPTION)
        await until(lambda: stage.open == 1)
        await flood(stage, 1000)
        await until(lambda: stage.runtime.subscriptions.lag > 0)
        heard = [(await hear(socket))["payload"]["data"]["facts"]["n"] for _ in range(1000)]
    assert heard == list(range(1000))
    assert stage.counters.evictions == 0
    # Executed once for each event, however often it was offered.
    assert stage.counters.executions == 1000


async def test_whoever_does_not_read_the_answers_is_asked_no_more(stage: Stage) -> None:
    async with bare(stage) as client:
        query = {"type": "ping", "payload": {"x": "y" * 16_000}}

        async def ask() -> None:
            for _ in range(1000):
                await client.send(query)

        asking = asyncio.create_task(ask())
        await until(lambda: bool(stage.paused))
        assert max(stage.held_bytes()) <= wire.HIGH_WATER_BYTES + 20_000
        assert not asking.done()
        asking.cancel()


async def test_pings_of_a_peer_that_reads_nothing_are_not_answered_for_ever(stage: Stage) -> None:
    async with bare(stage) as client:
        pings = Frame(Opcode.PING, b"x" * 125).serialize(mask=True) * 1000

        async def ping() -> None:
            for _ in range(200):
                await asyncio.get_running_loop().sock_sendall(client.connection, pings)

        pinging = asyncio.create_task(ping())
        await until(lambda: bool(stage.paused))
        # All 25 MB are read, and what is held for the peer does not grow by them.
        await pinging
        assert max(stage.held_bytes()) <= wire.HIGH_WATER_BYTES + 2 * len(pings)


async def test_a_peer_that_answers_no_ping_is_gone_with_a_retryable_code(database: Database, redis: Redis) -> None:
    async with staged(database, redis, socket_ping_s=0.2) as stage, bare(stage) as client:
        await until(lambda: stage.open == 1)
        heard = b""
        while chunk := await client.read(4096):
            heard += chunk
        assert b"\x03\xf5You did not answer a ping." in heard
        await until(lambda: stage.open == 0 and len(stage.sockets) == 0)
        assert stage.counters.evictions == 0
