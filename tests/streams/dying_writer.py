"""Appends two facts and kills itself: `dying_writer <database> <redis> <fact as JSON> <before-commit|after-commit>`."""

import asyncio
import os
import signal
import sys

import msgspec

from app.kit.db import SYSTEM, Database, Tx
from app.kit.events import EventLog, Fact
from app.kit.redis_client import open_redis
from tests.waiting import HANG_S


async def main(database_url: str, redis_url: str, fact: str, moment: str) -> None:
    database = await Database.open(database_url, role="moneta_app", size=2, timeout_s=HANG_S)
    events = EventLog(database, await open_redis(redis_url))
    facts = [msgspec.json.decode(fact, type=Fact)] * 2

    async def work(tx: Tx) -> None:
        # Registered first, so that nobody is woken.
        tx.after_commit(die)
        await events.append(tx, facts)
        if moment == "before-commit":
            await die()

    await database.write(SYSTEM, work)


async def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
