"""A process that dies by SIGKILL at one exact place, for test_crashes.py.

`python -m tests.kit.relay_worker DATABASE_URL REDIS_URL PLACE`, where PLACE is `before-move` or `after-move` (a relay,
around the script that gives Redis a batch) or `after-commit` (a writer of three facts, before it can wake the relay).
"""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from app.kit.db import SYSTEM, Database, Tx
from app.kit.events import EventLog, Fact
from app.kit.redis_client import open_redis
from app.kit.relay import Relay
from tests.waiting import HANG_S


async def die(*_: Any, **__: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


async def main(database_url: str, redis_url: str, place: str) -> None:
    database = await Database.open(database_url, role="moneta_app", size=4, timeout_s=HANG_S, name="relay-worker")
    redis = await open_redis(redis_url)
    if place == "after-commit":
        await write(database, EventLog(database, redis))
        return
    relay: Any = Relay(database, redis)
    relay._move = die if place == "before-move" else dying_after(relay._move)
    await relay.run()


def dying_after(move: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[None]]:
    async def moved(**arguments: Any) -> None:
        await move(**arguments)
        await die()

    return moved


async def write(database: Database, events: EventLog) -> None:
    async def work(tx: Tx) -> None:
        # Registered first, so it runs before the wake.
        tx.after_commit(die)
        await events.append(tx, [Fact("a", "n", {"n": n}) for n in range(3)])

    await database.write(SYSTEM, work)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
