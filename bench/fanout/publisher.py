"""What makes the events: `python -m bench.fanout.publisher`, a Script and then orders on standard input."""

import asyncio
import json
import secrets
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeAlias

import msgspec
import uvloop

from app.kit.db import SYSTEM, Database, Tx
from app.kit.events import EventLog, Fact
from app.kit.redis_client import open_redis
from bench.fanout.messages import Publish, Published, PublisherOrder, Script, Stop

# In one transaction, when the publisher is late.
MOST_AT_ONCE: Final = 64

Send: TypeAlias = Callable[[Sequence[int]], Awaitable[float]]
"""Publishes the events of these numbers, in this order; returns when it began to commit them."""


class Publisher:
    """Keeps to a rate, whatever becomes of the events, and keeps a log."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._next = 0
        self.stopping = False

    async def publish(self, order: Publish) -> Published:
        """Event after event. Those that are due at once go into one transaction."""
        self.stopping = False
        log = Published(self._next, [], [])
        begun = time.monotonic()
        while (done := len(log.committed)) < order.count and not self.stopping:
            due = min(order.count, 1 + int((time.monotonic() - begun) * order.rate)) - done
            if due <= 0:
                await asyncio.sleep(begun + done / order.rate - time.monotonic())
                continue
            numbers = range(self._next, self._next + min(due, MOST_AT_ONCE))
            committing = await self._send(numbers)
            self._next = numbers.stop
            log.committing.extend(committing for _ in numbers)
            log.committed.extend(time.monotonic() for _ in numbers)
        return log


def into_event_log(script: Script, database: Database, events: EventLog) -> Send:
    """As a service publishes: facts in a transaction."""

    async def send(numbers: Sequence[int]) -> float:
        facts = [
            Fact(script.streams[n % len(script.streams)], script.kind, script.payloads[n % len(script.payloads)])
            for n in numbers
        ]

        async def work(tx: Tx) -> float:
            await events.append(tx, facts)
            return time.monotonic()

        return await database.write(SYSTEM, work)

    return send


async def _run(lines: asyncio.StreamReader) -> None:
    script = msgspec.json.decode(await lines.readline(), type=Script)
    redis = await open_redis(script.redis_url)
    if script.database_url is None:

        async def to_channel(numbers: Sequence[int]) -> float:
            committing = time.monotonic()
            for n in numbers:
                height = n % len(script.marks)
                cursor = secrets.token_hex(script.cursor_chars)[: script.cursor_chars]
                event = {"cursor": cursor, "block": {"height": height, "hash": script.marks[height]}}
                await redis.publish(script.channel, json.dumps(event))
            return committing

        publisher = Publisher(to_channel)
    else:
        database = await Database.open(
            script.database_url, role="moneta_app", size=2, timeout_s=10.0, name="moneta-bench"
        )
        publisher = Publisher(into_event_log(script, database, EventLog(database, redis)))
    decode = msgspec.json.Decoder(PublisherOrder).decode
    working: asyncio.Task[None] | None = None
    while line := await lines.readline():
        order = decode(line)
        if isinstance(order, Stop):
            publisher.stopping = True
        else:
            working = asyncio.create_task(_answer(publisher, order))
    if working is not None:
        working.cancel()


async def _answer(publisher: Publisher, order: Publish) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(await publisher.publish(order)) + b"\n")
    sys.stdout.buffer.flush()


async def _main() -> None:
    lines = asyncio.StreamReader(limit=1 << 24)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin.buffer)
    await _run(lines)


if __name__ == "__main__":
    uvloop.run(_main())
